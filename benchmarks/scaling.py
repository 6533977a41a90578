"""How the time of each kind of work grows with records, models and classes: fitted exponents.

It is processor time, which other work on the machine changes little.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

from scipy import stats

from benchmarks.machine import describe
from benchmarks.own_tables import write_table
from prunepriv.attacks import idle
from prunepriv.engine.inline import run_inline
from prunepriv.experiment import make_experiment
from prunepriv.options import ATTACKS
from prunepriv.store.catalog import Catalog
from prunepriv.store.own_data import import_data
from prunepriv.store.schema import StepView

FEATURES = 400
ATTACKS_RUN = ("conf", "mentr", "nn", "samia", "lira", "rmia")
LIMITS: Mapping[str, Mapping[str, float]] = {
    "records": {},
    "models": {},
    "classes": {"SAMIA": 2.0},
}
"""The largest exponent that is expected: 1, unless it stands here."""
SLACK = 0.15
"""An exponent above its limit by less than this is within the limit."""


@dataclass(frozen=True)
class Size:
    """The size of one run.

    Attributes:
        records: in all; a model is trained on 0.225 of them.
        shadows: a run has one model more.
        classes: of the records.
    """

    records: int = 2000
    shadows: int = 4
    classes: int = 10


AXES: Mapping[str, tuple[Size, ...]] = {
    "records": tuple(Size(records=2000 * 2**k) for k in range(4)),
    "models": tuple(Size(shadows=4 * 2**k - 1) for k in range(4)),
    "classes": tuple(Size(records=1200, classes=10 * 2**k) for k in range(4)),
}
"""Sizes that differ in one thing, each twice the one before. The largest have fewer shadow records
than SAMIA takes at most: 1,000,000 by the number of classes."""


@dataclass(frozen=True)
class Growth:
    """How a time grows with a size.

    Attributes:
        exponent: of the size, by least squares on logarithms.
        low, high: its 95 % interval, from how far the times lie from the line.
        last: the exponent between the two largest sizes: what is constant weighs least there.
    """

    exponent: float
    low: float
    high: float
    last: float


def fit(sizes: Sequence[float], seconds: Sequence[float]) -> Growth:
    """The growth of times with sizes, both positive; at least three of each."""
    x, y = ([math.log(value) for value in values] for values in (sizes, seconds))
    line = stats.linregress(x, y)
    reach = line.stderr * stats.t.ppf(0.975, len(x) - 2)
    last = (y[-1] - y[-2]) / (x[-1] - x[-2])
    return Growth(line.slope, line.slope - reach, line.slope + reach, last)


def report(repeats: int) -> None:
    """Print seconds by size and the exponents.

    Args:
        repeats: of every size; the shortest time counts.
    """
    print(describe())
    for axis, sizes in AXES.items():
        with TemporaryDirectory(prefix="prunepriv-") as folder:
            measured = [_shortest(Path(folder), size, repeats) for size in sizes]
        _print(axis, sizes, measured)
    print(describe())


def along(axis: str, size: Size, what: str = "") -> int:
    """How large a size is along an axis, for a kind of work: fits use the shadows alone."""
    if axis != "models":
        return int(getattr(size, axis))
    return size.shadows if what.endswith("fit") else size.shadows + 1


def _shortest(folder: Path, size: Size, repeats: int) -> dict[str, float]:
    """By kind of work, the shortest seconds of several runs with their own seeds."""
    runs = [measure(folder, size, seed) for seed in range(1, repeats + 1)]
    return {what: min(run[what] for run in runs) for what in runs[0]}


def measure(folder: Path, size: Size, seed: int, **changes: Any) -> dict[str, float]:
    """Processor seconds of each kind of work in one run, in this process.

    Every model is trained for the same number of epochs.

    Args:
        folder: keeps the table of this size, and a store for each call.
        size: of the table and of the run.
        seed: of the run.
        changes: of the experiment, to be quick.
    """
    file = folder / f"{size.records}-{size.classes}.npz"
    if not file.exists():
        write_table(file, size.records, FEATURES, size.classes)
    with TemporaryDirectory(dir=folder) as store:
        own = import_data(file, Path(store))
        experiment = make_experiment(
            {
                "data": {"own": own},
                "training": {"epochs": 8, "fine_tune_epochs": 4, "patience": None},
                "attacks": {"names": ATTACKS_RUN},
                "models": ["pruned"],
                "shadows": size.shadows,
                "seed": seed,
                **changes,
            }
        )
        # steps time themselves by the processor's time, which on one thread is a step's own
        one_core = patch.object(idle, "cores", lambda: 1)
        with one_core, patch.object(time, "perf_counter", time.process_time):
            run_id = run_inline(experiment, Path(store), threads=1)
        catalog = Catalog(Path(store))
        try:
            return _sums(catalog.steps(run_id))
        finally:
            catalog.close()


def _sums(steps: Sequence[StepView]) -> dict[str, float]:
    sums: dict[str, float] = {}
    for step in steps:
        for what in _parts(step):
            sums[what] = sums.get(what, 0.0) + (step.seconds or 0.0)
    return sums


def _parts(step: StepView) -> Iterator[str]:
    """What a step's time counts for."""
    if step.kind in ("train", "fine_tune"):
        yield "training"
    elif step.kind in ("signals", "checks"):
        yield step.kind
    elif step.kind in ("confidences", "population"):
        yield "confidences"
    elif step.kind in ("fit", "score"):
        attack = step.name.split(":")[1]
        whose = {"samia": "SAMIA", "nn": "attack network"}.get(attack)
        yield f"{whose or ATTACKS[attack].kind + ' attacks'}, {step.kind}"


def _print(axis: str, sizes: Sequence[Size], measured: Sequence[Mapping[str, float]]) -> None:
    heads = " | ".join(f"{along(axis, size):,}" for size in sizes)
    print(f"\n| {axis}: s with | {heads} | exponent | 95 % | last |")
    print("|---" * (len(sizes) + 4) + "|")
    for what in measured[0]:
        seconds = [run[what] for run in measured]
        growth = fit([along(axis, size, what) for size in sizes], seconds)
        cells = " | ".join(f"{second:.3f}" for second in seconds)
        limit = next((m for name, m in LIMITS[axis].items() if what.startswith(name)), 1.0)
        over = " **above its limit**" if growth.last > limit + SLACK else ""
        print(
            f"| {what} | {cells} | {growth.exponent:.2f} | {growth.low:.2f} to {growth.high:.2f} "
            f"| {growth.last:.2f}{over} |",
            flush=True,
        )
