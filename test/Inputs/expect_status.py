"""Runs a command that must end with an exit status: expect_status.py STATUS COMMAND ARGUMENTS…"""

import subprocess
import sys

expected, command = int(sys.argv[1]), sys.argv[2:]
status = subprocess.run(command).returncode
if status != expected:
    sys.exit(f"expected exit status {expected}, found {status}: {' '.join(command)}")
