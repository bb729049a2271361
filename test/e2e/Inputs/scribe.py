#!/usr/bin/env python3
"""A trained mixture of experts against another implementation: its greedy texts, the perplexity of
two texts, and how often each expert was chosen.

    scribe.py FOLDER WORK_FOLDER
"""

import json
import pathlib
import sys

from programs import compile_model, fail, read_safetensors, run, spelled

PIECE = 256  # tokens that are scored together
# Tokens whose last chosen and first rejected expert are as good as equal may go either way.
MOST_TIES = 4


def check_greedy(program, golden):
    for ids, greedy, text in zip(golden["prompts"], golden["greedy"], golden["greedy_text"]):
        # The prompt as text; what is in front of it (BOS) the program puts there itself.
        prompt = json.loads(run(program, "--detokenize", input=json.dumps(ids[1:]) + "\n").stdout)
        found = run(program, "--prompt", prompt, "--temp", 0, "-n", len(greedy)).stdout
        if found.rstrip("\n") != text.rstrip("\n"):
            fail(f"prompt {prompt!r}: found {found!r}, expected {text!r}")


def check_perplexity(program, folder, golden, tolerance):
    for name, expected in golden["texts"].items():
        found = json.loads(run(program, "--perplexity", folder / f"{name}.txt", "--ctx", PIECE,
                               "--json").stdout)
        if found["tokens"] != expected["tokens"]:
            fail(f"{name}: {found['tokens']} tokens, expected {expected['tokens']}")
        perplexity = expected["perplexity_in_pieces_of_256"]
        change = found["perplexity"] / perplexity - 1
        print(f"{name}: perplexity {found['perplexity']:.4f}, {100 * change:+.3f} %")
        if abs(change) > tolerance:
            fail(f"{name}: perplexity {found['perplexity']}, expected {perplexity}")


def check_counts(program, folder, golden, work):
    for name, expected in golden["texts"].items():
        line = json.dumps((folder / f"{name}.txt").read_text()) + "\n"
        ids = [0] + json.loads(run(program, "--tokenize", "--no-special", input=line).stdout)
        counts = {layer: [0] * len(of) for layer, of in expected["expert_counts"].items()}
        for first in range(0, len(ids), PIECE):
            run(program, "--token-ids", spelled(ids[first:first + PIECE]), "--logits", work / "out",
                "-n", 0)
            tensors = read_safetensors(work / "out")
            for layer, of in counts.items():
                for expert in tensors[f"route.{layer}.experts"][1]:
                    of[expert] += 1
        for layer, of in counts.items():
            off = sum(abs(a - b) for a, b in zip(of, expected["expert_counts"][layer])) // 2
            if off > MOST_TIES:
                fail(f"{name}, layer {layer}: experts were chosen {of} times, expected "
                     f"{expected['expert_counts'][layer]}")


def main():
    folder, work = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    work.mkdir(parents=True, exist_ok=True)
    golden = json.loads((folder / "golden.json").read_text())
    program = compile_model(folder, work / "f32", "--activations=f32", "--keep=hidden,route", "-O1")
    check_greedy(program, golden)
    check_perplexity(program, folder, golden, 1e-3)
    check_counts(program, folder, golden, work)


main()
