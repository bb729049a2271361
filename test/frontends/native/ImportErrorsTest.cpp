// Models that cannot be imported, and what is said of them.

#include "ImportHelper.h"
#include "Samples.h"

using namespace moire;

TEST(ImportErrors, AKeyWithoutDefault) {
  Container c = sampleLlama();
  c.metadata.erase("rms_norm_eps");
  c.metadata.erase("hidden_size");
  setNumber(c, "hiden_size", 32);
  ReadError error = importError(c);
  EXPECT_EQ(error.kind, ReadError::Kind::BadInput);
  EXPECT_CONTAINS(error.message,
                  "frontends/models/llama.moire:10:16: error: `d` needs the key "
                  "\"hidden_size\" or \"llama.embedding_length\", and \"sample\" has "
                  "none of them (did you mean \"hiden_size\"?)\n"
                  "    d       from hidden_size or llama.embedding_length\n"
                  "                 ^~~~~~~~~~~\n");
  EXPECT_CONTAINS(error.message, "`eps` needs the key \"rms_norm_eps\"");
}

TEST(ImportErrors, MissingTensorsAllAtOnceWithTheNearestName) {
  Container c = sampleLlama();
  c.tensors.erase("lm_head.weight");
  for (int64_t i : {1, 2, 3}) {
    std::string layer = "model.layers." + std::to_string(i);
    addTensor(c, layer + ".self_attn.q_prj.weight", {32, 32});
    c.tensors.erase(layer + ".self_attn.q_proj.weight");
  }
  ReadError error = importError(c);
  EXPECT_EQ(error.kind, ReadError::Kind::BadInput);
  EXPECT_CONTAINS(
      error.message,
      "the tensor \"model.layers.1.self_attn.q_proj.weight\" is missing in \"sample\", and "
      "so are those of layers 2-3; the nearest that nothing reads is "
      "\"model.layers.1.self_attn.q_prj.weight\"");
  EXPECT_CONTAINS(error.message, "the tensor \"lm_head.weight\" is missing");
  EXPECT_CONTAINS(error.message,
                  "\"sample\" has tensors that nothing in the description reads:\n"
                  "    \"model.layers.1.self_attn.q_prj.weight\" and 2 more of its kind (nearest: "
                  "\"model.layers.1.self_attn.q_proj.weight\")");
}

TEST(ImportErrors, UnexpectedTensors) {
  Container c = sampleLlama();
  addTensor(c, "model.layers.0.self_attn.q_norm.weight", {16});
  addTensor(c, "model.vision.weight", {3, 3});
  ReadError error = importError(c);
  EXPECT_EQ(error.kind, ReadError::Kind::BadInput);
  EXPECT_CONTAINS(error.message,
                  "\"model.layers.0.self_attn.q_norm.weight\" (nearest: \"model.layers."
                  "0.self_attn.q_proj.weight\")");
  EXPECT_CONTAINS(error.message, "\"model.vision.weight\"");
}

TEST(ImportErrors, WrongShapes) {
  Container c = sampleLlama();
  for (int64_t i = 0; i < 4; ++i)
    addTensor(c, "model.layers." + std::to_string(i) + ".mlp.up_proj.weight", {32, 48});
  ReadError error = importError(c);
  EXPECT_EQ(error.kind, ReadError::Kind::BadInput);
  EXPECT_CONTAINS(error.message, "the description expects [48, 32]; found: [32, 48] in the tensor "
                                 "\"model.layers.0.mlp.up_proj.weight\" (the same in layers 1-3)");
}

TEST(ImportErrors, TypesThatNoWeightHas) {
  Container c = sampleLlama();
  c.tensors["lm_head.weight"].type = StorageType::I8;
  ReadError error = importError(c);
  EXPECT_EQ(error.kind, ReadError::Kind::Unsupported);
  EXPECT_CONTAINS(error.message, "\"lm_head.weight\" is stored as i8");
}

TEST(ImportErrors, HeadsThatDoNotDivideTheHiddenSize) {
  Container c = sampleLlama();
  setNumber(c, "num_attention_heads", 3);
  EXPECT_CONTAINS(importError(c).message, "32 / 3 is not whole");
}

TEST(ImportErrors, DimensionsThatAreNone) {
  Container c = sampleLlama();
  setText(c, "intermediate_size", "big");
  EXPECT_CONTAINS(importError(c).message,
                  "a dimension is a whole number from 1 to 2^30; found: \"big\"");
  setNumber(c, "intermediate_size", -4);
  EXPECT_CONTAINS(importError(c).message, "found: -4");
  c = sampleLlama();
  setNumber(c, "num_hidden_layers", 1 << 20);
  EXPECT_CONTAINS(importError(c).message, "1048576 layers; at most 4096 are taken");
}

TEST(ImportErrors, NoWeights) {
  Container c = sampleLlama();
  c.tensors.clear();
  EXPECT_CONTAINS(importError(c).message, "\"sample\" holds no weights");
}

TEST(ImportErrors, NoDescription) {
  Container c = sampleLlama();
  setText(c, "model_type", "bert");
  ReadError error = importError(c);
  EXPECT_EQ(error.kind, ReadError::Kind::Unsupported);
  EXPECT_CONTAINS(error.message, "no description matches \"sample\" (model_type = \"bert\")");
}
