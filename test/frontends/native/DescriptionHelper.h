// The smallest description, changed in a place, parsed and applied.

#ifndef MOIRE_TEST_FRONTENDS_NATIVE_DESCRIPTIONHELPER_H
#define MOIRE_TEST_FRONTENDS_NATIVE_DESCRIPTIONHELPER_H

#include "ImportHelper.h"
#include "Samples.h"

#include "frontends/native/Library.h"
#include "frontends/native/Parser.h"

namespace moire {

/// A complete description of the sample model, as small as it can be. Its layers have no FFN.
inline const char *const minimal = R"(model tiny
match huggingface model_type = "tiny"
config
  layers from num_hidden_layers
  context from max_position_embeddings
  d from hidden_size
  V from vocab_size
before layers
  x = embed(tokens, table)
layer i
  h = rms_norm(x, norm[i], 1e-5)
  x = x + attention(h * q[i], h * k[i], h * v[i], 16) * o[i]
after layers
  logits = rms_norm(x, last, 1e-5) * table
weights huggingface
  table = "table" [V, d]
  norm[i] = "{i}.norm" [d]
  q[i] = "{i}.q" [32, d]
  k[i] = "{i}.k" [16, d]
  v[i] = "{i}.v" [16, d]
  o[i] = "{i}.o" [d, 32]
  last = "last" [d]
)";

/// What `minimal` describes.
inline Container tinyContainer() {
  Container c;
  c.kind = Container::Kind::HuggingFace;
  c.path = "tiny";
  setText(c, "model_type", "tiny");
  setNumber(c, "num_hidden_layers", 2);
  setNumber(c, "max_position_embeddings", 64);
  setNumber(c, "hidden_size", 24);
  setNumber(c, "vocab_size", 40);
  addTensor(c, "table", {40, 24});
  addTensor(c, "last", {24});
  for (const char *layer : {"0", "1"}) {
    addTensor(c, std::string(layer) + ".norm", {24});
    addTensor(c, std::string(layer) + ".q", {32, 24});
    addTensor(c, std::string(layer) + ".k", {16, 24});
    addTensor(c, std::string(layer) + ".v", {16, 24});
    addTensor(c, std::string(layer) + ".o", {24, 32});
  }
  return c;
}

/// `minimal` with the first `from` replaced by `to`.
inline std::string changed(const std::string &from, const std::string &to) {
  return replaced(minimal, from, to);
}

/// The error of a text that must not be parsed.
inline std::string parseError(const std::string &text) {
  ReadError error;
  EXPECT_FALSE(parseDescription("m.moire", text, error)) << "was parsed";
  EXPECT_EQ(error.kind, ReadError::Kind::BadInput);
  return error.message;
}

/// The error of applying `text` to `container`, or empty if there is none.
inline std::string applyError(const std::string &text, const Container &container = tinyContainer(),
                              ReadError::Kind kind = ReadError::Kind::BadInput) {
  ReadError error;
  auto description = parseDescription("m.moire", text, error);
  EXPECT_TRUE(description) << error.message;
  Model model;
  if (!description || applyDescription(*description, container, Weights::Needed, model, error))
    return "";
  EXPECT_EQ(error.kind, kind);
  return error.message;
}

/// `container` as `text` describes it.
inline Model applied(const std::string &text, const Container &container = tinyContainer()) {
  ReadError error;
  auto description = parseDescription("m.moire", text, error);
  EXPECT_TRUE(description) << error.message;
  Model model;
  if (description) {
    EXPECT_TRUE(applyDescription(*description, container, Weights::Needed, model, error))
        << error.message;
  }
  return model;
}

} // namespace moire

#endif
