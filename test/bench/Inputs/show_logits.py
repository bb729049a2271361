"""Prints the shape and the standard deviation of the logits in a file that `--logits` wrote."""

import array
import json
import statistics
import struct
import sys

data = open(sys.argv[1], "rb").read()
(length,) = struct.unpack_from("<Q", data)
entry = json.loads(data[8:8 + length])["logits"]
begin, end = (8 + length + offset for offset in entry["data_offsets"])
values = array.array("f", data[begin:end])
print(" × ".join(map(str, entry["shape"])) + f", deviation {statistics.pstdev(values):.1f}")
