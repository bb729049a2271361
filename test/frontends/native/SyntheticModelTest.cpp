// Weights for a config: complete, finite, and routers that choose as they were asked to.

#include "ImportHelper.h"
#include "Samples.h"

#include "frontends/native/Library.h"
#include "frontends/native/Parser.h"
#include "frontends/native/SyntheticModel.h"
#include "frontends/weights/Dequantize.h"
#include "frontends/weights/Synthetic.h"

#include <algorithm>
#include <cmath>
#include <fstream>

using namespace moire;

namespace {

/// The description of Mixtral with every `from` changed to `to`.
std::string mixtralWith(const std::string &from, const std::string &to) {
  std::ifstream file(std::string(MOIRE_GOLDEN_DIR) + "/../../frontends/models/mixtral.moire");
  std::string text{std::istreambuf_iterator<char>(file), {}};
  EXPECT_NE(text.find(from), std::string::npos) << from;
  for (size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
    text.replace(at, from.size(), to);
  return text;
}

/// A bare config of a mixture of experts.
Container bareConfig(int64_t experts, int64_t chosen) {
  Container c = sampleMixtral();
  c.tensors.clear();
  setNumber(c, "hidden_size", 256);
  setNumber(c, "num_attention_heads", 4);
  setNumber(c, "num_key_value_heads", 2);
  setNumber(c, "intermediate_size", 64);
  setNumber(c, "vocab_size", 4000);
  setNumber(c, "num_local_experts", experts);
  setNumber(c, "num_experts_per_tok", chosen);
  return c;
}

/// Why there are no weights for `c`, or an empty string.
std::string refusal(Container &c, const Description *description, const SyntheticOptions &options) {
  ReadError error;
  Model model;
  if (!description || !applyDescription(*description, c, Weights::FromDescription, model, error))
    ADD_FAILURE() << error.message;
  else if (!addSyntheticTensors(c, model, options, error))
    EXPECT_EQ(error.kind, ReadError::Kind::Unsupported);
  return error.message;
}

std::string refusal(Container &c, const SyntheticOptions &options) {
  ReadError error;
  return refusal(c, findDescription(c, "", error).get(), options);
}

bool synthesize(Container &c, const SyntheticOptions &options) {
  return refusal(c, options).empty();
}

std::vector<float> valuesOf(const TensorEntry &tensor) {
  std::vector<float> values(rowCount(tensor) * rowElements(tensor));
  std::vector<uint8_t> scratch;
  dequantize(tensor.type, {tensor.bytesAt(0, tensor.bytes, scratch), tensor.bytes}, values);
  return values;
}

/// How often each expert of `layer` is chosen, from 0 to 1, the most frequent first: tokens' rows
/// are their embeddings, to whose first columns no layer adds anything.
std::vector<double> measure(const Container &c, int64_t layer, int64_t experts, int64_t chosen) {
  std::vector<float> table = valuesOf(c.tensors.at("model.embed_tokens.weight"));
  std::vector<float> router = valuesOf(
      c.tensors.at("model.layers." + std::to_string(layer) + ".block_sparse_moe.gate.weight"));
  constexpr int64_t tokens = 4000, d = 256;
  std::vector<double> count(experts);
  std::vector<std::pair<double, int64_t>> logits(experts);
  for (int64_t token = 0; token < tokens; ++token) {
    for (int64_t e = 0; e < experts; ++e) {
      logits[e] = {0, e};
      for (int64_t j = 0; j < d; ++j)
        logits[e].first -= double(table[token * d + j]) * router[e * d + j];
    }
    std::nth_element(logits.begin(), logits.begin() + chosen, logits.end());
    for (int64_t n = 0; n < chosen; ++n)
      count[logits[n].second] += 1.0 / tokens;
  }
  std::sort(count.rbegin(), count.rend());
  return count;
}

} // namespace

TEST(SyntheticModel, HasWhatTheDescriptionNeeds) {
  Container c = bareConfig(8, 2);
  ASSERT_TRUE(synthesize(c, {.seed = 1, .type = StorageType::Q4_0}));
  std::string text = importText(c);
  for (const char *part : {
           "@layer_0.gate : tensor<4x8x64x256xf32, #moe.block<q4_0>>",
           "@layer_0.router : tensor<4x8x256xf32>",
           "@embedding : tensor<4000x256xf32, #moe.block<q8_0>>",
           "@head : tensor<4000x256xf32, #moe.block<q8_0>>",
       })
    EXPECT_CONTAINS(text, part);
  EXPECT_EQ(valuesOf(c.tensors.at("model.norm.weight")), std::vector<float>(256, 1));
}

TEST(SyntheticModel, TypesComeFromTheConfigAndFitTheRows) {
  Container c = bareConfig(8, 2);
  setText(c, "torch_dtype", "bfloat16");
  setNumber(c, "intermediate_size", 40);
  ASSERT_TRUE(synthesize(c, {.seed = 1}));
  EXPECT_CONTAINS(importText(c), "@layer_0.down : tensor<4x8x256x40xbf16>");
  c = bareConfig(8, 2);
  setNumber(c, "intermediate_size", 40);
  ASSERT_TRUE(synthesize(c, {.seed = 1, .type = StorageType::Q8_0}));
  EXPECT_CONTAINS(importText(c), "@layer_0.down : tensor<4x8x256x40xf16>");
}

TEST(SyntheticModel, EveryArchitectureCanBeMadeUp) {
  for (const char *name : {"llama-gqa", "qwen2", "mixtral", "deepseek-moe", "qwen3-moe",
                           "qwen2-moe", "olmoe", "granite-moe"}) {
    Container c = openModel(goldenPath(std::string(name) + "/config.json"));
    ASSERT_TRUE(synthesize(c, {.seed = 1})) << name;
    Container real = openModel(goldenPath(name));
    EXPECT_EQ(c.tensors.size(), real.tensors.size()) << name;
    for (const auto &[tensor, entry] : real.tensors) {
      ASSERT_TRUE(c.tensors.count(tensor)) << tensor;
      EXPECT_EQ(c.tensors.at(tensor).shape, entry.shape) << tensor;
    }
  }
}

TEST(SyntheticModel, OnlyEmbeddingsWriteWhatRoutersRead) {
  Container c = bareConfig(8, 2);
  ASSERT_TRUE(synthesize(c, {.seed = 1, .type = StorageType::Q8_0}));
  std::vector<float> router = valuesOf(c.tensors.at("model.layers.2.block_sparse_moe.gate.weight"));
  int64_t read = 0; // columns
  for (size_t n = 0; n < router.size(); ++n)
    if (router[n] != 0)
      read = std::max<int64_t>(read, static_cast<int64_t>(n) % 256 + 1);
  EXPECT_EQ(read, 64);
  for (const char *name : {"self_attn.o_proj.weight", "block_sparse_moe.experts.5.w2.weight"}) {
    const TensorEntry &writer = c.tensors.at(std::string("model.layers.2.") + name);
    std::vector<float> rows = valuesOf(writer);
    int64_t k = rowElements(writer);
    for (int64_t n = 0; n < rowCount(writer) * k; ++n)
      if (n < read * k)
        ASSERT_EQ(rows[n], 0);
    EXPECT_TRUE(std::any_of(rows.end() - k, rows.end(), [](float value) { return value != 0; }));
  }
}

TEST(SyntheticModel, UniformRoutingChoosesAllAlike) {
  Container c = bareConfig(32, 4);
  ASSERT_TRUE(synthesize(c, {.seed = 1, .type = StorageType::Q4_0}));
  for (int64_t layer : {0, 3}) {
    std::vector<double> shares = measure(c, layer, 32, 4);
    EXPECT_LT(shares.front(), 0.125 * 1.2);
    EXPECT_GT(shares.back(), 0.125 * 0.8);
  }
}

TEST(SyntheticModel, ZipfRoutingFollowsZipfsLaw) {
  for (auto [experts, chosen] : {std::pair<int64_t, int64_t>{64, 6}, {8, 2}}) {
    Container c = bareConfig(experts, chosen);
    ASSERT_TRUE(synthesize(c, {.seed = 1, .type = StorageType::Q8_0, .zipf = 1.1}));
    std::vector<double> wanted = zipfFrequencies(experts, chosen, 1.1);
    for (int64_t layer : {0, 3}) {
      std::vector<double> shares = measure(c, layer, experts, chosen);
      for (int64_t rank = 0; rank < experts; ++rank)
        EXPECT_NEAR(shares[rank], wanted[rank], 0.15 * wanted[rank] + 0.01)
            << rank << " of " << experts;
    }
  }
}

TEST(SyntheticModel, NoConfigIsTooLarge) {
  Container c = bareConfig(1 << 20, 2);
  EXPECT_EQ(refusal(c, {.seed = 1}),
            "sample: asks for 12582940 tensors; at most 1048576 are made up");
  EXPECT_TRUE(c.tensors.empty());
  c = bareConfig(4097, 2);
  EXPECT_EQ(refusal(c, {.seed = 1, .zipf = 1}),
            "sample: Zipf's law among 4097 experts; it is for at most 4096");
}

TEST(SyntheticModel, ManyExpertsMayLieInOneTensor) {
  std::string text = mixtralWith("{e}.", "");
  ReadError error;
  std::unique_ptr<Description> description = parseDescription("m.moire", text, error);
  ASSERT_TRUE(description) << error.message;
  Container c = bareConfig(1 << 20, 2);
  EXPECT_EQ(refusal(c, description.get(), {.seed = 1}), "");
  EXPECT_EQ(c.tensors.at("model.layers.0.block_sparse_moe.experts.w1.weight").shape[0], 1 << 20);
}

TEST(SyntheticModel, TheLogitsOfARouterMayBeScaled) {
  std::string text = mixtralWith("h * router[i]", "h * router[i] / 2");
  ReadError error;
  std::unique_ptr<Description> description = parseDescription("m.moire", text, error);
  ASSERT_TRUE(description) << error.message;
  Container c = bareConfig(64, 6);
  ASSERT_EQ(refusal(c, description.get(), {.seed = 1, .zipf = 1.1}), "");
  std::vector<double> wanted = zipfFrequencies(64, 6, 1.1), shares = measure(c, 1, 64, 6);
  EXPECT_NEAR(shares[0], wanted[0], 0.1);
  EXPECT_NEAR(shares[63], wanted[63], 0.02);
}
