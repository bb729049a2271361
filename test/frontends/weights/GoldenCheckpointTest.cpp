// The same checkpoint from its folder and from the GGUF file that llama.cpp's converter wrote.

#include "frontends/weights/Dequantize.h"
#include "test/frontends/weights/Matchers.h"
#include <cmath>

using namespace moire;

static Container openGolden(const std::string &name) {
  Container container;
  ReadError error;
  EXPECT_TRUE(openContainer(std::string(MOIRE_GOLDEN_DIR) + "/tiny/" + name, container, error))
      << error.message;
  return container;
}

/// What the converter calls the tensor `name` of a checkpoint of the Llama family.
static std::string ggufName(const std::string &name) {
  if (name == "model.embed_tokens.weight")
    return "token_embd.weight";
  if (name == "model.norm.weight")
    return "output_norm.weight";
  if (name == "lm_head.weight")
    return "output.weight";
  static const std::pair<const char *, const char *> parts[] = {
      {"self_attn.q_proj", "attn_q"},
      {"self_attn.k_proj", "attn_k"},
      {"self_attn.v_proj", "attn_v"},
      {"self_attn.o_proj", "attn_output"},
      {"mlp.gate_proj", "ffn_gate"},
      {"mlp.up_proj", "ffn_up"},
      {"mlp.down_proj", "ffn_down"},
      {"input_layernorm", "attn_norm"},
      {"post_attention_layernorm", "ffn_norm"},
  };
  const std::string prefix = "model.layers.";
  const size_t layerEnd = name.find('.', prefix.size());
  const size_t partEnd = name.rfind('.');
  if (layerEnd >= partEnd || partEnd == std::string::npos)
    return {};
  const std::string part = name.substr(layerEnd + 1, partEnd - layerEnd - 1);
  for (const auto &[theirs, gguf] : parts)
    if (part == theirs)
      return "blk." + name.substr(prefix.size(), layerEnd - prefix.size()) + "." + gguf +
             name.substr(partEnd);
  return {};
}

/// The row of the folder's tensor that lies at `row` in the GGUF file, where the converter turned
/// each head's rows [2, headRows / 2] into [headRows / 2, 2].
static int64_t unpermuted(int64_t row, int64_t headRows) {
  const int64_t inHead = row % headRows;
  return row - inHead + inHead % 2 * (headRows / 2) + inHead / 2;
}

/// Compares all tensors. `permutedHeads` gives the heads of a tensor whose rows the converter
/// permuted, 0 for the others.
template <typename PermutedHeads>
static void compareContainers(const std::string &name, PermutedHeads permutedHeads) {
  Container folder = openGolden(name);
  Container gguf = openGolden(name + "/model-f16.gguf");
  ASSERT_EQ(folder.tensors.size(), gguf.tensors.size());
  for (const auto &[tensorName, expected] : folder.tensors) {
    SCOPED_TRACE(tensorName);
    auto found = gguf.tensors.find(ggufName(tensorName));
    ASSERT_NE(found, gguf.tensors.end());
    ASSERT_EQ(found->second.shape, expected.shape);
    const int64_t rows = rowCount(expected);
    const int64_t columns = rowElements(expected);
    const int64_t heads = permutedHeads(tensorName);
    std::vector<float> want(columns), got(columns);
    for (int64_t row = 0; row < rows; ++row) {
      dequantizeRows(found->second, row, 1, got);
      dequantizeRows(expected, heads ? unpermuted(row, rows / heads) : row, 1, want);
      for (int64_t i = 0; i < columns; ++i)
        // bf16 numbers fit into f16 but for the smallest, whose steps are 2^-24.
        ASSERT_LE(std::fabs(got[i] - want[i]), 0x1p-25f) << "row " << row << " column " << i;
    }
  }
}

TEST(GoldenCheckpoint, LlamaIsTheSameInBothContainers) {
  compareContainers("llama-gqa", [](const std::string &name) {
    return name.find("q_proj") != name.npos ? 6 : name.find("k_proj") != name.npos ? 2 : 0;
  });
}

// Biases are stored as f32 and must be equal; Qwen2's rows are not permuted.
TEST(GoldenCheckpoint, Qwen2IsTheSameInBothContainers) {
  compareContainers("qwen2", [](const std::string &) { return 0; });
}

TEST(GoldenCheckpoint, MetadataAgrees) {
  Container folder = openGolden("llama-gqa");
  Container gguf = openGolden("llama-gqa/model-f16.gguf");
  EXPECT_EQ(metadataAt<std::string>(folder.metadata, "model_type"), "llama");
  EXPECT_EQ(metadataAt<std::string>(gguf.metadata, "general.architecture"), "llama");
  EXPECT_EQ(metadataAt<int64_t>(folder.metadata, "hidden_size"),
            metadataAt<int64_t>(gguf.metadata, "llama.embedding_length"));
  EXPECT_EQ(metadataAt<int64_t>(folder.metadata, "num_key_value_heads"),
            metadataAt<int64_t>(gguf.metadata, "llama.attention.head_count_kv"));
  metadataAt<std::monostate>(folder.metadata, "rope_scaling");
}
