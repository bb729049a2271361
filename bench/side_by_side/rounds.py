"""Runs of several sides by turns, on one model or several, and what they come to."""

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

    def needs(self, test):
        """(operations, bytes) of a run, if a side knows."""
        return next((side.needs[test] for side in self.sides if test in side.needs), None)


def _turn(side, outcome, run):
    if side.name in outcome.missing:
        return
    try:
        speeds = side.measure(outcome.suite)
    except Failure as failure:
        outcome.missing[side.name] = str(failure)
        outcome.failed |= not isinstance(failure, NotSupported)
        say(f"{side.name}: {failure}")
        return
    for test, speed in speeds.items():
        outcome.samples[side.name][test].append(speed)
    said = ", ".join(f"{test.name} {speed:.1f}" for test, speed in speeds.items())
    say(f"{run}: {side.name}: {said} tokens/s")


def measure(models, suite, repetitions):
    """An outcome for each of `models`, {name: sides}. The sides take turns, A B C, A B C, …, each
    with one model after the other, so that a machine that is busy or throttles slows all alike. A
    side that fails is left out from then on."""
    outcomes = {model: Outcome(sides, suite) for model, sides in models.items()}
    for turn in range(repetitions):
        for of_models in zip(*models.values()):
            for model, side in zip(models, of_models):
                about = f", {model}" if len(models) > 1 else ""
                _turn(side, outcomes[model], f"run {turn + 1} of {repetitions}{about}")
    return list(outcomes.values())
