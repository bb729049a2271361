#!/usr/bin/env python3
"""Two programs compute the same logits of random tokens, up to a difference.

    compare_logits.py [--most M] [--least L] WORK_FOLDER MODEL [OPTIONS...] -- MODEL [OPTIONS...]

OPTIONS are those of `moire compile`; M and L bound the root mean square of their differences,
relative to that of the logits (M 0, the default: the same numbers).
"""

import argparse
import math
import pathlib
import sys

from programs import compile_model, fail, info, random_ids, read_safetensors, write_logits

TOKENS = 150


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--most", type=float, default=0)
    parser.add_argument("--least", type=float, default=0)
    parser.add_argument("folder", type=pathlib.Path)
    options, words = parser.parse_known_args()
    words = sys.argv[sys.argv.index(str(options.folder)) + 1:]
    middle = words.index("--")
    options.folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for place, (model, *compile_options) in enumerate((words[:middle], words[middle + 1:])):
        program = compile_model(model, options.folder / f"program{place}", *compile_options)
        ids = random_ids(TOKENS, info(program)["vocab"])
        path = write_logits(program, ids, options.folder / f"logits{place}")
        rows.append(read_safetensors(path)["logits"])
    (shape, expected), (other_shape, found) = rows
    if shape != other_shape:
        fail(f"shape {other_shape}, expected {shape}")
    size = math.sqrt(math.fsum(x * x for x in expected))
    difference = math.sqrt(math.fsum((x - y) ** 2 for x, y in zip(expected, found))) / size
    if not options.least <= difference <= options.most:
        fail(f"the logits differ by {difference:.3g}, expected {options.least:g} .. "
             f"{options.most:g}")
    print(f"the logits differ by {difference:.2g}")


main()
