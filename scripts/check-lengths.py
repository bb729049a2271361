#!/usr/bin/env python3
"""Checks that no source file has grown past what can be read at a sitting.

Counted are code, tests, scripts and build files; not texts, and not what test/golden holds.
"""

import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
MOST = 400  # lines
SUFFIXES = {".h", ".c", ".cpp", ".S", ".td", ".def", ".py", ".mlir", ".test", ".moire", ".cmake"}


def is_source(path):
    if path.parts[:2] == ("test", "golden") or not (ROOT / path).is_file():
        return False
    if path.suffix in SUFFIXES or path.name == "CMakeLists.txt":
        return True
    return not path.suffix and (ROOT / path).read_bytes()[:2] == b"#!"


def main():
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True,
                             check=True).stdout.split("\0")
    files = [path for path in map(pathlib.Path, filter(None, tracked)) if is_source(path)]
    failed = 0
    for path in files:
        lines = (ROOT / path).read_text().count("\n")
        if lines > MOST:
            failed += 1
            print(f"{path}: {lines} lines, at most {MOST}: split it by what its parts are about")
    print(f"{len(files) - failed} passed, {failed} failed")
    sys.exit(1 if failed or not files else 0)


if __name__ == "__main__":
    main()
