#!/usr/bin/env python3
"""Writes a tiny Llama-form model with random weights as GGUF.

    block_model.py TYPE OUT.gguf [--exact EXACT.gguf] [--experts N]

The matrices are stored in ggml's blocks (mixed, k_mixed: another type for each of a layer's tensors,
and other types in each layer). EXACT.gguf holds the float32 numbers that the blocks stand for. The
vocabulary is no multiple of 16 rows, nor the FFN where blocks have 32 elements; every width is a
whole number of blocks. With experts it is of Mixtral's form, two of N for a token.
"""

import argparse
import array
import math
import random
import struct

from gguf import write_gguf

LAYERS, D, HEADS, KV, HEAD, FFN, VOCABULARY, CONTEXT = 4, 96, 6, 2, 16, 160, 300, 65536
EXPERTS = 0
# ggml's numbers
F32, Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, IQ4_NL, MXFP4 = 0, 2, 3, 6, 7, 8, 20, 39
Q2_K, Q3_K, Q4_K, Q5_K, Q6_K, TQ2_0 = 10, 11, 12, 13, 14, 35
TYPES = {
    "q4_0": [Q4_0], "q4_1": [Q4_1], "q5_0": [Q5_0], "q5_1": [Q5_1], "q8_0": [Q8_0],
    "iq4_nl": [IQ4_NL], "mxfp4": [MXFP4], "mixed": [Q4_0, Q8_0, Q5_1, Q4_1, IQ4_NL, Q5_0],
    "q2_k": [Q2_K], "q3_k": [Q3_K], "q4_k": [Q4_K], "q5_k": [Q5_K], "q6_k": [Q6_K],
    "tq2_0": [TQ2_0], "k_mixed": [Q4_K, Q6_K, Q2_K, Q4_K, Q8_0, Q5_K, Q3_K],
}  # yapf: disable
IQ4_VALUES = [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113]
FP4_VALUES = [0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12]  # doubled
DEVIATION = 0.12  # of all weights


def half(value):
    return struct.unpack("<e", struct.pack("<e", value))[0]


def codes(source, bits, count):
    return [source.randrange(1 << bits) for _ in range(count)]


def planes(quants, group, bits, shift=0):
    """Bits `shift` and up of the quants, `bits` of each, several quants in a byte: those of `group`
    consecutive ones in its lowest bits, those of the next `group` above them."""
    many = 8 // bits
    packed = bytearray()
    for first in range(0, len(quants), group * many):
        for j in range(first, first + group):
            packed.append(sum((quants[j + i * group] >> shift & (1 << bits) - 1) << bits * i
                              for i in range(many)))
    return bytes(packed)


def block_of_32(source, kind):
    """Bytes of a block and the numbers that they stand for (exact before rounding to float32)."""
    bits = {Q4_0: 4, Q4_1: 4, IQ4_NL: 4, MXFP4: 4, Q5_0: 5, Q5_1: 5, Q8_0: 8}[kind]
    spread = 66 if kind == IQ4_NL else (1 << bits) / 12**0.5
    scale = half(source.uniform(0.5, 1.5) * DEVIATION / spread)
    quants = codes(source, bits, 32)
    if kind == Q8_0:
        return struct.pack("<e32B", scale, *quants), [scale * (q - (q & 128) * 2) for q in quants]
    nibbles = planes(quants, 16, 4)
    if kind == MXFP4:  # a scale of about DEVIATION / 5.9, what the values spread
        exponent = source.randrange(122, 124)
        return bytes([exponent]) + nibbles, [2.0**(exponent - 128) * FP4_VALUES[q] for q in quants]
    high = sum((q >> 4) << j for j, q in enumerate(quants))
    upper = struct.pack("<I", high) if bits == 5 else b""
    if kind in (Q4_1, Q5_1):
        minimum = half(-((1 << bits) - 1) / 2 * scale * source.uniform(0.8, 1.2))
        return (struct.pack("<ee", scale, minimum) + upper + nibbles,
                [scale * q + minimum for q in quants])
    integers = [IQ4_VALUES[q] if kind == IQ4_NL else q - (1 << bits - 1) for q in quants]
    return struct.pack("<e", scale) + upper + nibbles, [scale * q for q in integers]


def block_of_256(source, kind):
    """The same for blocks of 256."""
    bits = {Q2_K: 2, Q3_K: 3, Q4_K: 4, Q5_K: 5, Q6_K: 6, TQ2_0: 2}[kind]
    factor = {Q2_K: 8, Q3_K: 18, Q4_K: 36, Q5_K: 36, Q6_K: 74, TQ2_0: 1}[kind]  # its usual size
    scale = half(source.uniform(0.5, 1.5) * DEVIATION / ((1 << bits) / 12**0.5) / factor)
    quants = codes(source, bits, 256)
    if kind == TQ2_0:
        quants = [q % 3 for q in quants]
        return planes(quants, 32, 2) + struct.pack("<e", scale), [scale * (q - 1) for q in quants]
    if kind == Q6_K:
        factors = [source.randint(-128, 127) for _ in range(16)]
        stored = planes(quants, 64, 4) + planes(quants, 32, 2, 4) + struct.pack("16be", *factors, scale)
        return stored, [scale * factors[i // 16] * (q - 32) for i, q in enumerate(quants)]
    if kind == Q3_K:
        factors = codes(source, 6, 16)
        packed = [factors[i] & 15 | (factors[i + 8] & 15) << 4 for i in range(8)]
        packed += [sum((factors[i + 4 * j] >> 4) << 2 * j for j in range(4)) for i in range(4)]
        stored = planes(quants, 32, 1, 2) + planes(quants, 32, 2) + bytes(packed)
        return (stored + struct.pack("<e", scale),
                [scale * (factors[i // 16] - 32) * (q - 4) for i, q in enumerate(quants)])
    # The others have minima, some half of the range.
    minimum = half((1 << bits) / 2 * scale)
    if kind == Q2_K:
        factors, minima = codes(source, 4, 16), codes(source, 4, 16)
        stored = bytes(a | b << 4 for a, b in zip(factors, minima)) + planes(quants, 32, 2)
        stored += struct.pack("<ee", scale, minimum)
        columns = 16
    else:
        factors, minima = codes(source, 6, 8), codes(source, 6, 8)
        packed = [x[i] | (x[i + 4] >> 4) << 6 for x in (factors, minima) for i in range(4)]
        packed += [factors[i] & 15 | (minima[i] & 15) << 4 for i in range(4, 8)]
        stored = struct.pack("<ee", scale, minimum) + bytes(packed)
        stored += planes(quants, 32, 1, 4) if kind == Q5_K else b""
        stored += planes(quants, 32, 4)
        columns = 32
    return stored, [scale * factors[i // columns] * q - minimum * minima[i // columns]
                    for i, q in enumerate(quants)]


def random_block(source, kind):
    big = kind in (Q2_K, Q3_K, Q4_K, Q5_K, Q6_K, TQ2_0)
    return (block_of_256 if big else block_of_32)(source, kind)


def tensors(source, kinds):
    """(name, shape, type, bytes, float32 bytes) of every tensor."""
    place = 0

    def matrix(name, *shape):
        nonlocal place
        kind = kinds[place % len(kinds)]
        place += 1
        stored, exact = bytearray(), array.array("f")
        while len(exact) < math.prod(shape):
            block, values = random_block(source, kind)
            stored += block
            exact.extend(values)
        return name, shape, kind, bytes(stored), exact.tobytes()

    def floats(name, shape, low, high):
        values = [source.uniform(low, high) for _ in range(math.prod(shape))]
        values = array.array("f", values).tobytes()
        return name, shape, F32, values, values

    def gain(name):
        return floats(name, (D,), 0.5, 1.5)

    yield matrix("token_embd.weight", VOCABULARY, D)
    for i in range(LAYERS):
        layer = f"blk.{i}."
        yield gain(layer + "attn_norm.weight")
        yield matrix(layer + "attn_q.weight", HEADS * HEAD, D)
        yield matrix(layer + "attn_k.weight", KV * HEAD, D)
        yield matrix(layer + "attn_v.weight", KV * HEAD, D)
        yield matrix(layer + "attn_output.weight", D, HEADS * HEAD)
        yield gain(layer + "ffn_norm.weight")
        if EXPERTS:
            yield floats(layer + "ffn_gate_inp.weight", (EXPERTS, D), -0.2, 0.2)
            yield matrix(layer + "ffn_gate_exps.weight", EXPERTS, FFN, D)
            yield matrix(layer + "ffn_up_exps.weight", EXPERTS, FFN, D)
            yield matrix(layer + "ffn_down_exps.weight", EXPERTS, D, FFN)
        else:
            yield matrix(layer + "ffn_gate.weight", FFN, D)
            yield matrix(layer + "ffn_up.weight", FFN, D)
            yield matrix(layer + "ffn_down.weight", D, FFN)
        place += 1  # the next layer's types differ
    yield gain("output_norm.weight")
    yield matrix("output.weight", VOCABULARY, D)


def metadata():
    experts = {"llama.expert_count": EXPERTS, "llama.expert_used_count": 2} if EXPERTS else {}
    return {
        **experts,
        "general.architecture": "llama",
        "llama.block_count": LAYERS,
        "llama.context_length": CONTEXT,
        "llama.embedding_length": D,
        "llama.feed_forward_length": FFN,
        "llama.attention.head_count": HEADS,
        "llama.attention.head_count_kv": KV,
        "llama.attention.layer_norm_rms_epsilon": 1e-5,
        "llama.rope.freq_base": 10000.0,
    }


def use_wide_rows():
    """Every width becomes a whole number of blocks of 256; fewer layers make up for that."""
    global LAYERS, D, HEADS, FFN, DEVIATION
    LAYERS, D, HEADS, FFN = 2, 256, 16, 256
    DEVIATION = 0.07  # sums of more terms


def main():
    global EXPERTS
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("types", choices=TYPES)
    parser.add_argument("out")
    parser.add_argument("--exact")
    parser.add_argument("--experts", type=int, default=0)
    options = parser.parse_args()
    EXPERTS = options.experts
    if max(TYPES[options.types]) > Q8_0 and options.types not in ("mixed", "iq4_nl", "mxfp4"):
        use_wide_rows()
    everything = list(tensors(random.Random(options.types), TYPES[options.types]))
    write_gguf(options.out, metadata(), [entry[:4] for entry in everything])
    if options.exact:
        write_gguf(options.exact, metadata(),
                   [(name, shape, F32, exact) for name, shape, _, _, exact in everything])


if __name__ == "__main__":
    main()
