// Small models made in memory. Their tensors have no bytes: an import looks at names, shapes and
// types only.

#ifndef MOIRE_TEST_FRONTENDS_NATIVE_SAMPLES_H
#define MOIRE_TEST_FRONTENDS_NATIVE_SAMPLES_H

#include "frontends/weights/Container.h"

namespace moire {

inline void setKey(Container &container, const std::string &key, MetadataValue value) {
  container.metadata[key] = std::move(value);
}
inline void setText(Container &container, const std::string &key, const char *text) {
  setKey(container, key, {std::string(text)});
}
inline void setNumber(Container &container, const std::string &key, int64_t number) {
  setKey(container, key, {number});
}
inline void setReal(Container &container, const std::string &key, double number) {
  setKey(container, key, {number});
}

inline void addTensor(Container &container, const std::string &name, std::vector<int64_t> shape,
                      StorageType type = StorageType::BF16) {
  container.tensors[name] = {name, type, std::move(shape), nullptr, 0, 0};
}

/// A Hugging Face folder of the Llama form: 4 layers, hidden size 32, 2 heads of 16, 1 key/value
/// head, FFN 48, 40 tokens.
inline Container sampleLlama() {
  Container c;
  c.kind = Container::Kind::HuggingFace;
  c.path = "sample";
  setText(c, "model_type", "llama");
  setNumber(c, "hidden_size", 32);
  setNumber(c, "intermediate_size", 48);
  setNumber(c, "max_position_embeddings", 128);
  setNumber(c, "num_attention_heads", 2);
  setNumber(c, "num_hidden_layers", 4);
  setNumber(c, "num_key_value_heads", 1);
  setNumber(c, "vocab_size", 40);
  setReal(c, "rms_norm_eps", 1e-5);
  addTensor(c, "model.embed_tokens.weight", {40, 32});
  addTensor(c, "model.norm.weight", {32});
  addTensor(c, "lm_head.weight", {40, 32});
  for (int64_t i = 0; i < 4; ++i) {
    std::string layer = "model.layers." + std::to_string(i) + ".";
    addTensor(c, layer + "input_layernorm.weight", {32});
    addTensor(c, layer + "self_attn.q_proj.weight", {32, 32});
    addTensor(c, layer + "self_attn.k_proj.weight", {16, 32});
    addTensor(c, layer + "self_attn.v_proj.weight", {16, 32});
    addTensor(c, layer + "self_attn.o_proj.weight", {32, 32});
    addTensor(c, layer + "post_attention_layernorm.weight", {32});
    addTensor(c, layer + "mlp.gate_proj.weight", {48, 32});
    addTensor(c, layer + "mlp.up_proj.weight", {48, 32});
    addTensor(c, layer + "mlp.down_proj.weight", {32, 48});
  }
  return c;
}

/// The same with Qwen2's biases.
inline Container sampleQwen2() {
  Container c = sampleLlama();
  setText(c, "model_type", "qwen2");
  for (int64_t i = 0; i < 4; ++i) {
    std::string layer = "model.layers." + std::to_string(i) + ".self_attn.";
    addTensor(c, layer + "q_proj.bias", {32});
    addTensor(c, layer + "k_proj.bias", {16});
    addTensor(c, layer + "v_proj.bias", {16});
  }
  return c;
}

/// The same as GGUF of the architecture `llama`; matrices are stored as `type`.
inline Container sampleGguf(StorageType type = StorageType::F16) {
  Container c;
  c.kind = Container::Kind::Gguf;
  c.path = "sample.gguf";
  setText(c, "general.architecture", "llama");
  setNumber(c, "llama.embedding_length", 32);
  setNumber(c, "llama.feed_forward_length", 64);
  setNumber(c, "llama.context_length", 128);
  setNumber(c, "llama.attention.head_count", 2);
  setNumber(c, "llama.attention.head_count_kv", 1);
  setNumber(c, "llama.block_count", 4);
  setReal(c, "llama.attention.layer_norm_rms_epsilon", 1e-5);
  addTensor(c, "token_embd.weight", {40, 32}, type);
  addTensor(c, "output_norm.weight", {32}, StorageType::F32);
  for (int64_t i = 0; i < 4; ++i) {
    std::string layer = "blk." + std::to_string(i) + ".";
    addTensor(c, layer + "attn_norm.weight", {32}, StorageType::F32);
    addTensor(c, layer + "attn_q.weight", {32, 32}, type);
    addTensor(c, layer + "attn_k.weight", {16, 32}, type);
    addTensor(c, layer + "attn_v.weight", {16, 32}, type);
    addTensor(c, layer + "attn_output.weight", {32, 32}, type);
    addTensor(c, layer + "ffn_norm.weight", {32}, StorageType::F32);
    addTensor(c, layer + "ffn_gate.weight", {64, 32}, type);
    addTensor(c, layer + "ffn_up.weight", {64, 32}, type);
    addTensor(c, layer + "ffn_down.weight", {32, 64}, type);
  }
  return c;
}

/// The Llama form with 6 experts of width 24 in place of the FFN, 2 of them a token: Mixtral.
inline Container sampleMixtral() {
  Container c = sampleLlama();
  setText(c, "model_type", "mixtral");
  setNumber(c, "intermediate_size", 24);
  setNumber(c, "num_local_experts", 6);
  setNumber(c, "num_experts_per_tok", 2);
  for (int64_t i = 0; i < 4; ++i) {
    std::string layer = "model.layers." + std::to_string(i) + ".";
    for (const char *name : {"gate_proj", "up_proj", "down_proj"})
      c.tensors.erase(layer + "mlp." + name + ".weight");
    addTensor(c, layer + "block_sparse_moe.gate.weight", {6, 32});
    for (int64_t e = 0; e < 6; ++e) {
      std::string expert = layer + "block_sparse_moe.experts." + std::to_string(e) + ".";
      addTensor(c, expert + "w1.weight", {24, 32});
      addTensor(c, expert + "w3.weight", {24, 32});
      addTensor(c, expert + "w2.weight", {32, 24});
    }
  }
  return c;
}

/// The same as GGUF, of the architecture `llama`. Experts of width 64 lie in one tensor a layer.
inline Container sampleMixtralGguf(StorageType type = StorageType::F16) {
  Container c = sampleGguf(type);
  setNumber(c, "llama.expert_count", 6);
  setNumber(c, "llama.expert_used_count", 2);
  for (int64_t i = 0; i < 4; ++i) {
    std::string layer = "blk." + std::to_string(i) + ".";
    for (const char *name : {"ffn_gate", "ffn_up", "ffn_down"})
      c.tensors.erase(layer + name + ".weight");
    addTensor(c, layer + "ffn_gate_inp.weight", {6, 32}, StorageType::F32);
    addTensor(c, layer + "ffn_gate_exps.weight", {6, 64, 32}, type);
    addTensor(c, layer + "ffn_up_exps.weight", {6, 64, 32}, type);
    addTensor(c, layer + "ffn_down_exps.weight", {6, 32, 64}, type);
  }
  return c;
}

} // namespace moire

#endif
