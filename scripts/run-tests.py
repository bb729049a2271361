#!/usr/bin/env python3
"""Runs the tests of a build folder, a line for each suite; the last line is "N passed, N failed".

    scripts/run-tests.py build/release [--lint] [unit lit golden examples lint]

    unit      the GoogleTest programs in BUILD/tests
    lit       the lit tests
    golden    compiles the checkpoints of test/golden/tiny and compares what they compute
    examples  the transcripts in the documentation
    lint      formatting, names, lengths of files, borders between folders, link lines
"""

import argparse
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
SCRIPTS = ROOT / "scripts"
MINUTES = 15  # that one command may take
# MLIR's own objects are not instrumented: they fill memory that ours have marked as unused.
SANITIZERS = {"ASAN_OPTIONS": "allow_user_poisoning=0:detect_leaks=0"}
SKIPPED = r"^(?:\[  SKIPPED \] (?=\d+ test)|\s*Unsupported\s*:\s*)(\d+)"  # GoogleTest's, lit's


class Tally:
    def __init__(self):
        self.passed = self.failed = 0

    def add(self, name, passed, failed, seconds, output):
        self.passed += passed
        self.failed += failed
        print(f"{name:44} {passed:5} passed {failed:3} failed {seconds:6.1f} s", flush=True)
        if failed:
            print(output.rstrip(), flush=True)


def run(command, environment={}):
    """Exit status, output of both kinds, seconds."""
    start = time.monotonic()
    try:
        done = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, cwd=ROOT,
                              stderr=subprocess.STDOUT, text=True, errors="replace",
                              timeout=60 * MINUTES, env={**os.environ, **environment})
        return done.returncode, done.stdout, time.monotonic() - start
    except subprocess.TimeoutExpired as late:
        output = (late.stdout or b"").decode(errors="replace")
        return 124, f"{output}\nstopped after {MINUTES} minutes", time.monotonic() - start


def last_number(pattern, text):
    found = re.findall(pattern, text, re.MULTILINE)
    return int(found[-1]) if found else 0


def count(tally, name, command, passed_pattern, failed_pattern, environment={}):
    """Runs a command that says how many tests passed and failed, and trusts its exit status more."""
    status, output, seconds = run(command, environment)
    passed = last_number(passed_pattern, output)
    failed = last_number(failed_pattern, output)
    skipped = last_number(SKIPPED, output)
    if (status or not passed + skipped) and not failed:
        failed = 1
        output += f"\nexit status {status}"
    tally.add(name, passed, failed, seconds, output)
    if skipped:
        print(f"{name}: {skipped} skipped, since what they read could not be had", flush=True)


def summary(tally, name, command, environment={}):
    """A command whose last line is `N passed, N failed`."""
    count(tally, name, command, r"^(\d+) passed, \d+ failed$", r"^\d+ passed, (\d+) failed$",
          environment)


def fetch_models():
    """What some tests read; those say so and are skipped where it cannot be had."""
    for model in ["smollm2", "gpt2-vocabulary"]:
        subprocess.run([SCRIPTS / "fetch-model", model], stdout=subprocess.DEVNULL)
    # The first model that bench/models writes fetches its packages.
    subprocess.run([ROOT / "bench" / "models", "tiny-llama"], stdout=subprocess.DEVNULL)


def unit(tally, build):
    programs = sorted(p for p in (build / "tests").iterdir() if p.is_file() and os.access(p, os.X_OK))

    def run_shard(program, number, shards):
        name = program.name if shards == 1 else f"{program.name}, part {number + 1} of {shards}"
        part = {"GTEST_TOTAL_SHARDS": str(shards), "GTEST_SHARD_INDEX": str(number)}
        count(tally, name, [program, "--gtest_brief=1"], r"^\[  PASSED  \] (\d+) test",
              r"^\[  FAILED  \] (\d+) test", {**SANITIZERS, **part})

    for program in programs:
        # Compiles hundreds of kernels on one core; the others start more programs than they compute.
        shards = len(os.sched_getaffinity(0)) if program.name == "CodegenCpuTest" else 1
        with concurrent.futures.ThreadPoolExecutor(shards) as pool:
            list(pool.map(lambda number: run_shard(program, number, shards), range(shards)))


def lit(tally, build):
    count(tally, "lit", ["/usr/lib/llvm-22/bin/lit", "-s", "-v", build / "test"],
          r"^\s*Passed\s*:\s*(\d+)", r"^\s*(?:Failed|Unresolved)\s*:\s*(\d+)")


def golden(tally, build):
    compare = ROOT / "test" / "golden" / "compare.py"
    moire = ["--moire", build / "bin" / "moire"]
    folders = sorted(p.parent for p in (ROOT / "test/golden/tiny").glob("*/golden.json"))
    summary(tally, "golden checkpoints, layer by layer",
            [sys.executable, compare, *moire, "--keep", *folders])
    with_gguf = [folder for folder in folders if list(folder.glob("*.gguf"))]
    summary(tally, "golden checkpoints as GGUF",
            [sys.executable, compare, *moire, "--gguf", *with_gguf])


def examples(tally, build):
    summary(tally, "transcripts in the documentation",
            [sys.executable, SCRIPTS / "check-transcripts.py", ROOT / "README.md"],
            {"PATH": f"{build / 'bin'}{os.pathsep}{os.environ['PATH']}"})


def lint(tally, build):
    for name, command in {
        "formatting": ["check-format.py"],
        "names": ["check-names.py"],
        "lengths of files": ["check-lengths.py"],
        "borders between folders": ["check-borders.py"],
        "link lines": ["check-links.py", build],
    }.items():
        summary(tally, name, [sys.executable, SCRIPTS / command[0], *command[1:]])


SUITES = {"unit": unit, "lit": lit, "golden": golden, "examples": examples, "lint": lint}


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("suites", nargs="*", metavar="SUITE", help=" ".join(SUITES))
    parser.add_argument("--lint", action="store_true", help="the suite lint beside the others")
    options = parser.parse_args()
    if unknown := [name for name in options.suites if name not in SUITES]:
        parser.error(f"there is no suite {unknown[0]}; there are {', '.join(SUITES)}")
    wanted = options.suites or [name for name in SUITES if name != "lint"]
    if options.lint and "lint" not in wanted:
        wanted.append("lint")
    fetch_models()
    tally = Tally()
    for name in wanted:
        SUITES[name](tally, options.build.resolve())
    print(f"{tally.passed} passed, {tally.failed} failed")
    sys.exit(1 if tally.failed or not tally.passed else 0)


if __name__ == "__main__":
    main()
