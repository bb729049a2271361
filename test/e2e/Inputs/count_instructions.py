#!/usr/bin/env python3
"""How many instructions the generated functions execute, beside the numbers that are written down.

    count_instructions.py EXPECTED WORK_FOLDER [--update]

EXPECTED has a line for each model and function: `dense layer_0.one.gate_up 123456`. Small models with made-up
weights are compiled for AVX2 (valgrind knows no AVX-512), read a prompt and generate a few tokens on
one thread, under callgrind: nothing depends on a clock, so a number says the same on every machine.
One that is more than MOST_MOVED away fails, in either direction. --update writes EXPECTED anew.
"""

import argparse
import json
import pathlib
import re
import shutil
import sys

from programs import compile_model, fail, random_ids, run, spelled

MOST_MOVED = 0.03
PROMPT, GENERATED = 70, 9  # one step of many tokens, then eight of one
GENERATED_FUNCTION = re.compile(r"moire_step_\w+|(layer_\d+|forward)(\.\w+)+")
VOCABULARY = 512

# Widths are multiples of a block, and two pages of keys and values are seen.
COMMON = {
    "hidden_size": 256, "num_attention_heads": 4, "num_key_value_heads": 2,
    "rms_norm_eps": 1e-6, "rope_theta": 10000.0, "max_position_embeddings": 1024,
    "vocab_size": VOCABULARY, "tie_word_embeddings": False, "torch_dtype": "bfloat16",
    "hidden_act": "silu",
}  # yapf: disable
MODELS = {
    "dense": {
        **COMMON, "architectures": ["LlamaForCausalLM"], "model_type": "llama",
        "num_hidden_layers": 2, "intermediate_size": 704,
    },
    "experts": {
        **COMMON, "architectures": ["DeepseekForCausalLM"], "model_type": "deepseek",
        "num_hidden_layers": 2, "first_k_dense_replace": 0, "moe_layer_freq": 1,
        "intermediate_size": 704, "moe_intermediate_size": 96, "n_routed_experts": 16,
        "n_shared_experts": 2, "num_experts_per_tok": 4, "norm_topk_prob": False,
        "scoring_func": "softmax",
    },
}  # yapf: disable


def parse(text):
    """Instructions of each generated function by itself, from a file of callgrind's."""
    counts, names, function, is_call = {}, {}, None, False
    for line in text.splitlines():
        if match := re.match(r"(c?)fn=\((\d+)\)(?: (.*))?$", line):
            # A number stands for the name that it came with first.
            name = names.setdefault(match[2], match[3])
            if not match[1]:
                function = name
        elif line.startswith("calls="):
            is_call = True  # the next line is what was executed in the call
        elif line[:1] in "+-*0123456789" and line:
            if not is_call and GENERATED_FUNCTION.fullmatch(function):
                counts[function] = counts.get(function, 0) + int(line.split()[1])
            is_call = False
    return counts


def count(name, config, folder):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config))
    program = compile_model(folder / "config.json", folder / "program", "--cpu=x86-64-v3",
                            "--synthetic=1", "--synthetic-type=q4_0")
    profile = folder / "callgrind.out"
    result = run("valgrind", "--tool=callgrind", f"--callgrind-out-file={profile}", "--quiet",
                 program, "--token-ids", spelled(random_ids(PROMPT, VOCABULARY)), "--print-ids",
                 "-n", GENERATED, "--threads", 1)
    if len(result.stdout.split(",")) != GENERATED:
        fail(f"{name}: expected {GENERATED} tokens, found {result.stdout}")
    return {f"{name} {function}": number for function, number in parse(profile.read_text()).items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("expected", type=pathlib.Path)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--update", action="store_true")
    options = parser.parse_args()
    if not shutil.which("valgrind"):
        fail("valgrind is missing; scripts/setup installs it")
    found = {}
    for name, config in MODELS.items():
        found |= count(name, config, options.folder / name)
    if options.update:
        options.expected.write_text("".join(f"{name} {found[name]}\n" for name in sorted(found)))
        return
    lines = [line.rsplit(" ", 1) for line in options.expected.read_text().splitlines()]
    expected = {name: int(number) for name, number in lines}
    wrong = [f"{name}: {expected.get(name, 'nothing')} is written down, {found.get(name, 'nothing')} "
             "was executed" for name in sorted(found.keys() ^ expected.keys())]
    for name in sorted(found.keys() & expected.keys()):
        moved = found[name] / expected[name] - 1
        print(f"{name:24} {found[name]:12,} {100 * moved:+6.2f} %")
        if abs(moved) > MOST_MOVED:
            wrong.append(f"{name}: {found[name]:,} instructions, {100 * moved:+.1f} % to the "
                         f"{expected[name]:,} that are written down")
    if wrong:
        folder = pathlib.Path(shutil.which("moire")).parent
        again = " ".join(["python3", *sys.argv, "--update"])
        fail("\n  ".join([*wrong, "if that is what was meant, write it down:",
                          f"PATH={folder}:$PATH {again}"]))


main()
