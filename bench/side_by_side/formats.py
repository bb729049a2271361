"""The number formats that weights are compared in: those of GGUF files, and Moire's own."""

import dataclasses
import re

KEEP = "keep"  # as the file has them
# Types that the package gguf can make: ggml's plain rounding, without texts to calibrate on.
FILE_TYPES = ("f32", "f16", "bf16", "q8_0", "q5_1", "q5_0", "q4_1", "q4_0", "mxfp4")
OWN = re.compile(r"(u?int4|int8)(?::g(32|64|128|256)(:bf16)?)?")

ALL = (KEEP, "bf16", "q8_0", "q5_1", "q5_0", "q4_1", "q4_0", "mxfp4", "int8", "int4:g32", "int4:g64",
       "int4:g128", "int4:g128:bf16", "int4:g256", "uint4:g32", "uint4:g64", "uint4:g128", "uint4:g256")  # fmt: skip

# What others are measured by.
YARDSTICK = "q4_0"


@dataclasses.dataclass(frozen=True)
class Format:
    name: str

    @property
    def is_own(self):
        """Whether weights are rounded to it while a program is compiled; else a file holds it."""
        return OWN.fullmatch(self.name) is not None


def parse(text):
    """The formats of a list such as q4_0,int4:g128; raises ValueError with what is wrong."""
    formats = [Format(name) for name in text.split(",")]
    for format in formats:
        if format.name != KEEP and format.name not in FILE_TYPES and not format.is_own:
            raise ValueError(f"'{format.name}' is none of {KEEP}, {', '.join(FILE_TYPES)}, int4, uint4, int8 "
                             "(:g32, :g64, :g128, :g256; :g32:bf16, …)")  # fmt: skip
    return formats
