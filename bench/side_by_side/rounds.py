"""Runs of several sides by turns, and what they come to."""

import statistics

from .cache import say
from .calls import Failure, NotSupported


class Outcome:
    """What the sides measured of a suite, and why some did not."""

    def __init__(self, sides, suite):
        self.sides = sides
        self.suite = suite
        self.samples = {side.name: {test: [] for test in suite.tests()} for side in sides}
        self.missing = {}  # name of a side: why it has no numbers
        self.failed = False  # a side is missing for another reason than that it cannot do this

    def median(self, name, test):
        samples = self.samples[name][test]
        return statistics.median(samples) if samples and name not in self.missing else None

    def ratio(self, test, subject, others):
        """The subject's median as a multiple of the fastest of the others'; None without either."""
        rivals = [m for m in (self.median(name, test) for name in others) if m]
        mine = self.median(subject, test)
        return mine / max(rivals) if mine and rivals else None


def measure(sides, suite, repetitions):
    """The sides take turns: A B C, A B C, …, so that a machine that is busy or throttles slows all
    alike. A side that fails is left out from then on."""
    outcome = Outcome(sides, suite)
    for turn in range(repetitions):
        for side in sides:
            if side.name in outcome.missing:
                continue
            try:
                speeds = side.measure(suite)
            except Failure as failure:
                outcome.missing[side.name] = str(failure)
                outcome.failed |= not isinstance(failure, NotSupported)
                say(f"{side.name}: {failure}")
                continue
            for test, speed in speeds.items():
                outcome.samples[side.name][test].append(speed)
            said = ", ".join(f"{test.name} {speed:.1f}" for test, speed in speeds.items())
            say(f"run {turn + 1} of {repetitions}: {side.name}: {said} tokens/s")
    return outcome
