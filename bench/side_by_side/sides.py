"""The sides of a comparison: how each is called for a suite of tests.

A side has a `name` and a `version`, and lists its `calls(suite)`, which together measure all tests
of the suite once: tokens per second, a batch's those of all its sequences together.
"""

import pathlib

from . import peers
from .calls import (Call, Failure, NotSupported, answer, read_batches, read_json, read_results,
                    read_sweep, run)  # fmt: skip
from .suite import Suite

# Moire fills keys and values at a depth with random numbers: what follows takes the same time as
# after a prefill, which the others need.
FILL_SEED = 1


def listed(numbers):
    return ",".join(map(str, numbers))


class Side:
    name = ""
    version = ""
    needs = {}  # Test: (operations, bytes) that a run needs, if the side knows

    def calls(self, suite):
        raise NotImplementedError

    def commands(self, suite):
        """What a reader types to repeat the calls."""
        return [call.text for call in self.calls(suite)]

    def explained(self, failure):
        """A failure in other words, if the side knows better."""
        return failure

    def measure(self, suite):
        """{Test: tokens per second} of all tests of the suite, each run once."""
        speeds = {}
        try:
            for call in self.calls(suite):
                speeds |= answer(call)
        except Failure as failure:
            raise self.explained(failure) from None
        missing = [test.name for test in suite.tests() if test not in speeds]
        if missing:
            raise Failure(f"{self.name} did not measure {', '.join(missing)}")
        return {test: speeds[test] for test in suite.tests()}


class Absent(Side):
    """A side that cannot even be set up."""

    def __init__(self, name, failure):
        self.name = name
        self.version = "not set up"
        self.failure = failure

    def measure(self, suite):
        raise self.failure


class LlamaCpp(Side):
    """llama.cpp's own benchmarks. It repacks the weights for the processor while it loads them."""

    source = peers.LLAMA_CPP
    batch_options = ()

    def __init__(self, programs, version, model, under):
        self.name = self.source.name
        self.programs = programs  # {name: path}
        self.version = version
        self.model = pathlib.Path(model).absolute()
        self.under = under

    def command(self, program, *arguments):
        return [*self.under, self.programs[program], "-m", self.model, *arguments]

    def batches(self, suite):
        if not suite.sequences:
            return []
        depth, generate = Suite.BATCH_DEPTH, suite.generate
        context = max(suite.sequences) * (depth + generate)
        # A thread prints, and the program ends without waiting for it: what is measured last may not
        # be printed (common/log.cpp, common_log_main).
        sequences = [*suite.sequences, min(suite.sequences)]
        return [Call(self.command("llama-batched-bench", "-c", context, "-npp", depth, "-ntg", generate,
                                  "-npl", listed(sequences), "-t", threads, *self.batch_options),
                     read_batches(threads)) for threads in suite.threads]  # fmt: skip

    def calls(self, suite):
        single = Call(self.command("llama-bench", "-p", suite.prompt, "-n", suite.generate,
                                   "-d", listed(suite.depths), "-t", listed(suite.threads),
                                   "-r", 1, "-o", "json"), read_json)  # fmt: skip
        return [single, *self.batches(suite)]

    def explained(self, failure):
        # llama-bench says only with -v why a model was not loaded.
        try:
            _, out, err = run(self.command("llama-bench", "-p", 1, "-n", 0, "-r", 1, "-v"))
        except Failure:
            return failure
        return NotSupported("arch not supported") if "unknown model architecture" in out + err else failure


class IkLlamaCpp(LlamaCpp):
    """Its llama-bench has no depths; llama-sweep-bench goes through all of them in steps of a prompt."""

    source = peers.IK_LLAMA_CPP
    # Flash attention fails an assertion (iqk_fa_templates.h, S > 0) where 64 keys in a row are all of
    # another sequence's. Contexts of batches are so short that attention hardly counts.
    batch_options = ("-no-fa",)

    def calls(self, suite):
        found = []
        deepest = max(suite.depths)
        if deepest:
            if not suite.prompt or not suite.generate or any(d % suite.prompt for d in suite.depths):
                raise NotSupported(f"depths must be multiples of the prompt, {suite.prompt}")
            context = deepest + max(suite.prompt, suite.generate)
            found += [Call(self.command("llama-sweep-bench", "-c", context, "-ub", suite.prompt, "-n",
                                        suite.generate, "-t", threads),
                           read_sweep(threads)) for threads in suite.threads]  # fmt: skip
        if 0 in suite.depths:  # replaces what the sweep says of depth 0
            found.append(Call(self.command("llama-bench", "-p", suite.prompt, "-n", suite.generate,
                                           "-t", listed(suite.threads), "-r", 1, "-o", "json"),
                              read_json))  # fmt: skip
        return found + self.batches(suite)


class Moire(Side):
    """A compiled program measures itself. This class is all that knows its options."""

    name = "Moire"

    def __init__(self, program, under, made_by=None):
        # A name without a folder would be looked for in PATH.
        self.program = pathlib.Path(program).absolute()
        self.under = under
        self.made_by = made_by  # the call that compiled it, to a folder that is about to go
        self.needs = {}
        status, out, err = run([self.program, "--version"])
        if status:
            raise Failure(f"{program} --version failed: {(out + err).strip()}")
        self.version = out.strip().split("\n")[0]

    def commands(self, suite):
        if not self.made_by:
            return super().commands(suite)
        texts = [self.made_by.text, *super().commands(suite)]
        return [text.replace(str(self.program), f"./{self.program.name}") for text in texts]

    def read(self, text):
        speeds = {}
        for test, result in read_results(text).items():
            speeds[test] = result["avg_ts"]
            needs = result.get("need_operations"), result.get("need_bytes")
            if all(needs):
                self.needs[test] = needs
        return speeds

    def bench(self, *arguments):
        return Call([*self.under, self.program, "--bench", *arguments, "-r", 1, "-o", "json"], self.read)

    def calls(self, suite):
        threads = ["-t", listed(suite.threads)]
        fill = ["--fill-state", FILL_SEED] if any(suite.depths) else []
        found = [self.bench("-p", suite.prompt, "-n", suite.generate, "-d", listed(suite.depths),
                            *threads, *fill)]  # fmt: skip
        if suite.sequences:
            found.append(self.bench("-p", 0, "-n", suite.generate, "-d", Suite.BATCH_DEPTH,
                                    "-s", listed(suite.sequences), *threads))  # fmt: skip
        return found
