"""Shapes of models, and the tensors of a GGUF file of each: names, shapes, types and spreads."""

import dataclasses
import math


@dataclasses.dataclass(frozen=True)
class Shape:
    architecture: str  # GGUF's general.architecture
    layers: int
    hidden: int
    heads: int
    kv_heads: int
    ffn: int  # of layers without experts
    vocabulary: int
    theta: float = 10000.0
    eps: float = 1e-6
    experts: int = 0
    used: int = 0  # experts of a token
    shared: int = 0  # experts that all tokens have, stored as one FFN
    expert_ffn: int = 0
    dense_layers: int = 0  # the first layers, without experts

    def has_experts(self, layer):
        return self.experts > 0 and layer >= self.dense_layers


# What matrices can be asked to be, as llama.cpp's quantizer calls it.
TYPES = ("q4_0", "q8_0", "q4_k_m")

# Depths that are measured go beyond what some models were trained for; speed depends on neither.
CONTEXT = 32768

SHAPES = {
    "llama-2-7b": Shape("llama", layers=32, hidden=4096, heads=32, kv_heads=32, ffn=11008,
                        vocabulary=32000, eps=1e-5),
    "deepseek-moe-16b": Shape("deepseek", layers=28, hidden=2048, heads=16, kv_heads=16, ffn=10944,
                              vocabulary=102400, experts=64, used=6, shared=2, expert_ffn=1408,
                              dense_layers=1),
    "mixtral-8x7b": Shape("llama", layers=32, hidden=4096, heads=32, kv_heads=8, ffn=14336,
                          vocabulary=32000, theta=1e6, eps=1e-5, experts=8, used=2, expert_ffn=14336),
    # For tests.
    "tiny-llama": Shape("llama", layers=2, hidden=256, heads=4, kv_heads=2, ffn=512, vocabulary=512),
    "tiny-deepseek": Shape("deepseek", layers=3, hidden=256, heads=4, kv_heads=4, ffn=512,
                           vocabulary=512, experts=8, used=3, shared=2, expert_ffn=96, dense_layers=1),
    "tiny-mixtral": Shape("llama", layers=2, hidden=256, heads=4, kv_heads=2, ffn=512, vocabulary=512,
                          experts=8, used=2, expert_ffn=512),
}  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Tensor:
    name: str
    shape: tuple  # row-major, the last dimension is summed over
    type: str  # ggml's name
    deviation: float  # of its numbers; 0: all are 1


def has_more_bits(layer, layers):
    """Layers whose values and down projections Q4_K_M gives more bits (`use_more_bits`)."""
    return layer < layers // 8 or layer >= 7 * layers // 8 or (layer - layers // 8) % 3 == 2


# What the quantizer takes instead of a type with blocks of 256 where rows are no whole number of them.
IN_BLOCKS_OF_32 = {"Q4_K": "Q5_0", "Q5_K": "Q5_1", "Q6_K": "Q8_0"}


def type_of(shape, matrices, part, layer, columns):
    """The type that llama.cpp's quantizer (src/llama-quant.cpp, llama_tensor_get_type) chooses for a
    matrix when asked for `matrices`: of the rest, of the head, or of a part of a layer."""
    q4_k_m = matrices == "Q4_K_M"
    found = "Q4_K" if q4_k_m else matrices
    eight = shape.experts == 8  # attention is hardly any of the bytes
    if part == "head":
        found = "Q8_0" if matrices == "Q8_0" else "Q6_K"
    elif eight and part in ("attn_k", "attn_v"):
        found = "Q8_0"
    elif q4_k_m and eight and part == "attn_output":
        found = "Q5_K"
    elif q4_k_m and part in ("attn_v", "ffn_down") and has_more_bits(layer, shape.layers):
        found = "Q6_K"
    return IN_BLOCKS_OF_32.get(found, found) if columns % 256 else found


def tensors(shape, matrices="Q4_0"):
    """All tensors of the model, in the order of the file.

    Rows of all matrices have unit outputs for unit inputs, but those that are added to the residual
    stream are smaller, so that it stays the token's embedding for the most part, as in a trained
    model's routers: which experts a token has then depends on the token, and all are chosen."""
    head = shape.hidden // shape.heads

    def matrix(name, *dimensions, part="", layer=0, gain=1.0):
        kind = type_of(shape, matrices, part, layer, dimensions[-1])
        return Tensor(name + ".weight", dimensions, kind, gain / math.sqrt(dimensions[-1]))

    def ones(name):
        return Tensor(name + ".weight", (shape.hidden,), "F32", 0.0)

    added = 1 / math.sqrt(2 * shape.layers)
    rest = type_of(shape, matrices, "", 0, shape.hidden)
    out = [Tensor("token_embd.weight", (shape.vocabulary, shape.hidden), rest, 1.0)]
    for i in range(shape.layers):
        blk = f"blk.{i}."
        out += [
            ones(blk + "attn_norm"),
            matrix(blk + "attn_q", shape.heads * head, shape.hidden),
            matrix(blk + "attn_k", shape.kv_heads * head, shape.hidden, part="attn_k"),
            matrix(blk + "attn_v", shape.kv_heads * head, shape.hidden, part="attn_v", layer=i),
            matrix(blk + "attn_output", shape.hidden, shape.heads * head, part="attn_output", gain=added),
            ones(blk + "ffn_norm"),
        ]
        if shape.has_experts(i):
            e, f = shape.experts, shape.expert_ffn
            out.append(Tensor(blk + "ffn_gate_inp.weight", (e, shape.hidden), "F32",
                              2 / math.sqrt(shape.hidden)))  # fmt: skip
            out += [
                matrix(blk + "ffn_gate_exps", e, f, shape.hidden),
                matrix(blk + "ffn_up_exps", e, f, shape.hidden),
                matrix(blk + "ffn_down_exps", e, shape.hidden, f, part="ffn_down", layer=i, gain=added),
            ]
        # A dense layer's FFN, or the one of the shared experts.
        ffn, suffix = (shape.shared * shape.expert_ffn, "_shexp") if shape.has_experts(i) else (shape.ffn, "")
        if ffn:
            out += [
                matrix(blk + "ffn_gate" + suffix, ffn, shape.hidden),
                matrix(blk + "ffn_up" + suffix, ffn, shape.hidden),
                matrix(blk + "ffn_down" + suffix, shape.hidden, ffn, part="ffn_down", layer=i, gain=added),
            ]
    out.append(ones("output_norm"))
    out.append(matrix("output", shape.vocabulary, shape.hidden, part="head"))
    return out
