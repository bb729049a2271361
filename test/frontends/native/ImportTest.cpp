// The IR that models of the Llama family become.

#include "ImportHelper.h"
#include "Samples.h"

#include "frontends/native/Library.h"

#include <array>
#include <cmath>
#include <fstream>

using namespace moire;

//===- Golden checkpoints ------------------------------------------------------------===//

TEST(Import, LlamaGqa) {
  std::string text = importText(openModel(goldenPath("llama-gqa")));
  for (const char *part : {
           "moe.architecture = \"llama\", moe.context = 2048 : i64",
           "moe.weight @embedding : tensor<300x96xbf16> = "
           "#moe.source<\"model.embed_tokens.weight\">",
           "moe.weight @head : tensor<300x96xbf16> = #moe.source<\"lm_head.weight\">",
           "moe.weight @layer_0.q : tensor<3x96x96xbf16> = "
           "#moe.source<\"model.layers.{i}.self_attn.q_proj.weight\", layers = [0, 1, 2]>",
           "moe.weight @layer_0.attention_norm : tensor<3x96xf32>",
           "func.func private @layer_0(%arg0: index, %arg1: index, %arg2: tensor<?x96xf32>, "
           "%arg3: tensor<?xi32>, %arg4: tensor<?xi32>, %arg5: tensor<3x?x?x2x16xf16>, "
           "%arg6: tensor<3x?x?x2x16xf16>)",
           "moe.read @layer_0.q[%arg1] : tensor<96x96xbf16>",
           "{base = 1.000000e+04 : f64, head_dim = 16 : i64, rotary_dims = 16 : i64}",
           "moe.kv_append %7 into %arg5[%arg0] at %arg3, %arg4",
           "moe.attention %4, %10, %11[%arg0] at %arg3, %arg4 {scale = 2.500000e-01 : f64}",
           "scf.for %arg6 = %c0 to %c3 step %c1",
           "func.call @layer_0(%arg6, %arg6, %arg7, %arg1, %arg2, %arg8, %arg9)",
           "moe.select_rows %2#0, %arg3",
           "-> tensor<?x300xf32>",
       })
    EXPECT_CONTAINS(text, part);
  EXPECT_EQ(countOf(text, "moe.linear "), 8u); // seven in the layer, one head
  EXPECT_EQ(countOf(text, "arith.addf"), 2u);
  EXPECT_EQ(countOf(text, "moe.gate silu"), 1u);
  EXPECT_LACKS(text, "moe.tap");
  EXPECT_LACKS(text, "bias");
}

TEST(Import, GgufReordersQueriesAndKeysOfLlama) {
  std::string text = importText(openModel(goldenPath("llama-gqa/model-f16.gguf")));
  EXPECT_CONTAINS(text,
                  "moe.weight @layer_0.q : tensor<3x96x96xf16> = #moe.source<\"blk.{i}.attn_q."
                  "weight\", layers = [0, 1, 2], interleaved_heads = 6>");
  EXPECT_CONTAINS(text, "\"blk.{i}.attn_k.weight\", layers = [0, 1, 2], interleaved_heads = 2>");
  EXPECT_CONTAINS(text, "\"blk.{i}.attn_v.weight\", layers = [0, 1, 2]>");
  EXPECT_CONTAINS(text, "moe.weight @head : tensor<300x96xf16> = #moe.source<\"output.weight\">");
}

TEST(Import, TiedModelsReadTheEmbeddingTwice) {
  for (const char *name : {"llama-tied-odd", "fox1", "qwen2", "qwen2/model-f16.gguf"}) {
    std::string text = importText(openModel(goldenPath(name)));
    EXPECT_EQ(countOf(text, "moe.read @embedding"), 2u) << name;
    EXPECT_LACKS(text, "@head");
  }
}

TEST(Import, HeadDimIsNotAlwaysHiddenSizeByHeads) {
  std::string text = importText(openModel(goldenPath("llama-tied-odd")));
  EXPECT_CONTAINS(text, "@layer_0.q : tensor<3x144x72xbf16>"); // 9 heads of 16, hidden size 72
  EXPECT_CONTAINS(text, "tensor<3x?x?x3x16xf16>");
}

TEST(Import, RopeScaling) {
  EXPECT_CONTAINS(importText(openModel(goldenPath("llama-linear-rope"))),
                  "scaling = #moe.linear_scaling<4.000000e+00 : f64>}");
  EXPECT_CONTAINS(
      importText(openModel(goldenPath("llama3-rope"))),
      "{base = 5.000000e+05 : f64, head_dim = 20 : i64, rotary_dims = 20 : i64, scaling = "
      "#moe.llama3_scaling<factor = 8.000000e+00 : f64, low_factor = 1.000000e+00 : f64, "
      "high_factor = 4.000000e+00 : f64, original_context = 64>}");
}

TEST(Import, MistralHasAWindowInEveryLayer) {
  std::string text = importText(openModel(goldenPath("mistral-window")));
  EXPECT_CONTAINS(text, "{scale = 2.500000e-01 : f64, window = 8 : i64}");
  EXPECT_EQ(countOf(text, "func.func private"), 1u);
}

TEST(Import, Qwen2HasBiasesAndNoWindow) {
  for (const char *name : {"qwen2", "qwen2/model-f16.gguf"}) {
    std::string text = importText(openModel(goldenPath(name)));
    for (const char *part :
         {"moe.architecture = \"qwen2\"", "@layer_0.q_bias : tensor<3x84xf32>",
          "moe.linear %1, %2 + %3 : tensor<?x84xf32>, tensor<84x84x", "base = 1.000000e+06"})
      EXPECT_CONTAINS(text, part);
    EXPECT_LACKS(text, "window"); // use_sliding_window is false, whatever sliding_window says
    EXPECT_LACKS(text, "interleaved_heads");
    EXPECT_LACKS(text, "o_bias");
  }
}

TEST(Import, Aquila2) {
  std::string text = importText(openModel(goldenPath("aquila2")));
  EXPECT_CONTAINS(text, "moe.architecture = \"llama\", moe.context = 4096 : i64");
  EXPECT_CONTAINS(text, "tensor<4x?x?x2x24xf16>");
}

//===- Options ------------------------------------------------------------===//

TEST(Import, KeepHiddenTapsEachLayerAndTheEnd) {
  std::string text = importText(sampleLlama(), {"", /*keepHidden=*/true});
  EXPECT_CONTAINS(text, "moe.tap %arg7[%arg6] : tensor<?x32xf32>");
  EXPECT_CONTAINS(text, "%c4_0 = arith.constant 4 : index\n    moe.tap %2#0[%c4_0]");
  EXPECT_EQ(countOf(text, "moe.tap"), 2u);
}

TEST(Import, KeepRouteTapsEachRouter) {
  ImportOptions options;
  options.keepRoute = true;
  std::string text = importText(openModel(goldenPath("deepseek-moe")), options);
  EXPECT_EQ(countOf(text, "moe.tap_route"), countOf(text, "moe.route"));
  EXPECT_GT(countOf(text, "moe.tap_route"), 0u);
  EXPECT_CONTAINS(text, "[%arg0] : tensor<?x6xi32>, tensor<?x6xf32>");
  options.keepRoute = false;
  EXPECT_LACKS(importText(openModel(goldenPath("deepseek-moe")), options), "moe.tap_route");
}

TEST(Import, KeysAndValuesAreStoredAsAsked) {
  for (auto [kv, element] : {std::pair("f32", "f32"),
                             {"f16", "f16"},
                             {"bf16", "bf16"},
                             {"int8", "f32, #moe.int8_rows"}}) {
    std::string text = importText(sampleLlama(), {"", false, kv});
    EXPECT_CONTAINS(text, "tensor<4x?x?x1x16x" + std::string(element) + ">");
    EXPECT_EQ(countOf(text, "tensor<4x?x?x1x16x"),
              countOf(text, "tensor<4x?x?x1x16x" + std::string(element) + ">"));
  }
}

TEST(Import, EveryOperationPointsIntoTheDescription) {
  std::string text = importText(sampleLlama(), {}, /*locations=*/true);
  EXPECT_CONTAINS(text, "\"frontends/models/llama.moire\":");
  EXPECT_LACKS(text, " loc(unknown)");
}

//===- Configs ------------------------------------------------------------===//

TEST(Import, AbsentKeysHaveDefaults) {
  Container c = sampleLlama();
  c.metadata.erase("num_key_value_heads");
  for (int64_t i = 0; i < 4; ++i)
    for (const char *name : {".self_attn.k_proj.weight", ".self_attn.v_proj.weight"})
      addTensor(c, "model.layers." + std::to_string(i) + name, {32, 32});
  std::string text = importText(c);
  EXPECT_CONTAINS(text, "tensor<4x?x?x2x16xf16>");
  EXPECT_CONTAINS(text, "base = 1.000000e+04");
  EXPECT_CONTAINS(text, "moe.read @head"); // untied
  setKey(c, "head_dim", {});               // null is as good as absent
  EXPECT_EQ(importText(c), text);
}

TEST(Import, NewStyleRopeParameters) {
  Container c = sampleLlama();
  setReal(c, "rope_parameters.rope_theta", 5e5);
  setText(c, "rope_parameters.rope_type", "linear");
  setReal(c, "rope_parameters.factor", 2);
  std::string text = importText(c);
  EXPECT_CONTAINS(text, "base = 5.000000e+05");
  EXPECT_CONTAINS(text, "#moe.linear_scaling<2.000000e+00 : f64>");
}

TEST(Import, RopeScalingTypeDefaultIsNone) {
  Container c = sampleLlama();
  std::string text = importText(c);
  setText(c, "rope_scaling.rope_type", "default");
  EXPECT_EQ(importText(c), text);
}

TEST(Import, UnknownRopeScalingIsUnsupportedByName) {
  Container c = sampleLlama();
  setText(c, "rope_scaling.type", "yarn");
  ReadError error = importError(c);
  EXPECT_EQ(error.kind, ReadError::Kind::Unsupported);
  EXPECT_CONTAINS(error.message, "`rope_type` is \"yarn\"; the description knows \"none\", "
                                 "\"default\", \"linear\", \"llama3\"");
}

/// The sample with divisors of the frequencies, as llama.cpp's converter writes them: `numbers` are
/// the factor, the low and the high factor, and the context before scaling.
static Container dividedGguf(double base, std::array<double, 4> numbers, int64_t headDim = 16) {
  auto [factor, low, high, context] = numbers;
  std::vector<float> divisors;
  for (int64_t j = 0; j < headDim / 2; ++j) {
    double wave = 2 * M_PI * std::pow(base, 2.0 * j / headDim);
    double smooth = std::clamp((context / wave - low) / (high - low), 0.0, 1.0);
    divisors.push_back(static_cast<float>(1 / ((1 - smooth) / factor + smooth)));
  }
  std::string path = testing::TempDir() + "divisors";
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char *>(divisors.data()),
             static_cast<std::streamsize>(divisors.size() * sizeof(float)));
  Container c = sampleGguf();
  setReal(c, "llama.rope.freq_base", base);
  ReadError error;
  addTensor(c, "rope_freqs.weight", {headDim / 2}, StorageType::F32);
  TensorEntry &tensor = c.tensors["rope_freqs.weight"];
  tensor.file = MappedFile::open(path, error);
  tensor.bytes = divisors.size() * sizeof(float);
  return c;
}

TEST(Import, Llama3ScalingIsRecognisedInItsDivisors) {
  EXPECT_CONTAINS(
      importText(dividedGguf(5e5, {32, 1, 4, 8192})),
      "#moe.llama3_scaling<factor = 3.200000e+01 : f64, low_factor = 1.000000e+00 : f64, "
      "high_factor = 4.000000e+00 : f64, original_context = 8192>");
  EXPECT_CONTAINS(importText(dividedGguf(5e5, {8, 1, 4, 64})), "original_context = 64>");
}

TEST(Import, OtherDivisorsAreUnsupported) {
  for (std::array<double, 4> numbers :
       {std::array{8.0, 1.0, 2.0, 2000.0}, std::array{1.0, 1.0, 4.0, 2000.0}}) {
    ReadError error = importError(dividedGguf(1e4, numbers));
    EXPECT_EQ(error.kind, ReadError::Kind::Unsupported);
    EXPECT_CONTAINS(error.message, "\"rope_freqs.weight\" holds other divisors");
  }
  ReadError error = importError(dividedGguf(5e5, {8, 1, 4, 64}, /*headDim=*/20));
  EXPECT_EQ(error.kind, ReadError::Kind::Unsupported);
  EXPECT_CONTAINS(error.message, "not one divisor for two values of a head");
}

TEST(Import, AnotherActivationIsUnsupported) {
  Container c = sampleLlama();
  setText(c, "hidden_act", "gelu");
  ReadError error = importError(c);
  EXPECT_EQ(error.kind, ReadError::Kind::Unsupported);
  EXPECT_CONTAINS(error.message, "an activation other than silu");
}

TEST(Import, OnlyMistralReadsSlidingWindow) {
  Container c = sampleLlama();
  setNumber(c, "sliding_window", 16);
  EXPECT_LACKS(importText(c), "window");
  setText(c, "model_type", "mistral");
  EXPECT_CONTAINS(importText(c), "window = 16 : i64");
  setKey(c, "sliding_window", {});
  EXPECT_LACKS(importText(c), "window");
}

TEST(Import, ArchitecturesIsTheFallback) {
  Container c = sampleLlama();
  setText(c, "model_type", "something of my own");
  setKey(c, "architectures", {MetadataValue::List{{std::string("MistralForCausalLM")}}});
  setNumber(c, "sliding_window", 16);
  EXPECT_CONTAINS(importText(c), "window = 16 : i64");
  setText(c, "model_type", "qwen2"); // an exact match comes first
  EXPECT_CONTAINS(importError(c).message, "q_proj.bias");
}

TEST(Import, TiedModelsMayCarryTheHead) {
  Container c = sampleLlama();
  setKey(c, "tie_word_embeddings", {true});
  EXPECT_LACKS(importText(c), "@head");
}

TEST(Import, BiasesByPresence) {
  Container c = sampleLlama();
  for (int64_t i = 0; i < 4; ++i)
    addTensor(c, "model.layers." + std::to_string(i) + ".self_attn.q_proj.bias", {32});
  std::string text = importText(c);
  EXPECT_CONTAINS(text, "@layer_0.q_bias : tensor<4x32xf32>");
  EXPECT_LACKS(text, "k_bias");
}

TEST(Import, BuffersAreIgnored) {
  Container c = sampleLlama();
  addTensor(c, "model.layers.0.self_attn.rotary_emb.inv_freq", {8}, StorageType::F32);
  importText(c);
}

TEST(Import, GgufWithoutOutputIsTiedAndCountsItsTokensByTheEmbedding) {
  std::string text = importText(sampleGguf());
  EXPECT_EQ(countOf(text, "moe.read @embedding"), 2u);
  EXPECT_CONTAINS(text, "tensor<?x40xf32>");
}

TEST(Import, PartialRotaryInQwen2Only) {
  Container c = sampleGguf();
  setNumber(c, "llama.rope.dimension_count", 8); // its rows are permuted over the whole head
  EXPECT_EQ(importError(c).kind, ReadError::Kind::Unsupported);
}

//===- Storage types and classes ------------------------------------------------------------===//

TEST(Import, BlockFormatsAreEncodings) {
  EXPECT_CONTAINS(importText(sampleGguf(StorageType::Q4_1)),
                  "@layer_0.v : tensor<4x16x32xf32, #moe.block<q4_1>>");
  EXPECT_CONTAINS(importText(sampleGguf(StorageType::Q4_0)), "#moe.block<q4_0>");
  EXPECT_CONTAINS(importText(sampleGguf(StorageType::Q8_0)), "#moe.block<q8_0>");
  EXPECT_CONTAINS(importText(sampleGguf(StorageType::Q5_1)), "#moe.block<q5_1>");
  EXPECT_CONTAINS(importText(sampleGguf(StorageType::MXFP4)), "#moe.block<mxfp4>");
  EXPECT_CONTAINS(importText(sampleGguf(StorageType::F32)), "@layer_0.v : tensor<4x16x32xf32>");
}

TEST(Import, LayersWithOtherEncodingsAreAnotherClass) {
  Container c = sampleGguf(StorageType::Q4_0);
  c.tensors["blk.1.ffn_down.weight"].type = StorageType::Q8_0;
  std::string text = importText(c);
  EXPECT_EQ(countOf(text, "func.func private"), 2u);
  EXPECT_CONTAINS(text, "@layer_0.down : tensor<3x32x64xf32, #moe.block<q4_0>> = "
                        "#moe.source<\"blk.{i}.ffn_down.weight\", layers = [0, 2, 3]>");
  EXPECT_CONTAINS(text, "@layer_1.down : tensor<1x32x64xf32, #moe.block<q8_0>> = "
                        "#moe.source<\"blk.{i}.ffn_down.weight\", layers = [1]>");
  // Three runs: layer 0; layer 1 as slice 0 of its class; layers 2 and 3 as slices 1 and 2.
  EXPECT_EQ(countOf(text, "scf.for"), 3u);
  EXPECT_EQ(countOf(text, "arith.addi"), 2u);
}

TEST(Import, VectorsAreF32WhateverTheFileHolds) {
  Container c = sampleGguf();
  c.tensors["blk.1.attn_norm.weight"].type = StorageType::F16;
  std::string text = importText(c);
  EXPECT_EQ(countOf(text, "func.func private"), 1u);
  EXPECT_CONTAINS(text, "@layer_0.attention_norm : tensor<4x32xf32>");
}

TEST(Import, Qwen2WindowsBeginAtMaxWindowLayers) {
  Container c = sampleQwen2();
  setNumber(c, "sliding_window", 16);
  setNumber(c, "max_window_layers", 3);
  EXPECT_LACKS(importText(c), "window = ");
  setKey(c, "use_sliding_window", {true});
  std::string text = importText(c);
  EXPECT_EQ(countOf(text, "func.func private"), 2u);
  EXPECT_EQ(countOf(text, "window = 16 : i64"), 1u);
  EXPECT_CONTAINS(text, "@layer_0.q : tensor<3x32x32xbf16>");
  EXPECT_CONTAINS(text, "@layer_1.q : tensor<1x32x32xbf16>");
  EXPECT_CONTAINS(text, "layers = [3]>");
}

TEST(Import, ABareConfigHasTheShapesOfItsDescription) {
  Container c = sampleQwen2();
  c.tensors.clear();
  setText(c, "torch_dtype", "float16");
  ReadError error;
  std::unique_ptr<Description> description = findDescription(c, "", error);
  ASSERT_TRUE(description) << error.message;
  Model model;
  ASSERT_TRUE(applyDescription(*description, c, Weights::FromDescription, model, error))
      << error.message;
  ASSERT_EQ(model.classes.size(), 1u);
  const Body &body = model.classes[0].body;
  EXPECT_EQ(body.weights.size(), 12u); // nine, and the biases that every Qwen2 has
  EXPECT_EQ(body.weights[1].shape, (std::vector<int64_t>{32, 32}));
  EXPECT_EQ(body.weights[1].type, StorageType::F16);
  EXPECT_FALSE(applyDescription(*description, c, Weights::Needed, model, error));
}

TEST(Import, SourceTensorsAreFoundByRecipe) {
  Container c = sampleGguf();
  mlir::MLIRContext context;
  ReadError error;
  auto module = importModel(context, c, {}, error);
  ASSERT_TRUE(module);
  auto recipe = [&](const char *symbol) {
    auto weight = module->lookupSymbol<mlir::moe::WeightOp>(symbol);
    return llvm::cast<mlir::moe::SourceAttr>(weight.getRecipe());
  };
  ASSERT_TRUE(sourceTensor(c, recipe("layer_0.q"), 2));
  EXPECT_EQ(sourceTensor(c, recipe("layer_0.q"), 2)->name, "blk.2.attn_q.weight");
  EXPECT_EQ(sourceTensor(c, recipe("embedding"), 0)->name, "token_embd.weight");
  EXPECT_FALSE(sourceTensor(c, recipe("layer_0.q"), 4));
}
