"""Calls of programs, and how what they print is read: a benchmark's as {Test: tokens per second}."""

import dataclasses
import json
import re
import shlex
import subprocess
import tempfile
import typing

from .suite import Test


class Failure(Exception):
    """A side cannot run a suite; the text says why."""


class NotSupported(Failure):
    """… and never will: the other sides go on, and nothing is wrong."""


@dataclasses.dataclass(frozen=True)
class Call:
    command: list
    read: typing.Callable = lambda text: None  # text → what is wanted of it

    @property
    def text(self):
        return shlex.join(map(str, self.command))


def run(command):
    """(status, standard output and error) of a command, in a folder where it may leave files behind."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            done = subprocess.run([str(word) for word in command], cwd=folder, text=True, errors="replace",
                                  stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)  # fmt: skip
        except OSError as error:
            raise Failure(f"cannot run {command[0]}: {error.strerror}") from error
    return done.returncode, done.stdout, done.stderr


def _why(said):
    """The line that tells most: an abort of ggml is followed by its stack."""
    lines = said.split("\n") if said else ["it said nothing"]
    return next((line for line in lines if "ASSERT" in line), lines[-1])


def answer(call):
    """What a call printed, as it is read."""
    status, out, err = run(call.command)
    if status:
        how = f"signal {-status}" if status < 0 else f"exit status {status}"
        raise Failure(f"{call.text} failed with {how}: {_why(err.strip() or out.strip())}")
    try:
        return call.read(out if out.strip() else err)
    except Failure as error:
        raise Failure(f"{call.text}: {error}") from None


def read_value(text):
    """Any JSON."""
    try:
        return json.loads(text)
    except ValueError:
        raise Failure(f"no JSON: {text[:200]!r}") from None


def read_results(text):
    """What llama-bench prints with `-o json`, and compiled programs with the same keys: {Test: fields}."""
    results = {}
    try:
        for result in read_value(text):
            prompt, generated = result["n_prompt"], result["n_gen"]
            test = Test("tg" if generated else "pp", generated or prompt, result.get("n_depth", 0),
                        result["n_threads"], result.get("n_sequences", 1))  # fmt: skip
            results[test] = {**result, "avg_ts": float(result["avg_ts"])}
    except (KeyError, TypeError, ValueError) as error:
        raise Failure(f"not the JSON of llama-bench: {error!r}") from None
    return results


def read_json(text):
    """Of that the speeds."""
    return {test: result["avg_ts"] for test, result in read_results(text).items()}


def _rows(text):
    """Rows of the tables of llama-batched-bench and llama-sweep-bench: {column: number}."""
    names = None
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if cells[0] == "PP":
            names = cells
        elif names and len(cells) == len(names) and re.fullmatch(r"\d+", cells[0]):
            yield dict(zip(names, map(float, cells)))


def read_batches(threads):
    """For llama-batched-bench."""
    return lambda text: {Test("tg", int(row["TG"]), int(row["PP"]), threads, int(row["B"])): row["S_TG t/s"]
                         for row in _rows(text)}  # fmt: skip


def read_sweep(threads):
    """For llama-sweep-bench: a prompt's and a generation's speed at each depth."""

    def read(text):
        speeds = {}
        for row in _rows(text):
            depth = int(row["N_KV"])
            speeds[Test("pp", int(row["PP"]), depth, threads)] = row["S_PP t/s"]
            speeds[Test("tg", int(row["TG"]), depth, threads)] = row["S_TG t/s"]
        return speeds

    return read
