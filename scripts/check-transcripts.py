#!/usr/bin/env python3
"""Re-runs the transcripts of Markdown files: what the text shows is what the commands print.

    scripts/check-transcripts.py README.md

A transcript is a ```console block. A line that begins with `$ ` is a command, the lines after it are
what it prints on both streams; `…` stands for anything, also for several lines. The commands of a
block run in one shell, in an empty folder that has the repository's entries as links.
"""

import os
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
BLOCK = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)
MARK = "\x01"  # between the outputs of two commands


def steps(block):
    """The commands of a block and what each is said to print."""
    found = []
    for line in block.rstrip("\n").split("\n"):
        if line.startswith("$ "):
            found.append((line[2:], []))
        elif found:
            found[-1][1].append(line)
    return [(command, "\n".join(output).strip()) for command, output in found]


def matches(expected, printed):
    pattern = ".*".join(re.escape(part) for part in expected.split("…"))
    return re.fullmatch(pattern, printed, re.DOTALL) is not None


def run(commands):
    """What each command prints."""
    script = f"printf '{MARK}'\n".join(f"{command}\n" for command in commands)
    with tempfile.TemporaryDirectory() as folder:
        for entry in ROOT.iterdir():
            os.symlink(entry, pathlib.Path(folder) / entry.name)
        done = subprocess.run(["bash", "-c", script], cwd=folder, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True)
    return [text.strip() for text in done.stdout.split(MARK)]


def main():
    passed = failed = 0
    for path in sys.argv[1:]:
        for block in BLOCK.findall(pathlib.Path(path).read_text()):
            expected = steps(block)
            printed = run([command for command, _ in expected])
            printed += ["(did not run)"] * (len(expected) - len(printed))
            for (command, wanted), got in zip(expected, printed):
                good = matches(wanted, got)
                passed += good
                failed += not good
                if not good:
                    print(f"{path}: $ {command}\nexpected:\n{wanted}\nprinted:\n{got}\n")
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed or not passed else 0)


if __name__ == "__main__":
    main()
