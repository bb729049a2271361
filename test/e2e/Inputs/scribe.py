#!/usr/bin/env python3
"""A trained mixture of experts against another implementation: its greedy texts, the perplexity of
two texts, and how often each expert was chosen.

    scribe.py FOLDER WORK_FOLDER [QUANTIZED.gguf]

With a quantized form of the model: its perplexity, with 8-bit activations.
"""

import json
import math
import pathlib
import sys

from programs import compile_model, fail, read_safetensors, run, spelled

PIECE = 256  # tokens that are scored together
# Part of the choices that may differ: the listed numbers were counted over the text's own cut into
# pieces, which is not known to the token (for the code it has two tokens less than the tokenizer of
# the checkpoint makes of it).
MOST_MOVED = 0.006


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
        # The first prediction of a piece, from a single token, is left out. The listed numbers are
        # met only so.
        scores = [score for place, score in enumerate(found["nll"]) if place % (PIECE - 1)]
        perplexity = math.exp(sum(scores) / len(scores))
        change = perplexity / expected["perplexity_in_pieces_of_256"] - 1
        print(f"{name}: perplexity {perplexity:.4f}, {100 * change:+.3f} %")
        if abs(change) > tolerance:
            fail(f"{name}: perplexity {perplexity}, expected {expected}")


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
            wanted = expected["expert_counts"][layer]
            moved = sum(abs(a - b) for a, b in zip(of, wanted)) / 2 / sum(wanted)
            if moved > MOST_MOVED:
                fail(f"{name}, layer {layer}: experts were chosen {of} times, expected "
                     f"{wanted}: {100 * moved:.2f} % differ")


def main():
    folder, work = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    work.mkdir(parents=True, exist_ok=True)
    golden = json.loads((folder / "golden.json").read_text())
    if len(sys.argv) > 3:
        program = compile_model(sys.argv[3], work / "int8", "-O1")
        return check_perplexity(program, folder, golden, 1e-2)
    program = compile_model(folder, work / "f32", "--activations=f32", "--keep=hidden,route", "-O1")
    check_greedy(program, golden)
    check_perplexity(program, folder, golden, 1e-3)
    check_counts(program, folder, golden, work)


main()
