"""The workloads that Moire's speed is judged by: what `bench/compare --all` measures."""

import dataclasses

from .shapes import TYPES
from .suite import Suite


@dataclasses.dataclass(frozen=True)
class Workload:
    name: str
    model: str  # a shape of shapes.py, or one of scripts/fetch-model
    suite: Suite
    layers: int | None = None  # all
    matrices: str = TYPES[0]
    repetitions: int = 5
    beside: str | None = None  # another shape, all its layers: how many times as fast is the model?


TOGETHER = (1, 2, 4, 8, 16, 32)  # sequences

WORKLOADS = [
    Workload("small", "smollm2", Suite(512, 128)),
    Workload("dense", "llama-2-7b", Suite(512, 32)),
    Workload("experts", "deepseek-moe-16b", Suite(512, 32), beside="llama-2-7b"),
    Workload("large-experts", "mixtral-8x7b", Suite(512, 32), layers=4),
    Workload("k-quants", "llama-2-7b", Suite(512, 32, sequences=(8,)), layers=4, matrices="q4_k_m"),
    Workload("one-thread", "llama-2-7b", Suite(512, 32, threads=(1,)), layers=4),
    Workload("deep", "llama-2-7b", Suite(512, 32, depths=(16384,)), layers=4, repetitions=3),
    Workload("dense-together", "llama-2-7b", Suite(0, 32, sequences=TOGETHER), repetitions=3),
    Workload("experts-together", "deepseek-moe-16b", Suite(0, 32, sequences=TOGETHER), repetitions=3),
]
