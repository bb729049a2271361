#!/usr/bin/env python3
"""Runs the examples of a Passes.td: each pass turns its `Before:` IR into its `After:` IR.

    run-examples.py passes/Passes.td

Options of the pass stand between: After, with `rules=int4:g64`:

Both sides are printed by moire-opt (found in PATH) before they are compared, so names and line
breaks of the examples are free.
"""
import difflib
import re
import subprocess
import sys

PASS = re.compile(r'^def (\w+) : Pass<"([\w-]+)".*?^}$', re.MULTILINE | re.DOTALL)
EXAMPLE = re.compile(r"(Before|After)(?:, with `([^`]*)`)?:\s*```mlir\n(.*?)```", re.DOTALL)


def printed(ir, *passes):
    run = subprocess.run(["moire-opt", *passes], input=ir, capture_output=True, text=True)
    if run.returncode:
        sys.exit(f"moire-opt {' '.join(passes)}: exit {run.returncode}\n{run.stderr}")
    return run.stdout


def main():
    source = open(sys.argv[1]).read()
    failed = 0
    passes = list(PASS.finditer(source))
    for match in passes:
        name, flag = match.groups()
        found = EXAMPLE.findall(match.group(0))
        examples = {which: ir for which, _, ir in found}
        options = "".join("=" + options for _, options, _ in found if options)
        if set(examples) != {"Before", "After"}:
            print(f"{name}: its description has no IR before and after")
            failed += 1
            continue
        got = printed(examples["Before"], f"-{flag}{options}")
        want = printed(examples["After"])
        if got != want:
            print(f"{name}: the pass makes something else of its example")
            print("".join(difflib.unified_diff(want.splitlines(True), got.splitlines(True),
                                               "documented", "computed")))
            failed += 1
    print(f"{len(passes) - failed} passed, {failed} failed")
    sys.exit(1 if failed or not passes else 0)


if __name__ == "__main__":
    main()
