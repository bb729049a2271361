"""Divergences of toy logits, beside what a plain sum says: divergence.py BENCH WORK."""

import json
import math
import pathlib
import struct
import sys

bench, work = sys.argv[1], pathlib.Path(sys.argv[2])
sys.path.insert(0, bench)
from side_by_side import divergence  # noqa: E402
from side_by_side.calls import Failure  # noqa: E402


def write(name, rows):
    """A file as `--logits` writes it, with another tensor behind."""
    numbers = [number for row in rows for number in row]
    size = 4 * len(numbers)
    header = json.dumps({
        "hidden.0": {"dtype": "F32", "shape": [1, 1], "data_offsets": [size, size + 4]},
        "logits": {"dtype": "F32", "shape": [len(rows), len(rows[0])], "data_offsets": [0, size]},
    }).encode()
    data = struct.pack(f"<Q{len(header)}s{len(numbers) + 1}f", len(header), header, *numbers, 0.0)
    (work / name).write_bytes(data)
    return work / name


def softmax(row):
    weights = [math.exp(number) for number in row]
    return [weight / math.fsum(weights) for weight in weights]


def plain(p, q):
    return math.fsum(a * math.log(a / b) for a, b in zip(softmax(p), softmax(q)) if a)


# More rows than are looked at together; numbers that f32 holds exactly.
P = [[((7 * i + 3 * j) % 32) / 8 for j in range(5)] for i in range(150)]
Q = [[((5 * i + 11 * j) % 64) / 16 for j in range(5)] for i in range(150)]
p = write("p", P)
found = divergence.between(p, write("q", Q))
expected = [plain(*rows) for rows in zip(P, Q)]
mean = math.fsum(expected) / len(expected)
spread = math.sqrt(math.fsum((each - mean) ** 2 for each in expected) / (len(expected) - 1))
agreeing = sum(a.index(max(a)) == b.index(max(b)) for a, b in zip(P, Q))
place = 0.99 * (len(expected) - 1)
low, high = sorted(expected)[int(place)], sorted(expected)[int(place) + 1]
for name, value, wanted in [
        ("mean", found.mean, mean), ("error", found.error, spread / math.sqrt(len(expected))),
        ("99 %", found.high, low + (place - int(place)) * (high - low)),
        ("agreement", found.agreement, agreeing / len(expected))]:  # fmt: skip
    print(name, "agrees" if abs(value - wanted) < 1e-12 and wanted > 0 else f"{value} is not {wanted}")

print("same:", divergence.between(p, p).mean, divergence.between(p, p).agreement)
# Large logits neither overflow nor lose anything; halves against three quarters: log(4/3) / 2.
pair = divergence.between(write("halves", [[90.0, 90.0]]), write("quarters", [[1000.0, 1000.0 + 1.0986123]]))
print(f"pair: {pair.mean:.4f} {math.log(4 / 3) / 2:.4f}")
# A token that is excluded on both sides, or by the reference, is no loss.
never = float("-inf")
print("excluded:", divergence.between(write("a", [[0, 0, never]]), write("b", [[0, 0, never]])).mean)
print(f"half: {divergence.between(write('c', [[0, never]]), write('d', [[0, 0]])).mean:.6f}")
for name, rows in [("shape", [[0.0] * 5] * 149), ("nan", [[math.nan] * 5] * 150)]:
    try:
        divergence.between(p, write(name, rows))
    except Failure as failure:
        print("refused:", failure)
