#!/usr/bin/env python3
"""Checks the borders between folders: what a file of each may not include or name."""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent

# folder: (a regular expression that no line may match, why)
INCLUDE = r'^\s*#include\s+["<]'
BORDERS = {
    "runtime": (INCLUDE + r"(llvm|mlir|clang|dialects|passes|codegen|frontends|tools)/",
                "the runtime knows no compiler"),
    "frontends/weights": (INCLUDE + r"(mlir/|llvm/IR/|dialects/(?!Formats\.)|passes/|codegen/|runtime/)",
                          "readers are plain data, without IR"),
    "frontends/tokenizer": (INCLUDE + r"(mlir/|llvm/IR/|dialects/|passes/|codegen/)",
                            "readers are plain data, without IR"),
    "frontends": (INCLUDE + r"(passes|codegen|tools)/", "frontends end at the moe dialect"),
    "dialects": (INCLUDE + r"(passes|codegen|frontends|tools)/", "dialects depend on nothing"),
    "passes": (INCLUDE + r"(codegen|frontends|tools|runtime|mlir/Dialect/(MemRef|GPU|LLVMIR|X86Vector))"
               r"|\b(memref|avx|AVX)", "passes name no target and no memory"),
    "codegen": (INCLUDE + r"(tools/|runtime/(?!(Abi|Work|ProfiledRegion|cpu/Features)\.h))",
                "code generation knows no tool, and of the runtime its plain headers"),
}
SUFFIXES = {".h", ".c", ".cpp", ".td", ".def"}


def main():
    files = failed = 0
    for folder, (pattern, why) in BORDERS.items():
        border = re.compile(pattern)
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix not in SUFFIXES:
                continue
            files += 1
            wrong = [(n, line) for n, line in enumerate(path.read_text().split("\n"), 1)
                     if border.search(line)]
            failed += bool(wrong)
            for number, line in wrong:
                print(f"{path.relative_to(ROOT)}:{number}: {why}\n  {line.strip()}")
    print(f"{files - failed} passed, {failed} failed")
    sys.exit(1 if failed or not files else 0)


if __name__ == "__main__":
    main()
