// What the language takes.

#include "DescriptionHelper.h"

using namespace moire;

TEST(Description, Minimal) {
  Model model = applied(minimal);
  EXPECT_EQ(model.architecture, "tiny");
  EXPECT_EQ(model.layers, 2);
  EXPECT_EQ(model.hidden, 24);
  EXPECT_EQ(model.vocabulary, 40);
  EXPECT_EQ(model.kv_heads, 1);
  EXPECT_EQ(model.head_dim, 16);
  ASSERT_EQ(model.classes.size(), 1u);
  EXPECT_EQ(model.classes[0].layers, (std::vector<int64_t>{0, 1}));
}

TEST(Description, BuiltInsAreWellFormed) {
  EXPECT_EQ(builtInDescriptions().size(), 8u);
  for (const BuiltInDescription &builtIn : builtInDescriptions()) {
    ReadError error;
    EXPECT_TRUE(parseDescription(builtIn.path, builtIn.text, error)) << error.message;
  }
}

//===- The language ------------------------------------------------------------===//

TEST(Description, Arithmetic) {
  // Precedence, brackets, whole and real division, comparison.
  Model model =
      applied(changed("  d from hidden_size", "  a = 2 + 3 * 4 - -10\n"
                                              "  b = floor(a * 0.5) % 5 + 10 / 5\n"
                                              "  d from hidden_size")
                  .replace(0, 0, "")
                  .append("require a == 24 and (b == 4 or b > 100) and not a != 24, \"sums\"\n"));
  EXPECT_EQ(model.hidden, 24);
}

TEST(Description, Choose) {
  // `other` is not needed, so its key is not missed.
  std::string text = changed("  d from hidden_size", "  hidden from hidden_size\n"
                                                     "  other from no_such_key\n"
                                                     "  kind from kind default 1\n"
                                                     "  d = choose kind\n"
                                                     "    \"a\" or \"b\": other\n"
                                                     "    1: hidden");
  EXPECT_EQ(applied(text).hidden, 24);
  Container c = tinyContainer();
  setText(c, "kind", "b");
  EXPECT_CONTAINS(applyError(text, c),
                  "`other` needs the key \"no_such_key\", and \"tiny\" has no such key");
  setText(c, "kind", "c");
  EXPECT_CONTAINS(
      applyError(text, c, ReadError::Kind::Unsupported),
      "m.moire:9:14: unsupported: `kind` is \"c\"; the description knows \"a\", \"b\", 1");
}

TEST(Description, PartsAndLayersWithConditions) {
  std::string text =
      changed("layer i\n"
              "  h = rms_norm(x, norm[i], 1e-5)\n"
              "  x = x + attention(h * q[i], h * k[i], h * v[i], 16) * o[i]\n",
              "part block(i, window)\n"
              "  h = rms_norm(x, norm[i], 1e-5)\n"
              "  x = x + attention(h * q[i], h * k[i], h * v[i], 16, window) * o[i]\n"
              "layer i when i % 2 == 1\n"
              "  block(i, 8)\n"
              "layer n otherwise\n"
              "  block(n, none)\n");
  Model model = applied(text);
  ASSERT_EQ(model.classes.size(), 2u);
  EXPECT_EQ(model.runs.size(), 2u);
  EXPECT_FALSE(model.classes[0].body.steps[5].window);
  EXPECT_EQ(model.classes[1].body.steps[5].window, 8);
}

TEST(Description, ListsHoldAValueForEachLayer) {
  std::string text = changed("  V from", "  rows_of_v from rows_of_v\n  V from");
  text.replace(text.find("{i}.v\" [16, d]"), 14, "{i}.v\" [rows_of_v[i], d]");
  Container c = tinyContainer();
  setKey(c, "rows_of_v", {MetadataValue::List{{int64_t(16)}, {int64_t(16)}}});
  applied(text, c);
  setKey(c, "rows_of_v", {MetadataValue::List{{int64_t(16)}}});
  EXPECT_CONTAINS(applyError(text, c), "`rows_of_v` is a list of 1; there is no element 1");
  setNumber(c, "rows_of_v", 16);
  EXPECT_CONTAINS(applyError(text, c), "`rows_of_v` is no list, but 16");
}

TEST(Description, ExplicitAndOptionalBiases) {
  std::string text = changed("h * q[i],", "h * q[i] + b[i],");
  text += "  b[i] = \"{i}.b\" [32] optional\n";
  EXPECT_EQ(applied(text).classes[0].body.weights.size(), 5u);
  Container c = tinyContainer();
  addTensor(c, "1.b", {32});
  Model model = applied(text, c);
  ASSERT_EQ(model.classes.size(), 2u); // only layer 1 has one
  EXPECT_EQ(model.classes[1].body.weights.size(), 6u);
  EXPECT_EQ(model.classes[1].body.steps[2].weights.size(), 2u);
}

TEST(Description, SourcesAreTriedInOrder) {
  Container c = tinyContainer();
  std::string text = changed("\"{i}.q\"", "\"layer.{i}.q\" or \"{i}.q\"");
  EXPECT_EQ(applied(text, c).classes[0].body.weights[1].pattern, "{i}.q");
  for (const char *layer : {"0", "1"}) {
    addTensor(c, "layer." + std::string(layer) + ".q", {32, 24});
    c.tensors.erase(std::string(layer) + ".q");
  }
  EXPECT_EQ(applied(text, c).classes[0].body.weights[1].pattern, "layer.{i}.q");
}

TEST(Description, LayersMayShareWeights) {
  // One tensor for all layers, and one for every two of them.
  std::string text = changed("o[i]", "o");
  text.replace(text.find("o[i] = \"{i}.o\""), 14, "o = \"0.o\"");
  text.replace(text.find("h * k[i]"), 8, "h * k[i - i % 2]");
  text += "  ignore \"1.*\"\n";
  Model model = applied(text);
  ASSERT_EQ(model.classes.size(), 1u);
  EXPECT_EQ(model.classes[0].weight_layers[2], (std::vector<int64_t>{0, 0}));
  EXPECT_EQ(model.classes[0].body.weights[4].layer, -1);
}

//===- Matching ------------------------------------------------------------===//

TEST(Matching, TwoDescriptionsThatMatchAreNamed) {
  ReadError error;
  auto one = parseDescription("one.moire", minimal, error);
  auto two = parseDescription("two.moire", minimal, error);
  EXPECT_FALSE(pickDescription({one.get(), two.get()}, tinyContainer(), error));
  EXPECT_EQ(error.kind, ReadError::Kind::BadInput);
  EXPECT_CONTAINS(
      error.message,
      "two descriptions match \"tiny\" (model_type = \"tiny\"): one.moire and two.moire");
}

TEST(Matching, FallbacksCountWhenNothingElseMatches) {
  ReadError error;
  auto exact = parseDescription("exact.moire", minimal, error);
  auto fallback = parseDescription(
      "fallback.moire",
      changed("match huggingface model_type = \"tiny\"",
              "match huggingface model_type = \"other\"\n"
              "fallback huggingface model_type = \"tiny\" or \"x\" and v = none or 2"),
      error);
  ASSERT_TRUE(fallback) << error.message;
  std::vector<const Description *> both = {fallback.get(), exact.get()};
  EXPECT_EQ(pickDescription(both, tinyContainer(), error), exact.get());
  Container c = tinyContainer();
  setText(c, "model_type", "x");
  EXPECT_EQ(pickDescription(both, c, error), fallback.get());
  setNumber(c, "v", 3);
  EXPECT_FALSE(pickDescription(both, c, error));
  EXPECT_EQ(error.kind, ReadError::Kind::Unsupported);
}

TEST(Matching, AFileThatIsNotThere) {
  ReadError error = importError(sampleLlama(), {"no/such/file.moire"});
  EXPECT_EQ(error.kind, ReadError::Kind::BadInput);
  EXPECT_CONTAINS(error.message, "no/such/file.moire");
}
