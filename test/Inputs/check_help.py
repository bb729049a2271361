"""Checks texts of help: check_help.py FILE… Each begins with an example and fits a screen."""

import sys

ROWS, COLUMNS = 24, 100

for path in sys.argv[1:]:
    lines = open(path).read().rstrip("\n").split("\n")
    if not lines[0].startswith("Example: "):
        sys.exit(f"{path}: expected an example in the first line, found {lines[0]!r}")
    if len(lines) > ROWS:
        sys.exit(f"{path}: expected at most {ROWS} lines, found {len(lines)}")
    for line in lines:
        if len(line) > COLUMNS:
            sys.exit(f"{path}: expected at most {COLUMNS} columns, found {len(line)}: {line}")
