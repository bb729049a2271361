"""Prints the tables of bench/quality for some made-up numbers: quality_table.py BENCH."""

import dataclasses
import sys

sys.path.insert(0, sys.argv[1])
from side_by_side import quality_report  # noqa: E402


def row(name, kl, **more):
    return quality_report.Row(name, "f32 " + name, 5.25, "int8", "f16", kl, kl / 32, 4 * kl, 0.75, 16.5, **more)


ROWS = [
    row("keep", 0.0022, ggml_kl=0.002),
    row("q4_0", 0.2, ggml_kl=0.195, pp512=800.25, tg128=150.75),
    row("int4:g32", 0.21),
    row("int4:g64", 0.4),
    row("int4:g128", 0.28),
]
ABOUT = {"model": "toy.gguf", "text": "text.txt", "tokens": 1566, "perplexity": 15.4753}

quality_report.complete(ROWS)
print(quality_report.markdown(ROWS, ABOUT))
print(quality_report.comma_separated(ROWS))
print("\n".join(quality_report.missed(ROWS)))
# Without the yardstick, llama.cpp and speeds their columns are not there, and no bar is missed.
alone = [dataclasses.replace(each, ggml_kl=None, kl_to_ggml=None, kl_to_yardstick=None) for each in ROWS[2:]]
quality_report.complete(alone)
print(quality_report.markdown(alone, ABOUT))
print("missed alone:", quality_report.missed(alone))
