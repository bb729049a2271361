"""Looks into the loops of expanded kernels (standard input, or a file).

    check_loops.py [FILE]

In a loop there may be no allocation, no copy and no call but of a layer; in an innermost loop of a
product (a dot product's instruction, or an fma with a broadcast number) there may be no mask. Prints
what it found and fails, or prints how many loops it looked at.
"""

import re
import sys

FORBIDDEN = re.compile(
    r"memref\.(alloc|alloca|copy|dealloc)\b|linalg\.|tensor\.|tile\.alloc|bufferization\."
)
CALL = re.compile(r"\bcall @([\w.]+)|llvm\.call @")
MASK = re.compile(r"vector\.(masked|maskedload|maskedstore|create_mask|constant_mask|gather|scatter)")


def is_product(operations):
    return "llvm.call_intrinsic" in operations or {"math.fma", "vector.broadcast"} <= operations


def main():
    lines = (open(sys.argv[1]) if len(sys.argv) > 1 else sys.stdin).read().split("\n")
    findings = []
    stack = []  # of loops: {"innermost", "masks", "operations"}; None for other regions
    count = 0
    for number, line in enumerate(lines, 1):
        if line.strip().startswith("}") and stack:
            loop = stack.pop()
            if loop is not None and loop["innermost"] and is_product(loop["operations"]):
                findings += [f"{n}: a mask in the loop of a product" for n in loop["masks"]]
        loops = [entry for entry in stack if entry is not None]
        if loops:
            if FORBIDDEN.search(line):
                findings.append(f"{number}: in a loop: {line.strip()}")
            call = CALL.search(line)
            if call and not (call[1] or "").startswith("layer"):
                findings.append(f"{number}: a call in a loop: {line.strip()}")
            if MASK.search(line):
                loops[-1]["masks"].append(number)
            for name in ("llvm.call_intrinsic", "math.fma", "vector.broadcast"):
                if name in line:
                    loops[-1]["operations"].add(name)
        if line.rstrip().endswith("{"):
            if "scf.for" in line:
                count += 1
                for entry in loops:
                    entry["innermost"] = False
                stack.append({"innermost": True, "masks": [], "operations": set()})
            else:
                stack.append(None)
    if findings or not count:
        sys.exit("\n".join(findings or ["no loop found"]))
    print(f"{count} loops looked at")


main()
