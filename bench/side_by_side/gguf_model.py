"""Writes GGUF files of a shape, with made-up weights, that every engine reads.

The weights are a tile of random blocks, repeated: a file is written as fast as the disk takes it. The
tile has a prime number of blocks, and each tensor goes on where the last one ended, so that no two
rows of a matrix are alike.
"""

import dataclasses
import os
import sys

from . import cache
from .shapes import CONTEXT, SHAPES, tensors

GGUF, NUMPY = "gguf==0.19.0", "numpy==2.3.5"
VERSION = 1  # of what is written for a shape: part of the file's name
TILE_BLOCKS = 131071


def packages_folder():
    """Where the packages are, or will be."""
    pinned = f"{GGUF}-{NUMPY}-{sys.implementation.cache_tag}".replace("==", "-")
    return cache.folder("python") / pinned


def import_packages():
    """(gguf, numpy), installed outside of the repository, and not in the machine's Python."""
    folder = packages_folder()
    if not folder.exists():
        with cache.workplace(folder) as work:
            if not folder.exists():  # or another process was faster
                cache.pip("install", "--quiet", "--only-binary", ":all:", "--target", work / "finished",
                          GGUF, NUMPY)  # fmt: skip
                os.rename(work / "finished", folder)
    sys.path.insert(0, str(folder))
    import gguf
    import numpy

    return gguf, numpy


class Tiles:
    """Endless random blocks of each type."""

    def __init__(self, numpy, seed):
        self.numpy = numpy
        self.random = numpy.random.default_rng(seed)
        self.tiles = {}
        self.positions = {}

    def _scales(self, size):
        """f16 scales of both signs: the integers of a block are not centred on 0."""
        np = self.numpy
        signs = self.random.choice(np.array([-1, 1], np.float32), TILE_BLOCKS)
        scales = signs * self.random.uniform(0.5, 1.5, TILE_BLOCKS) * size
        return scales.astype("<f2").view(np.uint8).reshape(-1, 2)

    def _codes(self, count):
        return self.random.integers(0, 256, (TILE_BLOCKS, count), self.numpy.uint8)

    def _scales_and_minima(self, deviation, largest):
        """What stands in front of Q4_K's and Q5_K's codes, which go up to `largest`: f16 scale and
        minimum, 8 × 6 bits of factors of either. The minima put the middle at 0."""
        np = self.numpy
        factors, codes = np.arange(64), np.arange(largest + 1)
        squares = np.mean(factors**2.0) * np.mean(codes**2.0)
        of_products = squares - (np.mean(factors) * np.mean(codes)) ** 2
        of_minima = np.mean(codes) ** 2 * np.var(factors)
        scales = self._scales(deviation / np.sqrt(of_products + of_minima))
        minima = (scales.view("<f2") * np.mean(codes)).astype("<f2").view(np.uint8)
        return [scales, minima, self._codes(12)]

    def _tile(self, kind, deviation):
        """Bytes of TILE_BLOCKS blocks of a type (layouts: ggml-common.h)."""
        np = self.numpy
        if kind == "F32":
            return (self.random.standard_normal(TILE_BLOCKS) * deviation).astype("<f4").view(np.uint8)
        if kind == "Q4_0":  # scale, 32 × 4 bits, minus 8
            parts = [self._scales(deviation / 4.8), self._codes(16)]
        elif kind == "Q8_0":  # scale, 32 × i8
            parts = [self._scales(deviation / 77), self._codes(32)]
        elif kind == "Q5_0":  # scale, 32 × high bit, 32 × low 4 bits, minus 16
            parts = [self._scales(deviation / 9.2), self._codes(4), self._codes(16)]
        elif kind == "Q4_K":  # 256 × 4 bits
            parts = [*self._scales_and_minima(deviation, 15), self._codes(128)]
        elif kind == "Q5_K":  # 256 × high bit, 256 × low 4 bits
            parts = [*self._scales_and_minima(deviation, 31), self._codes(32), self._codes(128)]
        elif kind == "Q6_K":  # 256 × low 4 bits, 256 × high 2 bits, minus 32; 16 × i8 scale, scale
            scales = self.random.integers(32, 96, (TILE_BLOCKS, 16), np.int8).view(np.uint8)
            parts = [self._codes(128), self._codes(64), scales, self._scales(deviation / (19.3 * 66))]
        else:
            raise ValueError(kind)
        return np.concatenate(parts, axis=1).ravel()

    def take(self, kind, deviation, size):
        """The next `size` bytes of blocks whose numbers have the deviation."""
        np = self.numpy
        if deviation == 0:
            return np.ones(size // 4, "<f4").view(np.uint8)
        key = kind, deviation
        if key not in self.tiles:
            self.tiles[key] = self._tile(kind, deviation)
        tile, position = self.tiles[key], self.positions.get(key, 0)
        self.positions[key] = (position + size) % tile.size
        first = tile[position:position + size]
        return np.concatenate([first, np.resize(tile, size - first.size)])


def add_vocabulary(writer, gguf, size):
    """GPT-2's kind, with the bytes, one merge, and as many further words as it takes."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]  # as GPT-2 spells bytes
    others = [byte for byte in range(256) if byte not in printable]
    letters = [chr(byte) for byte in printable] + [chr(256 + i) for i in range(len(others))]
    words = letters + ["th"]
    words += [f"<{i}>" for i in range(len(words), size - 1)] + ["<|end|>"]
    kinds = [gguf.TokenType.NORMAL] * (size - 1) + [gguf.TokenType.CONTROL]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(words)
    writer.add_token_types(kinds)
    writer.add_token_merges(["t h"])
    writer.add_bos_token_id(size - 1)
    writer.add_eos_token_id(size - 1)
    writer.add_add_bos_token(False)


def add_config(writer, shape):
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(shape.hidden)
    writer.add_block_count(shape.layers)
    writer.add_feed_forward_length(shape.ffn)
    writer.add_head_count(shape.heads)
    writer.add_head_count_kv(shape.kv_heads)
    writer.add_rope_dimension_count(shape.hidden // shape.heads)
    writer.add_rope_freq_base(shape.theta)
    writer.add_layer_norm_rms_eps(shape.eps)
    writer.add_vocab_size(shape.vocabulary)
    if shape.experts:
        writer.add_expert_count(shape.experts)
        writer.add_expert_used_count(shape.used)
    if shape.dense_layers:
        writer.add_leading_dense_block_count(shape.dense_layers)
        writer.add_expert_feed_forward_length(shape.expert_ffn)
        writer.add_expert_shared_count(shape.shared)
        writer.add_expert_weights_scale(1.0)


def declare(writer, name, shape, kind, gguf, np):
    """Adds a tensor without its data, which follows in the same order; returns its bytes."""
    elements, block_bytes = gguf.GGML_QUANT_SIZES[kind]
    row = shape[-1]
    if row % elements:
        cache.fail(f"{name}: rows of {row} are no whole number of blocks of {elements}")
    in_bytes = (*shape[:-1], row // elements * block_bytes)
    size = int(np.prod(in_bytes))
    if elements == 1:
        writer.add_tensor_info(name, shape, np.dtype(np.float32), size, raw_dtype=kind)
    else:  # described in bytes
        writer.add_tensor_info(name, in_bytes, np.dtype(np.uint8), size, raw_dtype=kind)
    return size


def write(path, name, shape, matrices):
    gguf, np = import_packages()
    writer = gguf.GGUFWriter(path, shape.architecture)
    writer.add_name(name)
    writer.add_quantization_version(gguf.GGML_QUANT_VERSION)
    writer.add_file_type(gguf.LlamaFileType[f"MOSTLY_{matrices}"])
    add_config(writer, shape)
    add_vocabulary(writer, gguf, shape.vocabulary)
    listed = []
    for tensor in tensors(shape, matrices):
        kind = gguf.GGMLQuantizationType[tensor.type]
        size = declare(writer, tensor.name, tensor.shape, kind, gguf, np)
        listed.append((tensor, size))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    tiles = Tiles(np, seed=1)
    for tensor, size in listed:
        writer.write_tensor_data(tiles.take(tensor.type, tensor.deviation, size))
    writer.close()


def model(name, layers=None, matrices="Q4_0", target=None):
    """The path of the GGUF file of a shape; written if it is not there yet."""
    shape = SHAPES[name]
    stem = name
    if layers:
        shape = dataclasses.replace(shape, layers=layers)
        stem += f"-{layers}-layers"
    kept = cache.folder("models") / f"{stem}.{matrices}.made-up-{VERSION}.gguf"
    if target:
        write(target, stem, shape, matrices)
        return target
    if not kept.exists():
        with cache.workplace(kept) as work:
            if not kept.exists():  # or another process was faster
                write(work / "unfinished.gguf", stem, shape, matrices)
                os.rename(work / "unfinished.gguf", kept)
    return kept
