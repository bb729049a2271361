"""Results as markdown for people, and as JSON for everything else."""

import datetime

from . import machine

SUBJECT = "Moire"


class Measurement:
    """A workload and its outcome."""

    def __init__(self, title, outcome, repetitions, load):
        self.title = title  # the model, in words
        self.outcome = outcome
        self.repetitions = repetitions
        self.load = load  # averages before and after

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
            cells.append(f"{ratio:.2f} ×" if ratio else "–")
        yield "| " + " | ".join(cells) + " |"


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
    }


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
