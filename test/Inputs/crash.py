"""Lets the compiler crash inside of code generation: crash.py MODEL FOLDER

The dump of the third phase is a pipe that nobody reads: there the compiler waits, and is sent what a
wrong memory access would send. Exits with its exit status; its messages go to standard output.
"""

import os
import pathlib
import signal
import subprocess
import sys
import time

model, folder = sys.argv[1], pathlib.Path(sys.argv[2])
phases = folder / "phases"
phases.mkdir(parents=True)
os.mkfifo(phases / "03-specialize.mlir")
compiler = subprocess.Popen(
    ["moire", "compile", model, "-o", "program", "--dump-phases=phases"],
    cwd=folder, stderr=subprocess.STDOUT)
deadline = time.monotonic() + 60
while not (phases / "02-optimize.mlir").exists() and time.monotonic() < deadline:
    time.sleep(0.02)
time.sleep(0.5)  # from the end of a phase to the beginning of the next one's dump
compiler.send_signal(signal.SIGSEGV)
sys.exit(compiler.wait(timeout=60))
