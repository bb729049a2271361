// docs/model-descriptions.md says what is true: its example compiles, its error is the error, and
// no word is missing.

#include "ImportHelper.h"
#include "Samples.h"

#include "frontends/native/ExprParser.h"
#include "frontends/native/Parser.h"
#include "frontends/native/Value.h"

#include <fstream>
#include <sstream>

using namespace moire;

namespace {

std::string document() {
  std::ifstream file(MOIRE_SOURCE_DIR "/docs/model-descriptions.md");
  std::stringstream text;
  text << file.rdbuf();
  EXPECT_FALSE(text.str().empty());
  return text.str();
}

std::string example() {
  std::string text = document();
  size_t begin = text.find("```moire\n") + 9;
  return text.substr(begin, text.find("```", begin) - begin);
}

std::string writeFile(const std::string &text) {
  std::string path = testing::TempDir() + "heron.moire";
  std::ofstream(path) << text;
  return path;
}

void replaceAll(std::string &text, const std::string &from, const std::string &to) {
  for (size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
    text.replace(at, from.size(), to);
}

/// What the example calls the tensors of a layer, and what Llama does.
const std::pair<const char *, const char *> tensorNames[] = {
    {"norm_a.gain", "input_layernorm.weight"},
    {"mix.query.weight", "self_attn.q_proj.weight"},
    {"mix.key.weight", "self_attn.k_proj.weight"},
    {"mix.value.weight", "self_attn.v_proj.weight"},
    {"mix.out.weight", "self_attn.o_proj.weight"},
    {"norm_f.gain", "post_attention_layernorm.weight"},
    {"ffn.gate.weight", "mlp.gate_proj.weight"},
    {"ffn.up.weight", "mlp.up_proj.weight"},
    {"ffn.down.weight", "mlp.down_proj.weight"},
};

/// The sample of the Llama form under Heron's names.
Container heron() {
  Container llama = sampleLlama(), c;
  c.kind = Container::Kind::HuggingFace;
  c.path = "heron";
  setText(c, "model_type", "heron");
  setNumber(c, "n_blocks", 4);
  setNumber(c, "n_positions", 128);
  setNumber(c, "width", 32);
  setNumber(c, "n_tokens", 40);
  setNumber(c, "n_heads", 2);
  setNumber(c, "n_kv_heads", 1);
  setNumber(c, "ffn_width", 48);
  addTensor(c, "tokens.weight", {40, 32});
  addTensor(c, "norm_out.gain", {32});
  addTensor(c, "head.weight", {40, 32});
  for (int64_t i = 0; i < 4; ++i)
    for (auto [ours, theirs] : tensorNames)
      addTensor(c, "blocks." + std::to_string(i) + "." + ours,
                llama.tensors["model.layers." + std::to_string(i) + "." + theirs].shape);
  return c;
}

} // namespace

TEST(Documentation, TheExampleIsLlamaUnderOtherNames) {
  std::string text = importText(heron(), {writeFile(example())});
  for (auto [ours, theirs] : tensorNames)
    replaceAll(text, std::string("blocks.{i}.") + ours, std::string("model.layers.{i}.") + theirs);
  const std::pair<const char *, const char *> others[] = {
      {"\"heron\"", "\"llama\""},
      {"tokens.weight", "model.embed_tokens.weight"},
      {"norm_out.gain", "model.norm.weight"},
      {"\"head.weight", "\"lm_head.weight"},
      {"norm_a", "attention_norm"},
      {"norm_f", "ffn_norm"},
      {"norm_out", "final_norm"},
  };
  for (auto [ours, theirs] : others)
    replaceAll(text, ours, theirs);
  EXPECT_EQ(text, importText(sampleLlama()));
}

TEST(Documentation, TheExampleHasWindowsInEveryOtherLayer) {
  Container c = heron();
  setNumber(c, "window", 8);
  setKey(c, "share_embedding", {true});
  std::string text = importText(c, {writeFile(example())});
  EXPECT_EQ(countOf(text, "func.func private"), 2u);
  EXPECT_EQ(countOf(text, "window = 8 : i64"), 1u);
  EXPECT_EQ(countOf(text, "layers = [1, 3]>"), 9u);
  EXPECT_LACKS(text, "@head");
}

TEST(Documentation, TheExampleMustMatch) {
  ReadError error = importError(sampleLlama(), {writeFile(example())});
  EXPECT_EQ(error.kind, ReadError::Kind::BadInput);
  EXPECT_CONTAINS(error.message,
                  "heron.moire\" do not hold for \"sample\" (model_type = \"llama\")");
}

TEST(Documentation, TheErrorIsTheError) {
  std::string text = example();
  text.replace(text.find("rope(h * q[i]"), 13, "rope(h * up[i]");
  ReadError error;
  auto description = parseDescription("heron.moire", text, error);
  ASSERT_TRUE(description) << error.message;
  Model model;
  Container c = heron();
  ASSERT_FALSE(applyDescription(*description, c, Weights::Needed, model, error));
  EXPECT_CONTAINS(document(), "```\n" + error.message + "\n```");
}

TEST(Documentation, EveryWordIsThere) {
  std::string text = document();
  for (std::string_view word : vocabularyNames())
    EXPECT_CONTAINS(text, "| `" + std::string(word) + "(");
  size_t line = text.find("Words that cannot be names:");
  ASSERT_NE(line, std::string::npos);
  std::stringstream words(text.substr(line + 29));
  size_t count = 0;
  for (std::string word; words >> word; ++count) {
    bool last = word.back() == '.';
    word = word.substr(0, word.find('`'));
    EXPECT_TRUE(isKeyword(word)) << word;
    if (last)
      break;
  }
  EXPECT_EQ(count + 1, 15u);
}
