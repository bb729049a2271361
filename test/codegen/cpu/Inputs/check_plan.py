"""Checks the places of buffers in a planned program (standard input, or a file).

    check_plan.py [FILE]

In each function no two buffers that are alive at the same time share bytes; a buffer lives from its
allocation to the last use of it or of a view of it, and as long as a loop that uses it. What forward
keeps across its calls lies below every buffer of a layer. Prints what is wrong and fails, or prints
how many buffers it looked at.
"""

import math
import re
import sys

ALLOC = re.compile(r"(%[\w.]+) = tile\.alloc (shared|private|team)(?:\(%[\w.]+\))? at (\d+) : memref<([^>]*)>")
VIEW = re.compile(r"(%[\w.]+) = memref\.subview (%[\w.]+)")
BITS = {"i8": 1, "i32": 4, "f32": 4, "f16": 2}


def size(space, shape):
    *dims, element = shape.split("x")
    if space == "shared":
        dims = dims[1:]
    return math.prod(map(int, dims)) * BITS[element]


def functions(text):
    """(name, body lines, each with the end of the outermost loop around it)."""
    name, body = None, []
    for line in text.split("\n"):
        if "func.func" in line:
            name, body = re.search(r"@([\w.]+)", line)[1], []
        elif name and line.startswith("  }"):
            yield name, body
            name = None
        elif name:
            body.append(line)


def buffers_of(body):
    ends, depth, first = list(range(len(body))), 0, 0
    for i, line in enumerate(body):
        opens, closes = line.rstrip().endswith("{"), line.strip().startswith("}")
        if opens and depth == 0:
            first = i
        depth += opens - closes
        if closes and depth == 0:
            ends[first : i + 1] = [i] * (i + 1 - first)
    found, root = {}, {}
    for i, line in enumerate(body):
        if match := ALLOC.search(line):
            name, space, offset, shape = match.groups()
            found[name] = {"name": name, "space": space, "offset": int(offset),
                           "bytes": size(space, shape), "first": i, "last": i}
            root[name] = name
            continue
        if (match := VIEW.search(line)) and match[2] in root:
            root[match[1]] = root[match[2]]
        for name in re.findall(r"%[\w.]+", line):
            if name in root:
                found[root[name]]["last"] = ends[i]
    calls = [i for i, line in enumerate(body) if "call @" in line]
    for buffer in found.values():
        buffer["kept"] = any(buffer["first"] <= ends[i] and i <= buffer["last"] for i in calls)
    return list(found.values())


def main():
    text = (open(sys.argv[1]) if len(sys.argv) > 1 else sys.stdin).read()
    wrong, count, kept, layers = [], 0, {}, {}
    for function, body in functions(text):
        buffers = buffers_of(body)
        count += len(buffers)
        for i, a in enumerate(buffers):
            end = a["offset"] + a["bytes"]
            if a["kept"]:
                kept[a["space"]] = max(kept.get(a["space"], 0), end)
            if function.startswith("layer"):
                layers.setdefault(a["space"], []).append((function, a))
            for b in buffers[:i]:
                if (a["space"] == b["space"] and a["first"] <= b["last"] and b["first"] <= a["last"]
                        and a["offset"] < b["offset"] + b["bytes"] and b["offset"] < end):
                    wrong.append(f"{function}: {b['name']} and {a['name']} overlap")
    for space, end in kept.items():
        for function, buffer in layers.get(space, []):
            if buffer["offset"] < end:
                wrong.append(f"{function}: {buffer['name']} lies in what forward keeps")
    if wrong or not count:
        sys.exit("\n".join(wrong or ["no buffer found"]))
    print(f"{count} buffers looked at")


main()
