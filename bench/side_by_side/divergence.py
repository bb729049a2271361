"""How far predictions are from a reference's, from the files that `--logits` of a program writes."""

import dataclasses
import json
import pathlib
import struct

from . import gguf_model
from .calls import Failure

ROWS = 64  # that are in memory at a time, of both files


@dataclasses.dataclass(frozen=True)
class Divergence:
    """Of the distributions P that a reference predicts and Q of another, over all rows.

    A row's Kullback-Leibler divergence is the sum of p log(p / q) over the whole vocabulary, in
    double precision: 0 where they agree, in nats."""

    mean: float
    error: float  # standard error of the mean, if rows were independent
    high: float  # the 99th percentile
    agreement: float  # share of rows whose likeliest token is the same


def _open(path):
    """The logits in a file, [rows, vocabulary]; only what is looked at is read."""
    _, np = gguf_model.import_packages()
    with open(path, "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        entry = json.loads(file.read(length))["logits"]
    return np.memmap(path, "<f4", "r", 8 + length + entry["data_offsets"][0], tuple(entry["shape"]))


def _log_probabilities(np, logits):
    """log softmax of each row, in double precision."""
    wide = logits.astype(np.float64)
    wide -= wide.max(axis=1, keepdims=True)
    return wide - np.log(np.exp(wide).sum(axis=1, keepdims=True))


def between(reference, other):
    """The Divergence of the logits in two files of the same rows."""
    _, np = gguf_model.import_packages()
    first, second = _open(reference), _open(other)
    if first.shape != second.shape:
        shapes = " and ".join("×".join(map(str, logits.shape)) for logits in (first, second))
        raise Failure(f"logits of different shapes: {shapes}")
    rows, agreeing = [], 0
    for begin in range(0, len(first), ROWS):
        log_p = _log_probabilities(np, first[begin:begin + ROWS])
        log_q = _log_probabilities(np, second[begin:begin + ROWS])
        # A token that the reference excludes (-inf) adds nothing, whatever the other says of it.
        possible = log_p > -np.inf
        terms = np.exp(log_p) * np.subtract(log_p, log_q, where=possible, out=np.zeros_like(log_p))
        rows.append(terms.sum(axis=1))
        agreeing += int((log_p.argmax(axis=1) == log_q.argmax(axis=1)).sum())
    found = np.concatenate(rows)
    if np.isnan(found).any():
        raise Failure(f"{pathlib.Path(other).name}: some logits are no numbers")
    error = found.std(ddof=1) / np.sqrt(len(found)) if len(found) > 1 else np.nan
    return Divergence(float(found.mean()), float(error), float(np.percentile(found, 99)),
                      agreeing / len(found))  # fmt: skip
