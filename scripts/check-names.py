#!/usr/bin/env python3
"""Checks that a pass has one name in four spellings.

FuseQkv (passes/Passes.td) is passes/**/FuseQkv.cpp, -moe-fuse-qkv, and
test/passes/**/fuse-qkv.mlir with its fuse-qkv-refuses.mlir and fuse-qkv-equivalent.mlir.
A phase, such as InsertBarriers (codegen/cpu/Passes.td), is codegen/cpu/InsertBarriers.cpp,
-tile-insert-barriers, and test/codegen/cpu/insert-barriers.mlir.
"""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
PASS = re.compile(r'^def (\w+) : Pass<"([\w-]+)"', re.MULTILINE)


def kebab(name):
    return re.sub(r"(?<!^)(?=[A-Z])", "-", name).lower()


def main():
    failures = []
    passes = [("passes", "moe", ["", "-refuses", "-equivalent"], *found)
              for found in PASS.findall((ROOT / "passes/Passes.td").read_text())]
    passes += [("codegen/cpu", "tile", [""], *found)
               for found in PASS.findall((ROOT / "codegen/cpu/Passes.td").read_text())]
    for home, dialect, tests, name, flag in passes:
        wrong = []
        if flag != f"{dialect}-{kebab(name)}":
            wrong.append(f"its option is -{flag}, expected -{dialect}-{kebab(name)}")
        sources = list((ROOT / home).rglob(f"{name}.cpp"))
        if len(sources) != 1:
            wrong.append(f"expected one file {name}.cpp below {home}/, found {len(sources)}")
        for test in tests:
            file = f"{kebab(name)}{test}.mlir"
            folder = ROOT / "test" / home
            if sources:
                folder = ROOT / "test" / sources[0].parent.relative_to(ROOT)
            if not (folder / file).is_file():
                wrong.append(f"expected a test {(folder / file).relative_to(ROOT)}")
        if wrong:
            failures.append(f"{name}: " + "; ".join(wrong))
    # A file that defines a pass of another name.
    for source in (ROOT / "passes").rglob("*.cpp"):
        for macro in re.findall(r"#define GEN_PASS_DEF_(\w+)", source.read_text()):
            if macro != source.stem.upper():
                failures.append(f"{source.relative_to(ROOT)}: defines the pass {macro}")
    print("\n".join(failures + [f"{len(passes) - min(len(passes), len(failures))} passed, "
                                f"{len(failures)} failed"]))
    sys.exit(1 if failures or not passes else 0)


if __name__ == "__main__":
    main()
