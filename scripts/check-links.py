#!/usr/bin/env python3
"""Checks that nothing is linked with static libraries of LLVM beside the shared ones.

    scripts/check-links.py build/release

Two copies of LLVM in a process disagree about what is registered, and nothing says so. Only lld's
libraries exist in no other form.
"""

import pathlib
import re
import sys

STATIC = re.compile(r"\S*/(lib(?:MLIR|LLVM|clang)\w*\.a)\b")


def main():
    ninja = pathlib.Path(sys.argv[1]) / "build.ninja"
    libraries = [line for line in ninja.read_text().split("\n")
                 if line.strip().startswith(("LINK_LIBRARIES =", "LINK_FLAGS ="))]
    failures = sorted({name for line in libraries for name in STATIC.findall(line)})
    for name in failures:
        print(f"{name} is linked; link MLIR and LLVM (libMLIR.so, libLLVM.so) instead")
    print(f"{len(libraries) - len(failures)} passed, {len(failures)} failed")
    sys.exit(1 if failures or not libraries else 0)


if __name__ == "__main__":
    main()
