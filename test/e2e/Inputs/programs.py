"""What the end-to-end tests share: compile a model, run the program, read what it wrote."""

import array
import json
import pathlib
import random
import struct
import subprocess
import sys


def fail(message):
    sys.exit(f"FAILED: {message}")


def run(*command, expect=0, **options):
    """Runs a command that has to end with the exit status `expect`; returns what it printed."""
    words = [str(word) for word in command]
    done = subprocess.run(words, capture_output=True, text=True, timeout=600, **options)
    if done.returncode != expect:
        fail(f"exit status {done.returncode}, expected {expect}: {' '.join(words)[:300]}\n"
             f"{done.stdout[-1000:]}{done.stderr[-3000:]}")
    return done


def compile_model(model, program, *options):
    run("moire", "compile", model, "-o", program, "--quiet", *options)
    return program


def info(program):
    return json.loads(run(program, "--info", "--json").stdout)


def spelled(ids):
    return ",".join(map(str, ids))


def random_ids(count, vocabulary, seed=1):
    source = random.Random(seed)
    return [source.randrange(vocabulary) for _ in range(count)]


def write_logits(program, ids, path, *options):
    run(program, "--token-ids", spelled(ids), "--logits", path, "-n", 0, *options)
    return path


def read_safetensors(path):
    """name -> (shape, flat array)"""
    raw = pathlib.Path(path).read_bytes()
    header_bytes = struct.unpack("<Q", raw[:8])[0]
    tensors = {}
    for name, entry in json.loads(raw[8:8 + header_bytes]).items():
        if name != "__metadata__":
            begin, end = entry["data_offsets"]
            values = array.array({"F32": "f", "I32": "i"}[entry["dtype"]])
            values.frombytes(raw[8 + header_bytes + begin:8 + header_bytes + end])
            tensors[name] = (entry["shape"], values)
    return tensors
