"""Compares the numbers that two programs printed: compare_printed.py BEFORE AFTER [--relative R].

Every number may differ by R (default 0) times the largest magnitude in its matrix; everything that
is no number must be equal. Exit status 1 and a message at the first difference.
"""

import argparse
import re
import sys

NUMBER = re.compile(r"[-+]?(?:nan|inf|\d+\.?\d*(?:e[-+]?\d+)?)")


def matrices(path):
    """The text of each printed matrix: its header, then its rows."""
    return re.split(r"^(?=Unranked Memref)", open(path).read(), flags=re.MULTILINE)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("before")
    parser.add_argument("after")
    parser.add_argument("--relative", type=float, default=0.0)
    options = parser.parse_args()
    before, after = matrices(options.before), matrices(options.after)
    if len(before) != len(after) or len(before) < 2:
        sys.exit(f"expected as many matrices as before, {len(before) - 1}, found {len(after) - 1}")
    for which, (x, y) in enumerate(zip(before, after)):
        (shape_x, _, x), (shape_y, _, y) = x.partition("\n"), y.partition("\n")
        if shape_x != shape_y or NUMBER.sub("#", x).split() != NUMBER.sub("#", y).split():
            sys.exit(f"matrix {which}: expected the form of\n{shape_x}\nfound\n{shape_y}")
        xs, ys = ([float(n) for n in NUMBER.findall(rows)] for rows in (x, y))
        allowed = options.relative * max((abs(n) for n in xs), default=0.0)
        for place, (a, b) in enumerate(zip(xs, ys)):
            if a != b and not abs(a - b) <= allowed:
                sys.exit(f"matrix {which}, number {place}: expected {a}, found {b}")


main()
