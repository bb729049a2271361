// The IR that mixtures of experts become.

#include "ImportHelper.h"
#include "Samples.h"

using namespace moire;

//===- Golden checkpoints ------------------------------------------------------------===//

TEST(ImportExperts, Mixtral) {
  std::string text = importText(openModel(goldenPath("mixtral")));
  for (const char *part : {
           "moe.architecture = \"mixtral\", moe.context = 32768 : i64",
           "moe.weight @layer_0.router : tensor<3x8x64xbf16>",
           "moe.weight @layer_0.gate : tensor<3x8x28x64xbf16> = "
           "#moe.source<\"model.layers.{i}.block_sparse_moe.experts.{e}.w1.weight\", "
           "layers = [0, 1, 2], experts = 8>",
           "@layer_0.up : tensor<3x8x28x64xbf16> = "
           "#moe.source<\"model.layers.{i}.block_sparse_moe.experts.{e}.w3.weight\"",
           "@layer_0.down : tensor<3x8x64x28xbf16> = "
           "#moe.source<\"model.layers.{i}.block_sparse_moe.experts.{e}.w2.weight\"",
           "moe.route softmax",
           "{normalize = 0.000000e+00 : f64} : tensor<?x8xf32> -> tensor<?x2xi32>, tensor<?x2xf32>",
           "moe.experts silu",
           "moe.read @layer_0.gate[%arg1] : tensor<8x28x64xbf16>",
           "base = 1.000000e+06",
       })
    EXPECT_CONTAINS(text, part);
  EXPECT_LACKS(text, "window");
  EXPECT_LACKS(text, "moe.gate ");
}

TEST(ImportExperts, GgufOfMixtralIsCalledLlama) {
  std::string text = importText(openModel(goldenPath("mixtral/model-f16.gguf")));
  for (const char *part : {
           "moe.architecture = \"mixtral\"",
           "@layer_0.gate : tensor<3x8x28x64xf16> = "
           "#moe.source<\"blk.{i}.ffn_gate_exps.weight\", layers = [0, 1, 2], experts = 8>",
           "\"blk.{i}.attn_q.weight\", layers = [0, 1, 2], interleaved_heads = 4>",
           "moe.weight @layer_0.router : tensor<3x8x64xf32>",
           "{normalize = 0.000000e+00 : f64}",
           "base = 1.000000e+06",
       })
    EXPECT_CONTAINS(text, part);
}

TEST(ImportExperts, DeepSeek) {
  for (const char *name : {"deepseek-moe", "deepseek-moe/model-bf16.gguf"}) {
    std::string text = importText(openModel(goldenPath(name)));
    for (const char *part : {
             "moe.architecture = \"deepseek\"",
             "@layer_0.gate : tensor<1x88x60xbf16>", // one layer with an FFN, then three with
                                                     // experts
             "@layer_1.expert_gate : tensor<3x16x12x60xbf16>",
             "layers = [1, 2, 3], experts = 16>",
             "@layer_1.shared_gate : tensor<3x24x60xbf16>", // two experts of width 12 in one
             ": tensor<?x16xf32> -> tensor<?x6xi32>, tensor<?x6xf32>",
         })
      EXPECT_CONTAINS(text, part);
    EXPECT_LACKS(text, "normalize");
    EXPECT_EQ(countOf(text, "func.func private"), 2u) << name;
    EXPECT_EQ(countOf(text, "moe.experts silu"), 1u) << name;
    EXPECT_EQ(countOf(text, "moe.gate silu"), 2u) << name;
    EXPECT_EQ(countOf(text, "interleaved_heads = 3>"), name[12] ? 4u : 0u) << name;
  }
}

TEST(ImportExperts, DeepSeekWithExpertsInEveryOtherLayer) {
  std::string text = importText(openModel(goldenPath("deepseek-moe-freq2")));
  EXPECT_CONTAINS(text, "@layer_0.gate : tensor<4x76x60xbf16> = "
                        "#moe.source<\"model.layers.{i}.mlp.gate_proj.weight\", "
                        "layers = [0, 1, 3, 5]>");
  EXPECT_CONTAINS(text, "layers = [2, 4], experts = 16>");
}

TEST(ImportExperts, Qwen3NormsQueriesAndKeysHeadByHead) {
  std::string text = importText(openModel(goldenPath("qwen3-moe")));
  for (const char *part : {
           "moe.architecture = \"qwen3_moe\"",
           "eps 9.9999999999999995E-7 : tensor<?x120xf32>, tensor<20xf32> -> tensor<?x120xf32>",
           "@layer_0.k_norm : tensor<3x20xf32>",
           "{normalize = 0.000000e+00 : f64} : tensor<?x10xf32> -> tensor<?x3xi32>",
           "@layer_0.expert_down : tensor<3x10x64x16xbf16>",
       })
    EXPECT_CONTAINS(text, part);
}

TEST(ImportExperts, Qwen2HasASharedExpertBehindASigmoid) {
  std::string text = importText(openModel(goldenPath("qwen2-moe")));
  for (const char *part : {
           "moe.architecture = \"qwen2_moe\"",
           "@layer_0.shared_router : tensor<3x1x64xbf16>",
           "moe.gate sigmoid",
           ": tensor<?x1xf32>, tensor<?x64xf32>",
           "@layer_0.shared_up : tensor<3x52x64xbf16>",
           "@layer_0.q_bias : tensor<3x64xf32>",
       })
    EXPECT_CONTAINS(text, part);
  EXPECT_LACKS(text, "normalize");
}

TEST(ImportExperts, OlmoeNormsAllHeadsTogether) {
  std::string text = importText(openModel(goldenPath("olmoe")));
  EXPECT_CONTAINS(text, "moe.architecture = \"olmoe\"");
  EXPECT_CONTAINS(text, "@layer_0.q_norm : tensor<3x64xf32>");
  EXPECT_CONTAINS(text, ": tensor<?x14xf32> -> tensor<?x6xi32>, tensor<?x6xf32>");
  EXPECT_EQ(countOf(text, "moe.rms_norm"), 5u); // four in the layer, one at the end
}

TEST(ImportExperts, GraniteScalesAndPacksGateAndUp) {
  std::string text = importText(openModel(goldenPath("granite-moe")));
  for (const char *part : {
           "moe.architecture = \"granite_moe\"",
           "moe.scale %1 by 3.000000e+00 : tensor<?x64xf32>", // embeddings
           "{scale = 2.000000e-01 : f64}",                    // attention
           "by 0.66666666666666663 : tensor<?x291xf32>",      // logits, divided by 1.5
           "moe.route softmax_chosen",
           "@layer_0.gate : tensor<3x8x20x64xbf16> = "
           "#moe.source<\"model.layers.{i}.block_sparse_moe.input_linear.weight\", "
           "layers = [0, 1, 2], experts = 8>",
           "@layer_0.up : tensor<3x8x20x64xbf16> = "
           "#moe.source<\"model.layers.{i}.block_sparse_moe.input_linear.weight\", "
           "layers = [0, 1, 2], experts = 8, first_row = 20>",
       })
    EXPECT_CONTAINS(text, part);
  EXPECT_EQ(countOf(text, "by 6.000000e-01 : tensor<?x64xf32>"),
            2u); // what is added, twice a layer
}

//===- Files and configs ------------------------------------------------------------===//

TEST(ImportExperts, OldGgufHasATensorForEachExpert) {
  Container c = sampleMixtralGguf();
  for (int64_t i = 0; i < 4; ++i) {
    std::string layer = "blk." + std::to_string(i) + ".ffn_";
    for (const char *name : {"gate", "up", "down"}) {
      std::vector<int64_t> shape = c.tensors[layer + name + "_exps.weight"].shape;
      c.tensors.erase(layer + name + "_exps.weight");
      for (int64_t e = 0; e < 6; ++e)
        addTensor(c, layer + name + "." + std::to_string(e) + ".weight", {shape[1], shape[2]},
                  StorageType::F16);
    }
  }
  EXPECT_CONTAINS(importText(c), "@layer_0.up : tensor<4x6x64x32xf16> = "
                                 "#moe.source<\"blk.{i}.ffn_up.{e}.weight\", "
                                 "layers = [0, 1, 2, 3], experts = 6>");
}

TEST(ImportExperts, SourceTensorsAreFoundByRecipe) {
  Container c = sampleMixtral();
  mlir::MLIRContext context;
  ReadError error;
  auto module = importModel(context, c, {}, error);
  ASSERT_TRUE(module);
  auto weight = module->lookupSymbol<mlir::moe::WeightOp>("layer_0.down");
  auto source = llvm::cast<mlir::moe::SourceAttr>(weight.getRecipe());
  ASSERT_TRUE(sourceTensor(c, source, 2, 5));
  EXPECT_EQ(sourceTensor(c, source, 2, 5)->name,
            "model.layers.2.block_sparse_moe.experts.5.w2.weight");
  EXPECT_FALSE(sourceTensor(c, source, 2, 6));
}

TEST(ImportExperts, AGgufWithoutExpertsIsLlama) {
  Container c = sampleGguf();
  setNumber(c, "llama.expert_count", 0);
  EXPECT_CONTAINS(importText(c), "moe.architecture = \"llama\"");
}

TEST(ImportExperts, LayersOfOtherTypesAreAnotherClass) {
  Container c = sampleMixtralGguf(StorageType::Q4_0);
  c.tensors["blk.2.ffn_down_exps.weight"].type = StorageType::Q8_0;
  std::string text = importText(c);
  EXPECT_EQ(countOf(text, "func.func private"), 2u);
  EXPECT_CONTAINS(text, "@layer_1.down : tensor<1x6x32x64xf32, #moe.block<q8_0>>");
}

TEST(ImportExperts, QwenLayersMayBeDense) {
  Container c = openModel(goldenPath("qwen3-moe"));
  setKey(c, "mlp_only_layers", {MetadataValue::List{{int64_t(1)}}});
  for (auto it = c.tensors.begin(); it != c.tensors.end();)
    it = it->first.starts_with("model.layers.1.mlp.") ? c.tensors.erase(it) : std::next(it);
  addTensor(c, "model.layers.1.mlp.gate_proj.weight", {132, 64});
  addTensor(c, "model.layers.1.mlp.up_proj.weight", {132, 64});
  addTensor(c, "model.layers.1.mlp.down_proj.weight", {64, 132});
  std::string text = importText(c);
  EXPECT_CONTAINS(text, "layers = [0, 2], experts = 10>");
  EXPECT_CONTAINS(text, "@layer_1.gate : tensor<1x132x64xbf16>");
}

TEST(ImportExperts, NormalizationOfDeepSeekIsAKey) {
  Container c = openModel(goldenPath("deepseek-moe"));
  setKey(c, "norm_topk_prob", {true});
  EXPECT_CONTAINS(importText(c), "{normalize = 9.9999999999999995E-21 : f64}");
  setText(c, "scoring_func", "sigmoid");
  EXPECT_CONTAINS(importText(c), "moe.route sigmoid");
}

TEST(ImportExperts, ADroppedDimensionOfOneIsNoOtherShape) {
  Container c = openModel(goldenPath("qwen2-moe"));
  for (const char *layer : {"0", "1", "2"}) // as llama.cpp's converter writes it
    c.tensors["model.layers." + std::string(layer) + ".mlp.shared_expert_gate.weight"].shape = {64};
  EXPECT_CONTAINS(importText(c), "@layer_0.shared_router : tensor<3x1x64xbf16>");
}

//===- What cannot be imported ------------------------------------------------------------===//

TEST(ImportExpertsErrors, MissingExpertsAreCounted) {
  Container c = sampleMixtral();
  for (const char *layer : {"1", "3"})
    for (const char *expert : {"2", "5"})
      c.tensors.erase("model.layers." + std::string(layer) + ".block_sparse_moe.experts." + expert +
                      ".w3.weight");
  addTensor(c, "model.layers.1.block_sparse_moe.experts.2.w4.weight", {24, 32});
  ReadError error = importError(c);
  EXPECT_EQ(error.kind, ReadError::Kind::BadInput);
  EXPECT_CONTAINS(
      error.message,
      "the tensor \"model.layers.1.block_sparse_moe.experts.2.w3.weight\" is missing "
      "in \"sample\", and so are 3 more of its kind in layers 1 and 3; the nearest that "
      "nothing reads is \"model.layers.1.block_sparse_moe.experts.2.w4.weight\"");
}

TEST(ImportExpertsErrors, MoreExpertsThanTheFileHas) {
  Container c = sampleMixtral();
  setNumber(c, "num_local_experts", 1 << 30);
  ReadError error = importError(c);
  EXPECT_EQ(error.kind, ReadError::Kind::BadInput);
  EXPECT_CONTAINS(error.message, "experts.6.w1.weight\" is missing");
  EXPECT_CONTAINS(error.message, "and so are 4294967289 more of its kind in layers 0-3");
  setNumber(c, "num_local_experts", 5);
  EXPECT_CONTAINS(importError(c).message, "\"model.layers.0.block_sparse_moe.experts.5.w1.weight\" "
                                          "and 11 more of its kind (nearest: ");
}

TEST(ImportExpertsErrors, ExpertsOfALayerHaveOneType) {
  Container c = sampleMixtral();
  c.tensors["model.layers.2.block_sparse_moe.experts.4.w1.weight"].type = StorageType::F16;
  ReadError error = importError(c);
  EXPECT_EQ(error.kind, ReadError::Kind::Unsupported);
  EXPECT_CONTAINS(error.message,
                  "the experts of a layer are stored in one type; found: bf16 in the tensor "
                  "\"model.layers.2.block_sparse_moe.experts.0.w1.weight\", f16 in "
                  "\"model.layers.2.block_sparse_moe.experts.4.w1.weight\"");
}

TEST(ImportExpertsErrors, ShapesOfExperts) {
  Container c = sampleMixtral();
  for (const char *layer : {"0", "1"})
    c.tensors["model.layers." + std::string(layer) + ".block_sparse_moe.experts.3.w2.weight"]
        .shape = {24, 32};
  EXPECT_CONTAINS(importError(c).message,
                  "the description expects [32, 24]; found: [24, 32] in the tensor "
                  "\"model.layers.0.block_sparse_moe.experts.3.w2.weight\" (the same in layer 1)");
  c = sampleMixtralGguf();
  c.tensors["blk.0.ffn_up_exps.weight"].shape = {6, 32, 64};
  EXPECT_CONTAINS(importError(c).message,
                  "the description expects [6, 64, 32]; found: [6, 32, 64] in the tensor");
}

TEST(ImportExpertsErrors, MoreExpertsATokenThanThereAre) {
  Container c = sampleMixtral();
  setNumber(c, "num_experts_per_tok", 7);
  EXPECT_CONTAINS(importError(c).message,
                  "`top` of `route` is at most the number of experts, 6; found: 7");
}

TEST(ImportExpertsErrors, WhatNoArchitectureDescribes) {
  Container c = openModel(goldenPath("olmoe"));
  setReal(c, "clip_qkv", 8);
  EXPECT_CONTAINS(importError(c).message, "queries, keys and values that are clipped");
  c = openModel(goldenPath("deepseek-moe"));
  for (const char *scores : {"relu", "softmax_chosen"}) { // the second is a word of ours
    setText(c, "scoring_func", scores);
    ReadError error = importError(c);
    EXPECT_EQ(error.kind, ReadError::Kind::Unsupported);
    EXPECT_CONTAINS(error.message, "; the description knows \"softmax\", \"sigmoid\"");
  }
  const std::pair<const char *, int64_t> others[] = {{"routed_scaling_factor", 16},
                                                     {"n_group", 8},
                                                     {"moe_layer_freq", 0},
                                                     {"n_shared_experts", -1}};
  for (auto [key, value] : others) {
    c = openModel(goldenPath("deepseek-moe"));
    setNumber(c, key, value);
    ReadError error = importError(c);
    EXPECT_EQ(error.kind, ReadError::Kind::Unsupported) << key;
    EXPECT_CONTAINS(error.message, std::string(key) + ": ");
  }
  c = openModel(goldenPath("deepseek-moe"));
  setText(c, "topk_method", "group_limited_greedy");
  EXPECT_CONTAINS(importError(c).message, "topk_method: ");
  setText(c, "topk_method", "greedy");
  setNumber(c, "n_group", 1);
  setReal(c, "routed_scaling_factor", 1);
  importText(c);
  for (const char *model : {"qwen2-moe", "qwen3-moe"}) {
    c = openModel(goldenPath(model));
    setNumber(c, "decoder_sparse_step", 0);
    EXPECT_CONTAINS(importError(c).message, "decoder_sparse_step: ");
  }
}
