#!/usr/bin/env python3
"""SmolLM2-135M-Instruct against another implementation (../../golden/real): its tokens, its logits,
its greedy texts, and the memory that a compilation takes.

    smollm2.py MODEL.gguf WORK_FOLDER
"""

import json
import pathlib
import subprocess
import sys
import time

from programs import fail, read_safetensors, run, spelled, write_logits

REAL = pathlib.Path(__file__).resolve().parents[2] / "golden" / "real"
MOST_ANONYMOUS_BYTES = 1_250_000_000
# Differences of logits, relative to the largest, that float32 arithmetic may lead to.
TOLERANCE = 1e-4


def compile_and_watch(model, program):
    """Returns the most anonymous memory that was seen while the program was made."""
    command = ["moire", "compile", model, "-o", program, "--activations=f32", "--quiet"]
    compiler = subprocess.Popen([str(word) for word in command])
    status = pathlib.Path(f"/proc/{compiler.pid}/status")
    most = 0
    while compiler.poll() is None:
        for line in status.read_text().splitlines():
            if line.startswith("RssAnon:"):
                most = max(most, 1024 * int(line.split()[1]))
        time.sleep(0.002)
    if compiler.returncode:
        fail(f"the compilation ended with status {compiler.returncode}")
    return most


def check_tokens(program, prompts, text_ids):
    texts = [prompt["text"] for prompt in prompts] + [(REAL / "text.txt").read_text()]
    lines = run(program, "--tokenize", input="".join(json.dumps(t) + "\n" for t in texts)).stdout
    found = [json.loads(line) for line in lines.splitlines()]
    expected = [prompt["ids"] for prompt in prompts] + [text_ids]
    if found != expected:
        fail(f"the tokenizer's ids: found {found}, expected {expected}"[:2000])


def check_prompt(program, number, prompt, want, folder):
    ids = prompt["ids"]
    shape, logits = read_safetensors(
        write_logits(program, ids, folder / "logits"))["logits"]
    vocabulary = shape[1]
    (_, best), (_, values) = want[f"{number}.top.ids"], want[f"{number}.top.logits"]
    each = len(best) // len(ids)
    worst = max(abs(logits[place // each * vocabulary + best[place]] - value)
                for place, value in enumerate(values)) / prompt["logits_absmax"]
    if worst > TOLERANCE:
        fail(f"prompt {number}: logits differ by {worst:.2g} of the largest")
    # Ids can be compared as long as the second best logit is farther away than the arithmetic's
    # error.
    sure = next((step for step, margin in enumerate(prompt["greedy_margin"]) if margin < 1e-3),
                len(prompt["greedy"]))
    found = run(program, "--token-ids", spelled(ids), "--print-ids", "--temp", 0,
                "-n", len(prompt["greedy"])).stdout
    if [int(word) for word in found.split(",")][:sure] != prompt["greedy"][:sure]:
        fail(f"prompt {number}: found {found}, expected {prompt['greedy']} in {sure} steps")
    print(f"prompt {number}: logits differ by {worst:.1e}, {sure} greedy steps agree")


def main():
    model, folder = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    golden = json.loads((REAL / "smollm2-135m-instruct" / "golden.json").read_text())
    want = read_safetensors(REAL / "smollm2-135m-instruct" / "golden.safetensors")
    program = folder / "program"
    anonymous = compile_and_watch(model, program)
    print(f"compiled in {anonymous / 1e6:.0f} MB of anonymous memory")
    if not 0 < anonymous <= MOST_ANONYMOUS_BYTES:
        fail(f"{anonymous} bytes of anonymous memory, expected at most {MOST_ANONYMOUS_BYTES}")
    check_tokens(program, golden["prompts"], list(want["text.ids"][1]))
    for number, prompt in enumerate(golden["prompts"]):
        check_prompt(program, number, prompt, want, folder)


main()
