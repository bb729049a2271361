"""Results as markdown for people, and as JSON for everything else."""

import datetime

from . import machine

SUBJECT = "Moire"


class Beside:
    """Another model, measured by the same sides in the same rounds."""

    def __init__(self, model, outcome):
        self.model = model
        self.outcome = outcome

    def times(self, name, test, outcome):
        """How many times as fast a side is with the model of `outcome`; None without both."""
        mine, other = outcome.median(name, test), self.outcome.median(name, test)
        return mine / other if mine and other else None

    def fewer(self, test, outcome):
        """By what the model of `outcome` needs fewer operations and bytes, if programs told."""
        mine, other = outcome.needs(test), self.outcome.needs(test)
        return tuple(b / a for a, b in zip(mine, other)) if mine and other else (None, None)


class Measurement:
    """A workload and its outcome."""

    def __init__(self, title, outcome, repetitions, load):
        self.title = title  # the model, in words
        self.outcome = outcome
        self.repetitions = repetitions
        self.load = load  # averages before and after
        self.beside = None  # or another model

    @property
    def failed(self):
        return self.outcome.failed or (self.beside is not None and self.beside.outcome.failed)

    @property
    def others(self):
        return [side.name for side in self.outcome.sides if side.name != SUBJECT]

    def ratio(self, test):
        return self.outcome.ratio(test, SUBJECT, self.others)


def _cell(outcome, name, test):
    if name in outcome.missing:
        return "–"
    samples = outcome.samples[name][test]
    return f"{outcome.median(name, test):.1f} ({min(samples):.1f} … {max(samples):.1f})"


def _table(measurement):
    outcome = measurement.outcome
    names = [side.name for side in outcome.sides]
    compared = SUBJECT in names and len(names) > 1
    several = len(outcome.suite.threads) > 1
    head = ["test", *(["threads"] if several else []), *(f"{name}, tokens/s" for name in names),
            *(["ratio"] if compared else [])]  # fmt: skip
    yield "| " + " | ".join(head) + " |"
    yield "|---|" + "---:|" * (len(head) - 1)
    for test in outcome.suite.tests():
        cells = [test.name, *([str(test.threads)] if several else []),
                 *(_cell(outcome, name, test) for name in names)]  # fmt: skip
        if compared:
            ratio = measurement.ratio(test)
            cells.append(_times(ratio))
        yield "| " + " | ".join(cells) + " |"


def _times(number):
    return f"{number:.2f} ×" if number else "–"


def _beside(measurement):
    outcome, beside = measurement.outcome, measurement.beside
    names = [side.name for side in outcome.sides]
    yield f"As many times as fast as {beside.model}, and by what it needs fewer operations and bytes:"
    yield ""
    yield "| " + " | ".join(["test", *names, "operations", "bytes"]) + " |"
    yield "|---|" + "---:|" * (len(names) + 2)
    for test in outcome.suite.tests():
        cells = [*(beside.times(name, test, outcome) for name in names), *beside.fewer(test, outcome)]
        yield "| " + " | ".join([test.name, *map(_times, cells)]) + " |"
    yield ""


def heading():
    """The machine, in a line."""
    described = machine.described()
    return (f"{datetime.date.today()}, {described['processor']}, {described['cores']} cores, "
            f"{described['memory_gb']} GB, {' '.join(described['instructions'])}.\n")  # fmt: skip


def section(measurement):
    """A workload's table, and what was run."""
    outcome, suite = measurement.outcome, measurement.outcome.suite
    threads = " and ".join(map(str, suite.threads))
    lines = [f"### {measurement.title}", "", *_table(measurement), "",
             f"Median (least … most) of {measurement.repetitions} runs by turns, {threads} threads. Load "
             f"average {measurement.load[0]:.1f} before, {measurement.load[1]:.1f} after.", ""]  # fmt: skip
    if measurement.beside:
        lines += _beside(measurement)
    for side in outcome.sides:
        said = outcome.missing.get(side.name)
        if said is None:
            said = "; ".join(f"`{command}`" for command in side.commands(suite))
        lines.append(f"- {side.name} ({side.version}): {said}")
    return "\n".join(lines) + "\n"


def _test(measurement, test):
    outcome = measurement.outcome
    measured = [side.name for side in outcome.sides if side.name not in outcome.missing]
    return {
        "test": test.name,
        "n_prompt": test.tokens if test.kind == "pp" else 0,
        "n_gen": test.tokens if test.kind == "tg" else 0,
        "n_depth": test.depth,
        "n_threads": test.threads,
        "n_sequences": test.sequences,
        "median_ts": {name: outcome.median(name, test) for name in measured},
        "samples_ts": {name: outcome.samples[name][test] for name in measured},
        "ratio": measurement.ratio(test),
        **_beside_plain(measurement, test),
    }


def _beside_plain(measurement, test):
    beside, outcome = measurement.beside, measurement.outcome
    if not beside:
        return {}
    operations, bytes = beside.fewer(test, outcome)
    times = {side.name: beside.times(side.name, test, outcome) for side in outcome.sides}
    return {"beside": {"model": beside.model, "times": times, "fewer_operations": operations, "fewer_bytes": bytes}}


def _side(outcome, side):
    why = outcome.missing.get(side.name)
    return {"name": side.name, "version": side.version, "missing": why,
            "commands": [] if why else side.commands(outcome.suite)}  # fmt: skip


def plain(measurements):
    """The same as plain data, for json.dump."""
    return {
        "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "machine": machine.described(),
        "workloads": [{
            "model": m.title,
            "repetitions": m.repetitions,
            "load": list(m.load),
            "sides": [_side(m.outcome, side) for side in m.outcome.sides],
            "tests": [_test(m, test) for test in m.outcome.suite.tests()],
        } for m in measurements],
    }  # fmt: skip
