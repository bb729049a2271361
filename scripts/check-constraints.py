#!/usr/bin/env python3
"""Checks that every numbered constraint of a dialect is verified and tested.

    scripts/check-constraints.py dialects/moe test/dialects/moe

A constraint `* (C2)` in the description of the operation `rms_norm` needs a comment `// rms_norm_c2`
where a verifier checks it and a test of its violation that contains the symbol `@rms_norm_c2` (or
`@rms_norm_c2_…`, where a constraint can be violated in several ways). Comments and tests that name
a constraint that is not described are errors too. Prints all findings; exit status 1 if there are
any.
"""

import pathlib
import re
import sys

# Operations by mnemonic, attributes by name.
OPERATION = re.compile(r'^def \w+(?:Op|Attr) : \w+<(?:\w+, )?"(\w+)"', re.MULTILINE)
CONSTRAINT = re.compile(r"^\s*\* \(C(\d+)\)", re.MULTILINE)


def described(folder):
    """{(operation, number): file} of the constraints in the .td files of a folder."""
    found = {}
    for path in sorted(folder.glob("*.td")):
        text = path.read_text()
        starts = list(OPERATION.finditer(text)) + [None]
        for this, following in zip(starts, starts[1:]):
            body = text[this.end() : following.start() if following else len(text)]
            for number in CONSTRAINT.findall(body):
                found[this[1], int(number)] = path
    return found


def named(folder, pattern, before, operations):
    """{(operation, number): file} of the names `before`operation_cN in the files of a folder."""
    name = re.compile(before + "(" + "|".join(operations) + r")_c(\d+)(?![0-9])")
    found = {}
    for path in sorted(folder.rglob(pattern)):
        for operation, number in name.findall(path.read_text()):
            found.setdefault((operation, int(number)), path)
    return found


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    dialect, tests = (pathlib.Path(argument) for argument in sys.argv[1:])
    constraints = described(dialect)
    if not constraints:
        sys.exit(f"{dialect}: no constraint found")
    # Longer names first: `gated_linear` ends in `linear`.
    operations = sorted({operation for operation, _ in constraints}, key=len, reverse=True)
    verified = named(dialect, "*.cpp", "// ", operations)
    tested = named(tests, "*.mlir", "@", operations)

    findings = []
    for (operation, number), path in sorted(constraints.items()):
        name = f"{operation}_c{number}"
        if (operation, number) not in verified:
            findings.append(f"{path}: no verifier has the comment // {name}")
        if (operation, number) not in tested:
            findings.append(f"{path}: no test has @{name}")
    for where in (verified, tested):
        for (operation, number), path in sorted(where.items()):
            if (operation, number) not in constraints:
                findings.append(f"{path}: {operation} has no constraint (C{number})")
    if findings:
        sys.exit("\n".join(findings))
    print(f"{len(constraints)} constraints of {dialect} are verified and tested")


main()
