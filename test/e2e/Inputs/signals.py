#!/usr/bin/env python3
"""What a program does when its reader goes away, and on Ctrl-C: signals.py PROGRAM"""

import signal
import subprocess
import sys
import time

from programs import fail

# Long enough to be interrupted: minutes.
ENDLESS = [sys.argv[1], "--token-ids", "1,2,3", "--print-ids", "-n", "60000"]
IDS_ARE_PRINTED_AT_ONCE = 3


def start(arguments=ENDLESS):
    return subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            stdin=subprocess.DEVNULL)


def check(what, program, expected):
    """The program has to end now, with one of the statuses, and without a word."""
    try:
        errors = program.communicate(timeout=20)[1].decode()
    except subprocess.TimeoutExpired:
        program.kill()
        fail(f"{what}: the program goes on")
    if program.returncode not in expected or errors:
        fail(f"{what}: exit status {program.returncode}, expected {expected}; errors: {errors}")


def main():
    # head -1: the reader takes something and closes the pipe.
    program = start()
    if len(program.stdout.read(IDS_ARE_PRINTED_AT_ONCE)) < IDS_ARE_PRINTED_AT_ONCE:
        fail("ids are not printed as they are made")
    program.stdout.close()
    program.stdout = None
    check("a closed pipe", program, [-signal.SIGPIPE])

    program = start()
    program.stdout.read(IDS_ARE_PRINTED_AT_ONCE)
    program.send_signal(signal.SIGINT)
    check("an interrupt", program, [130])

    # While the prompt is being read, before anything is printed.
    prompt = ",".join(str(i % 300) for i in range(20000))
    program = start([sys.argv[1], "--token-ids", prompt, "--print-ids", "--chunk", "1"])
    time.sleep(0.3)
    program.send_signal(signal.SIGINT)
    check("an interrupt in the prompt", program, [130])


main()
