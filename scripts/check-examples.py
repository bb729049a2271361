#!/usr/bin/env python3
"""Runs the examples in the descriptions of a dialect's operations.

    scripts/check-examples.py moire-opt dialects/moe/*.td

Every operation has an example, a ```mlir block. A block that is a fragment is made a program:
values that it uses and does not define become arguments, whose types are read off the operation's
type list, and weights that it reads are declared. Each program must parse, verify, print and parse
again; without taps, it must also decompose. Prints what failed; exit status 1 if anything did.
"""

import re
import subprocess
import sys

OPERATION = re.compile(r'^def \w+Op : \w+<(?:\w+, )?"(\w+)"', re.MULTILINE)
BLOCK = re.compile(r"```mlir\n(.*?)```", re.DOTALL)

DECOMPOSE = ["--moe-randomize-weights", "--moe-decompose"]

# Operations whose operands share types: for each operand, which type of the list it has.
SHARED_TYPES = {"moe.gate": [0, -1], "moe.attention": [0, 1, 1, 2, 3]}


def statements(block):
    """The operations of a fragment; a line that starts one starts with a value or a name."""
    found = []
    for line in block.split("\n"):
        line = line.strip()
        if re.match(r"(%\w+(, %\w+)* = )?moe\.", line):
            found.append(line)
        elif line and found:
            found[-1] += " " + line
    return found


def split_types(text):
    """The types of a list, at whose commas no angle bracket is open."""
    types, depth, start = [], 0, 0
    for place, c in enumerate(text):
        depth += (c == "<") - (c == ">")
        if c == "," and depth == 0:
            types.append(text[start:place].strip())
            start = place + 1
    return types + [text[start:].strip()]


def operands(statement):
    """[(name, type)] of the operands of a statement."""
    operation = re.search(r"moe\.\w+", statement)[0]
    text = statement[statement.index(operation) :]
    # Attributes have types of their own.
    head, _, types = re.sub(r" \{[^{}]*\}", "", text).partition(" : ")
    indices = re.findall(r"\[%(\w+)\]", head)
    names = re.findall(r"%(\w+)", re.sub(r"\[%\w+\]", "", head))
    types = split_types(types.split(" -> ")[0])
    which = SHARED_TYPES.get(operation, range(len(names)))
    return [(name, "index") for name in indices] + [
        (name, types[place]) for name, place in zip(names, which)
    ]


def weight(statement):
    """The declaration of the weight that a statement reads."""
    name, slice, shape = re.search(r"moe\.read @(\w+)(\[.*?\])? : tensor<(.*)>$", statement).groups()
    if slice:
        return f'moe.weight @{name} : tensor<2x{shape}> = #moe.source<"{{i}}", layers = [0, 1]>'
    return f'moe.weight @{name} : tensor<{shape}> = #moe.source<"{name}">'


def program(block):
    if "func.func" in block:
        return block
    inside, symbols, arguments, defined = [], [], {}, set()
    for statement in statements(block):
        if "moe.weight" in statement:
            symbols.append(statement)
            continue
        if "moe.read" in statement:
            symbols.append(weight(statement))
            for name in re.findall(r"\[%(\w+)\]", statement):
                arguments[name] = "index"
        else:
            for name, type in operands(statement):
                if name not in defined:
                    arguments[name] = type
        defined.update(re.findall(r"%(\w+)", statement.partition(" = moe.")[0]))
        inside.append("  " + statement)
    signature = ", ".join(f"%{name}: {type}" for name, type in arguments.items())
    body = inside + ["  return"]
    return "\n".join(symbols + [f"func.func @example({signature}) {{"] + body + ["}"]) + "\n"


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    moire_opt, files = sys.argv[1], sys.argv[2:]
    findings, examples = [], 0
    for path in files:
        text = open(path).read()
        starts = list(OPERATION.finditer(text)) + [None]
        for this, following in zip(starts, starts[1:]):
            body = text[this.end() : following.start() if following else len(text)]
            blocks = BLOCK.findall(body)
            if not blocks:
                findings.append(f"{path}: {this[1]} has no example")
            for block in blocks:
                if f"moe.{this[1]}" not in block:
                    findings.append(f"{path}: an example of {this[1]} does not contain it")
                source = program(block)
                examples += 1
                runs = [["--verify-roundtrip"]] + [DECOMPOSE] * ("moe.tap" not in source)
                for options in runs:
                    run = subprocess.run(
                        [moire_opt, *options], input=source, capture_output=True, text=True
                    )
                    left = re.findall(r"\bmoe\.\w+", run.stdout)
                    if run.returncode != 0:
                        findings.append(f"{path}: {this[1]}: {run.stderr}\n{source}")
                    elif options is DECOMPOSE and left:
                        findings.append(f"{path}: {this[1]} leaves {left} behind\n{source}")
    if findings:
        sys.exit("\n".join(findings))
    if examples == 0:
        sys.exit("no example found")
    print(f"{examples} examples ran")


main()
