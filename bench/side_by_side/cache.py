"""What is fetched or made outside of the repository: in $MOIRE_CACHE, $XDG_CACHE_HOME/moire or
~/.cache/moire."""

import contextlib
import fcntl
import hashlib
import os
import pathlib
import shlex
import shutil
import subprocess
import sys
import tempfile


def say(message):
    print(message, file=sys.stderr, flush=True)


def fail(message, code=1):
    say(f"{pathlib.Path(sys.argv[0]).name}: {message}")
    sys.exit(code)


def folder(name):
    """The folder `name` of the cache; it exists."""
    base = os.environ.get("MOIRE_CACHE")
    if not base:
        cache = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
        base = pathlib.Path(cache) / "moire"
    path = (pathlib.Path(base) / name).absolute()
    path.mkdir(parents=True, exist_ok=True)
    return path


@contextlib.contextmanager
def workplace(target):
    """A temporary folder beside `target`, for one process at a time. What is complete is renamed to
    `target` by the caller; what a killed process left behind goes."""
    with open(target.parent / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for leftover in target.parent.glob("unfinished-*"):
            shutil.rmtree(leftover)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix="unfinished-") as work:
            yield pathlib.Path(work)


def run_tool(command, **options):
    """Runs a step of the set-up with its output on standard error."""
    say("$ " + shlex.join(map(str, command)))
    try:
        result = subprocess.run(command, stdout=sys.stderr, **options)
    except FileNotFoundError:
        fail(f"'{command[0]}' is not installed")
    if result.returncode:
        fail(f"'{command[0]}' failed with exit status {result.returncode}")


def pip(verb, *arguments):
    run_tool([sys.executable, "-m", "pip", verb, "--disable-pip-version-check", "--no-deps", *arguments])


def fetch_source(package, version, archive, sha256, work):
    """The source archive of a package of the Python Package Index, fetched into `work` and verified."""
    pip("download", "--no-binary", package, "--dest", work, f"{package}=={version}")
    path = work / archive
    if not path.exists():
        fail(f"pip fetched no {archive}")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    if digest != sha256:
        fail(f"{archive} has SHA-256 {digest}, expected {sha256}", 3)
    return path
