#!/usr/bin/env python3
"""Writes models that Moire has to refuse, each in its own way: bad_models.py GOLDEN_FOLDER OUT_FOLDER

GOLDEN_FOLDER is a Hugging Face folder with a GGUF file in it, such as test/golden/tiny/llama-gqa.
"""

import json
import math
import pathlib
import random
import shutil
import struct
import sys

import block_model
from gguf import write_gguf

Q8_K = 15  # ggml's number


def with_activations_as_weights(path):
    """A model whose matrices are stored in a type of GGUF that is not for weights."""
    block_model.use_wide_rows()
    entries = []
    for name, shape, kind, stored, _ in block_model.tensors(random.Random(1), [block_model.Q4_0]):
        if len(shape) > 1:
            kind, stored = Q8_K, bytes(math.prod(shape) // 256 * 292)
        entries.append((name, shape, kind, stored))
    write_gguf(path, block_model.metadata(), entries)


def rename_tensors(path, names):
    raw = path.read_bytes()
    length = struct.unpack("<Q", raw[:8])[0]
    header = {names.get(name, name): entry for name, entry in json.loads(raw[8:8 + length]).items()}
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + raw[8 + length:])


def main():
    golden, out = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)

    def copy(name):
        (out / name).mkdir()
        for file in ["config.json", "model.safetensors"]:
            shutil.copyfile(golden / file, out / name / file)
        return out / name

    rename_tensors(copy("misnamed") / "model.safetensors", {
        "model.layers.1.self_attn.q_proj.weight": "model.layers.1.self_attn.q_prj.weight",
        "model.norm.weight": "final_norm.weight",
    })
    (copy("weightless") / "model.safetensors").unlink()
    (copy("broken") / "config.json").write_text('{"model_type": "llama",')
    config = json.loads((golden / "config.json").read_text())
    config.update(model_type="foo", architectures=["FooForCausalLM"])
    (copy("foo") / "config.json").write_text(json.dumps(config))
    config.update(model_type="llama", architectures=["LlamaForCausalLM"], hidden_act="gelu")
    (copy("gelu") / "config.json").write_text(json.dumps(config))
    config.update(hidden_act="silu", hidden_size=128)
    (copy("wide") / "config.json").write_text(json.dumps(config))

    gguf = next(golden.glob("*.gguf")).read_bytes()
    (out / "cut.gguf").write_bytes(gguf[:300_000])
    (out / "stub.gguf").write_bytes(gguf[:5])
    (out / "text.gguf").write_text("hello\n")
    (out / "empty.gguf").write_bytes(b"")
    with_activations_as_weights(out / "q8-k.gguf")


main()
