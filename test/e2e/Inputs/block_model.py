#!/usr/bin/env python3
"""Writes a tiny Llama-form model with random weights as GGUF.

    block_model.py q4_0|q4_1|q8_0|mixed OUT.gguf [--exact EXACT.gguf]

The matrices are stored in ggml's blocks of 32 (mixed: another type for each of a layer's tensors,
and other types in each layer). EXACT.gguf holds the float32 numbers that the blocks stand for. The
vocabulary and the FFN are no multiples of 16 rows; every width is a multiple of 32.
"""

import argparse
import array
import random
import struct

LAYERS, D, HEADS, KV, HEAD, FFN, VOCABULARY, CONTEXT = 4, 96, 6, 2, 16, 160, 300, 65536
F32, Q4_0, Q4_1, Q8_0 = 0, 2, 3, 8  # ggml's numbers
BLOCK = 32
TYPES = {"q4_0": [Q4_0], "q4_1": [Q4_1], "q8_0": [Q8_0], "mixed": [Q4_0, Q8_0, Q4_1]}
BLOCK_BYTES = {Q4_0: 18, Q4_1: 20, Q8_0: 34}


def half(value):
    return struct.unpack("<e", struct.pack("<e", value))[0]


def random_block(source, kind):
    """A block's bytes and the 32 numbers that they stand for (exact before rounding to float32)."""
    if kind == Q8_0:
        scale = half(source.uniform(0.5, 1.5) * 0.12 / 73)  # 73: deviation of a uniform byte
        quants = source.randbytes(BLOCK)
        signed = struct.unpack("32b", quants)
        return struct.pack("<e", scale) + quants, [scale * q for q in signed]
    scale = half(source.uniform(0.5, 1.5) * 0.12 / 4.6)
    quants = source.randbytes(BLOCK // 2)
    nibbles = [byte & 15 for byte in quants] + [byte >> 4 for byte in quants]
    if kind == Q4_0:
        return struct.pack("<e", scale) + quants, [scale * (q - 8) for q in nibbles]
    minimum = half(-7.5 * scale * source.uniform(0.8, 1.2))
    return struct.pack("<ee", scale, minimum) + quants, [scale * q + minimum for q in nibbles]


def tensors(source, kinds):
    """(name, columns, rows or None, type, bytes, float32 bytes) of every tensor."""
    place = 0

    def matrix(name, rows, columns):
        nonlocal place
        kind = kinds[place % len(kinds)]
        place += 1
        stored, exact = bytearray(), array.array("f")
        for _ in range(rows * columns // BLOCK):
            block, values = random_block(source, kind)
            stored += block
            exact.extend(values)
        return name, columns, rows, kind, bytes(stored), exact.tobytes()

    def gain(name):
        values = array.array("f", [source.uniform(0.5, 1.5) for _ in range(D)]).tobytes()
        return name, D, None, F32, values, values

    yield matrix("token_embd.weight", VOCABULARY, D)
    for i in range(LAYERS):
        layer = f"blk.{i}."
        yield gain(layer + "attn_norm.weight")
        yield matrix(layer + "attn_q.weight", HEADS * HEAD, D)
        yield matrix(layer + "attn_k.weight", KV * HEAD, D)
        yield matrix(layer + "attn_v.weight", KV * HEAD, D)
        yield matrix(layer + "attn_output.weight", D, HEADS * HEAD)
        yield gain(layer + "ffn_norm.weight")
        yield matrix(layer + "ffn_gate.weight", FFN, D)
        yield matrix(layer + "ffn_up.weight", FFN, D)
        yield matrix(layer + "ffn_down.weight", D, FFN)
        place += 1  # the next layer's types differ
    yield gain("output_norm.weight")
    yield matrix("output.weight", VOCABULARY, D)


def text(value):
    return struct.pack("<Q", len(value)) + value.encode()


def metadata():
    string, uint32, float32 = 8, 4, 6
    pairs = {
        "general.architecture": (string, text("llama")),
        "llama.block_count": (uint32, struct.pack("<I", LAYERS)),
        "llama.context_length": (uint32, struct.pack("<I", CONTEXT)),
        "llama.embedding_length": (uint32, struct.pack("<I", D)),
        "llama.feed_forward_length": (uint32, struct.pack("<I", FFN)),
        "llama.attention.head_count": (uint32, struct.pack("<I", HEADS)),
        "llama.attention.head_count_kv": (uint32, struct.pack("<I", KV)),
        "llama.attention.layer_norm_rms_epsilon": (float32, struct.pack("<f", 1e-5)),
        "llama.rope.freq_base": (float32, struct.pack("<f", 10000)),
    }
    return len(pairs), b"".join(
        text(key) + struct.pack("<I", kind) + value for key, (kind, value) in pairs.items())


def write_gguf(path, entries):
    """`entries`: (name, columns, rows or None, type, bytes)."""
    alignment = 32
    pair_count, pairs = metadata()
    header = b"GGUF" + struct.pack("<IQQ", 3, len(entries), pair_count) + pairs
    data = bytearray()
    for name, columns, rows, kind, stored in entries:
        shape = [columns] if rows is None else [columns, rows]
        header += text(name) + struct.pack("<I", len(shape))
        header += b"".join(struct.pack("<Q", extent) for extent in shape)
        header += struct.pack("<IQ", kind, len(data))
        data += stored + bytes(-len(stored) % alignment)
    with open(path, "wb") as file:
        file.write(header + bytes(-len(header) % alignment) + data)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("types", choices=TYPES)
    parser.add_argument("out")
    parser.add_argument("--exact")
    options = parser.parse_args()
    everything = list(tensors(random.Random(options.types), TYPES[options.types]))
    write_gguf(options.out, [entry[:5] for entry in everything])
    if options.exact:
        write_gguf(options.exact, [(name, columns, rows, F32, exact)
                                   for name, columns, rows, _, _, exact in everything])


if __name__ == "__main__":
    main()
