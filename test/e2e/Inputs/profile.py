#!/usr/bin/env python3
"""A program with time stamps computes the same bits, and all time of a step belongs to a region.

    profile.py MODEL WORK_FOLDER [--experts N] [-- OPTIONS]

OPTIONS are those of `moire compile`. Nothing is said of how fast anything is: times are compared with
their own sum, and with the clock around them.
"""

import argparse
import filecmp
import json
import pathlib
import re
import sys

from programs import compile_model, fail, info, random_ids, run, spelled, write_logits

PROMPT, GENERATED = 20, 6
ROUNDED = 0.05001  # microseconds, of a time in the table
HEAD = re.compile(r"^(\w+): (\d+) steps?, (\d+) tokens?, (\d+) threads?$")


def tables(text):
    """{kind: (steps, {region: [calls, microseconds, …]})}"""
    found, rows = {}, None
    for line in text.splitlines():
        if head := HEAD.match(line):
            rows = {}
            found[head[1]] = (int(head[2]), rows)
        elif line.startswith("| ") and not line.startswith(("| region", "| ---")):
            name, *cells = [cell.strip() for cell in line.strip("|").split("|")]
            rows[name] = [float(cell.rstrip("%")) if cell else None for cell in cells]
    return found


def check_table(kind, rows):
    step = rows.pop("step")
    if any(not row[0] > 0 for row in rows.values()):
        fail(f"{kind}: a region without a call in {rows}")
    total = sum(row[1] for row in rows.values())
    if abs(total - step[1]) > ROUNDED * (len(rows) + 1):
        fail(f"{kind}: the regions take {total} us, the step {step[1]} us")
    of_threads = sum(row[3] for row in rows.values())
    if abs(of_threads - step[1]) > ROUNDED * (len(rows) + 1):
        fail(f"{kind}: a thread takes {of_threads} us, the step {step[1]} us")
    return step[1]


def check_trace(events, kind, rows, layers, threads):
    pid = next(e["pid"] for e in events if e["ph"] == "M" and e["args"]["name"] == kind)
    events = [e for e in events if e["pid"] == pid and e["ph"] == "X"]
    parts = [e for e in events if e["name"] != "step" and not e["name"].startswith("layer_")]
    if {e["name"] for e in parts} != set(rows):
        fail(f"{kind}: the trace has the regions {sorted({e['name'] for e in parts})}, the table "
             f"{sorted(rows)}")
    for step in (e for e in events if e["name"] == "step"):
        begin, end = step["ts"], step["ts"] + step["dur"]
        inside = [e for e in parts if e["tid"] == step["tid"] and begin <= e["ts"] < end]
        total = sum(e["dur"] for e in inside)
        if abs(total - step["dur"]) > 1e-3 * step["dur"]:
            fail(f"{kind}: the regions of a step take {total} us, the step {step['dur']} us")
        if {e["args"]["layer"] for e in inside if "layer" in e["args"]} != set(range(layers)):
            fail(f"{kind}: not every one of {layers} layers is in the trace")
    if {e["tid"] for e in events} != set(range(threads)):
        fail(f"{kind}: not every one of {threads} threads is in the trace")
    return parts


def main():
    words = sys.argv[1:]
    end = words.index("--") if "--" in words else len(words)
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model")
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--experts", type=int, default=0, help="that a layer of experts has")
    options = parser.parse_args(words[:end])
    options.folder.mkdir(parents=True, exist_ok=True)
    plain = compile_model(options.model, options.folder / "plain", *words[end + 1:])
    profiled = compile_model(options.model, options.folder / "profiled", "--profile",
                             *words[end + 1:])
    about = info(plain)
    ids = random_ids(PROMPT, about["vocab"])
    for threads, piece in (1, PROMPT), (3, PROMPT), (2, 1):
        logits = [write_logits(program, ids, options.folder / f"{program.name}.logits", "--threads",
                               threads, "--chunk", piece) for program in (plain, profiled)]
        if not filecmp.cmp(*logits, shallow=False):
            fail(f"{threads} threads, pieces of {piece}: time stamps have changed the logits")

    threads = 3
    trace_file = options.folder / "trace.json"
    result = run(profiled, "--token-ids", spelled(ids), "--print-ids", "-n", GENERATED,
                 "--json", "--threads", threads, "--trace", trace_file)
    answer = json.loads(result.stdout)
    events = json.loads(trace_file.read_text())["traceEvents"]
    kinds = tables(result.stderr)
    for kind, steps, key in (("prompt", 1, "prompt_seconds"),
                             ("generation", GENERATED - 1, "generation_seconds")):
        counted, rows = kinds[kind]
        if counted != steps:
            fail(f"{kind}: {counted} steps were counted, not {steps}")
        time = check_table(kind, rows)
        if steps * (time - ROUNDED) * 1e-6 > answer[key]:
            fail(f"{kind}: {steps} steps of {time} us are more than {answer[key]} s")
        parts = check_trace(events, kind, rows, about["layers"], threads)
        if options.experts and kind == "prompt":
            met = {e["args"]["experts"] for e in parts if "experts" in e["args"]}
            if not met or not met <= set(range(1, options.experts + 1)):
                fail(f"{met} of {options.experts} experts had a token")
        joined = ("attend_combine",) if kind == "generation" else ()
        for row in ("contract head", "attend", *joined):
            if not all(cell is not None and cell >= 0 for cell in rows[row]):
                fail(f"{kind}: {row} has nothing to read or to compute: {rows[row]}")
    print(f"the same logits; {len(kinds['prompt'][1])} regions and {len(events)} events add up")


main()
