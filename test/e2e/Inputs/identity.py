#!/usr/bin/env python3
"""The logits of a program have the same bits for any number of threads and pieces of the prompt.

    identity.py MODEL WORK_FOLDER [--tokens 600] [--text FILE] [--only THREADSxPIECE,...] [-- OPTIONS]

OPTIONS are those of `moire compile`.
"""

import argparse
import filecmp
import json
import pathlib
import sys

from programs import compile_model, fail, info, random_ids, run, write_logits

# Threads and tokens a piece. 1 token a piece is what generating does.
COMBINATIONS = "1x600,3x600,5x600,1x1,2x1,3x1,5x1,1x7,2x7,5x7,2x257,3x257,2x512,5x512"


def main():
    words = sys.argv[1:]
    end = words.index("--") if "--" in words else len(words)
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model")
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--tokens", type=int, default=600)
    parser.add_argument("--text", type=pathlib.Path, help="the prompt, instead of random tokens")
    parser.add_argument("--only", default=COMBINATIONS)
    options = parser.parse_args(words[:end])
    options.folder.mkdir(parents=True, exist_ok=True)
    program = compile_model(options.model, options.folder / "program", *words[end + 1:])
    if options.text:
        line = json.dumps(options.text.read_text())
        ids = json.loads(run(program, "--tokenize", input=line).stdout)
    else:
        ids = random_ids(options.tokens, info(program)["vocab"])
    whole = write_logits(program, ids, options.folder / "whole", "--threads", 2,
                         "--chunk", len(ids))
    if whole.stat().st_size < 4 * len(ids) * info(program)["vocab"]:
        fail(f"{whole.stat().st_size} bytes are no logits of {len(ids)} tokens")
    pieces = options.folder / "pieces"
    for combination in options.only.split(","):
        threads, piece = combination.split("x")
        write_logits(program, ids, pieces, "--threads", threads, "--chunk", piece)
        if not filecmp.cmp(whole, pieces, shallow=False):
            fail(f"logits of {threads} threads and pieces of {piece} differ from those of 2 "
                 f"threads and the whole prompt; compare {whole} and {pieces}")
    print(f"{len(ids)} tokens: the same logits in {options.only} (threads x piece)")


main()
