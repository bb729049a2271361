#!/usr/bin/env python3
"""Writes what a program with a router in layer 1 would: routed.py FILE EXPERTS [--margin M]

EXPERTS are those of each token, as 0,1/2,3. M is the margin of every choice.
"""

import argparse
import array
import json
import pathlib
import struct

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("file", type=pathlib.Path)
parser.add_argument("experts")
parser.add_argument("--margin", type=float)
options = parser.parse_args()

experts = [[int(word) for word in token.split(",")] for token in options.experts.split("/")]
tokens, k = len(experts), len(experts[0])
# The last two tokens' logits follow from their experts.
logits = [float(sum(experts[t]) % 7 if t else 1) * (i + 1) for t in range(tokens) for i in range(4)]
tensors = [("logits", "F32", [tokens, 4], array.array("f", logits)),
           ("route.1.experts", "I32", [tokens, k], array.array("i", sum(experts, []))),
           ("route.1.weights", "F32", [tokens, k], array.array("f", [1 / k] * tokens * k))]
if options.margin is not None:
    tensors.append(("route.1.margin", "F32", [tokens], array.array("f", [options.margin] * tokens)))

header, data = {}, b""
for name, dtype, shape, values in tensors:
    end = len(data) + 4 * len(values)
    header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(data), end]}
    data += values.tobytes()
text = json.dumps(header).encode()
text += b" " * (-len(text) % 8)
options.file.write_bytes(struct.pack("<Q", len(text)) + text + data)
