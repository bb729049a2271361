#!/usr/bin/env python3
"""A compilation that is killed at any time leaves either nothing that looks finished or the whole
program: kill_compilation.py MODEL EMPTY_FOLDER"""

import pathlib
import signal
import subprocess
import sys
import time

from programs import fail, run


def compilation(model, program):
    return subprocess.Popen(["moire", "compile", model, "-O0", "--quiet", "-o", str(program)],
                            stderr=subprocess.PIPE)


def main():
    model, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    program = folder / "program"
    begin = time.monotonic()
    compilation(model, program).communicate()
    duration = time.monotonic() - begin
    for kind, share in ((signal.SIGINT, 0.5), (signal.SIGKILL, 0.2), (signal.SIGKILL, 0.6),
                        (signal.SIGKILL, 0.9)):
        program.unlink(missing_ok=True)
        compiler = compilation(model, program)
        time.sleep(share * duration)
        compiler.send_signal(kind)
        compiler.communicate()
        # Only where file systems have no files without a name is a name taken before the end.
        left = [path.name for path in folder.iterdir() if path.suffix != ".partial"]
        if left not in ([], ["program"]):
            fail(f"{kind.name} left {left}")
        if left:
            run(program, "--verify")


main()
