#!/usr/bin/env python3
"""Checks that the C and C++ files of the repository are as clang-format-22 would write them."""

import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
SUFFIXES = {".h", ".c", ".cpp"}


def main():
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True,
                             check=True).stdout.split("\0")
    files = [f for f in tracked if pathlib.PurePath(f).suffix in SUFFIXES and (ROOT / f).is_file()]
    failed = 0
    for file in files:
        done = subprocess.run(["clang-format-22", "--dry-run", "-Werror", file], cwd=ROOT,
                              capture_output=True, text=True)
        if done.returncode:
            failed += 1
            first = done.stderr.split("\n")[0]
            print(f"{first}\n  clang-format-22 -i {file}")
    print(f"{len(files) - failed} passed, {failed} failed")
    sys.exit(1 if failed or not files else 0)


if __name__ == "__main__":
    main()
