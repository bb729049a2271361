#!/usr/bin/env python3
"""The trained mixture of experts as a GGUF file with weights in Q8_0, as llama.cpp's converter names
and orders them.

    scribe_gguf.py FOLDER OUT.gguf
"""

import array
import json
import pathlib
import struct
import sys

from gguf import F32, Q8_0, write_gguf

BLOCK = 32


def read_bf16(path):
    """name -> (shape, array of float32)"""
    raw = path.read_bytes()
    header_bytes = struct.unpack("<Q", raw[:8])[0]
    for name, entry in json.loads(raw[8:8 + header_bytes]).items():
        if name == "__metadata__":
            continue
        begin, end = entry["data_offsets"]
        halves = raw[8 + header_bytes + begin:8 + header_bytes + end]
        widened = bytearray(2 * len(halves))
        widened[2::4], widened[3::4] = halves[0::2], halves[1::2]
        values = array.array("f")
        values.frombytes(bytes(widened))
        yield name, entry["shape"], values


def quantized(values):
    """Q8_0: a block's largest magnitude becomes 127."""
    stored = bytearray()
    for first in range(0, len(values), BLOCK):
        block = values[first:first + BLOCK]
        scale = max(max(block), -min(block)) / 127
        inverse = 1 / scale if scale else 0
        stored += struct.pack("<e32b", scale, *[round(x * inverse) for x in block])
    return bytes(stored)


def interleaved(values, rows, columns, heads):
    """Rows of each head in the order of interleaved RoPE."""
    size = rows // heads
    order = [head * size + s * size // 2 + i
             for head in range(heads) for i in range(size // 2) for s in range(2)]
    reordered = array.array("f")
    for row in order:
        reordered.extend(values[row * columns:(row + 1) * columns])
    return reordered


def main():
    folder, out = pathlib.Path(sys.argv[1]), sys.argv[2]
    config = json.loads((folder / "config.json").read_text())
    heads = config["num_attention_heads"]
    names = {
        "model.embed_tokens": "token_embd", "model.norm": "output_norm", "lm_head": "output",
        "input_layernorm": "attn_norm", "post_attention_layernorm": "ffn_norm",
        "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v",
        "self_attn.o_proj": "attn_output", "mlp.gate": "ffn_gate_inp",
        "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down",
        "mlp.shared_experts.gate_proj": "ffn_gate_shexp",
        "mlp.shared_experts.up_proj": "ffn_up_shexp",
        "mlp.shared_experts.down_proj": "ffn_down_shexp",
    }  # yapf: disable
    tensors, experts = [], {}
    for name, shape, values in read_bf16(folder / "model.safetensors"):
        stem, prefix = name.removesuffix(".weight"), ""
        if stem.startswith("model.layers."):
            layer, stem = stem.removeprefix("model.layers.").split(".", 1)
            prefix = f"blk.{layer}."
        if stem.startswith("mlp.experts."):
            number, kind = stem.removeprefix("mlp.experts.").split(".")
            stacked = f"{prefix}ffn_{kind.removesuffix('_proj')}_exps.weight"
            experts.setdefault(stacked, {})[int(number)] = (shape, values)
            continue
        if stem in ("self_attn.q_proj", "self_attn.k_proj"):
            values = interleaved(values, *shape, heads)
        kept = len(shape) == 1 or stem == "mlp.gate"
        tensors.append((prefix + names[stem] + ".weight", shape, F32 if kept else Q8_0,
                        values.tobytes() if kept else quantized(values)))
    for name, of in experts.items():
        tensors.append((name, [len(of)] + of[0][0], Q8_0,
                        b"".join(quantized(of[e][1]) for e in range(len(of)))))

    tokenizer = json.loads((folder / "tokenizer.json").read_text())
    vocabulary = tokenizer["model"]["vocab"]
    special = {token["content"]: token["id"] for token in tokenizer["added_tokens"]}
    spellings = {number: token for token, number in {**vocabulary, **special}.items()}
    merges = [m if isinstance(m, str) else " ".join(m) for m in tokenizer["model"]["merges"]]
    write_gguf(out, {
        "general.architecture": "deepseek",
        "deepseek.block_count": config["num_hidden_layers"],
        "deepseek.context_length": config["max_position_embeddings"],
        "deepseek.embedding_length": config["hidden_size"],
        "deepseek.feed_forward_length": config["intermediate_size"],
        "deepseek.attention.head_count": heads,
        "deepseek.attention.head_count_kv": config["num_key_value_heads"],
        "deepseek.attention.layer_norm_rms_epsilon": config["rms_norm_eps"],
        "deepseek.rope.dimension_count": config["hidden_size"] // heads,
        "deepseek.rope.freq_base": float(config["rope_theta"]),
        "deepseek.expert_count": config["n_routed_experts"],
        "deepseek.expert_used_count": config["num_experts_per_tok"],
        "deepseek.expert_shared_count": config["n_shared_experts"],
        "deepseek.expert_feed_forward_length": config["moe_intermediate_size"],
        "deepseek.expert_weights_scale": 1.0,
        "deepseek.leading_dense_block_count": config["first_k_dense_replace"],
        "deepseek.vocab_size": config["vocab_size"],
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.pre": "gpt-2",
        "tokenizer.ggml.tokens": [spellings[number] for number in range(len(spellings))],
        "tokenizer.ggml.token_type": [3 if spellings[number] in special else 1
                                      for number in range(len(spellings))],
        "tokenizer.ggml.merges": merges,
        "tokenizer.ggml.bos_token_id": config["bos_token_id"],
        "tokenizer.ggml.eos_token_id": config["eos_token_id"],
        "tokenizer.ggml.add_bos_token": True,
    }, tensors)


main()
