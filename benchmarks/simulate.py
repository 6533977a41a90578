"""A sweep on 1 to 64 workers, simulated: how much faster it is, and what holds it up.

Nothing is run. Steps take as long as similar ones took: in a store, in the bundled examples, or by a
file of rates. What was never measured takes as long as its arithmetic at the speed of one core.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from benchmarks.trace.arithmetic import Arithmetic, Done
from benchmarks.yardstick import gigaflops_per_core
from prunepriv.estimates.schedule import longest_chain, remaining_chains, schedule
from prunepriv.estimates.throughput import Sort, Throughput, measure
from prunepriv.experiment import Experiment
from prunepriv.experiment.presets import get_sweep
from prunepriv.plan import Step, plan
from prunepriv.prose import duration
from prunepriv.store.catalog import Catalog

WORKERS = (1, 2, 4, 8, 16, 32, 64)
OWN_COST = 0.03
"""Seconds that the store and the scheduler add to each step."""


@dataclass(frozen=True)
class Grid:
    """The distinct steps of many runs, in the order in which an engine begins them.

    Attributes:
        steps: by key; inputs come before the steps that read them.
        experiments: by key, the first run that needs the step.
        seconds: by key, how long each takes.
        sources: by key, where that comes from: "measured", "arithmetic", "similar steps" or
            "unknown", which counts as no time.
    """

    steps: Mapping[str, Step]
    experiments: Mapping[str, Experiment]
    seconds: Mapping[str, float]
    sources: Mapping[str, str]

    @cached_property
    def waits(self) -> dict[str, tuple[str, ...]]:
        return {key: tuple(step.inputs.values()) for key, step in self.steps.items()}

    @property
    def work(self) -> float:
        """Seconds of all steps."""
        return sum(self.seconds.values())

    @cached_property
    def chain(self) -> tuple[str, ...]:
        """Keys of the critical path."""
        return longest_chain(self.waits, self.seconds)

    @property
    def chain_seconds(self) -> float:
        return sum(self.seconds[key] for key in self.chain)

    def named(self, key: str) -> str:
        """A step's name with its data set and network."""
        experiment = self.experiments[key]
        return f"{self.steps[key].name} ({experiment.data.name}, {experiment.model.name})"


@dataclass(frozen=True)
class Outcome:
    """The grid on some workers.

    Attributes:
        workers: how many.
        wall: seconds, in the engine's order.
        idle: share of the workers' time, 0 to 1.
        chains_first: seconds, if steps with the longest chain after them began first.
    """

    workers: int
    wall: float
    idle: float
    chains_first: float


def lay_out(
    experiments: Iterable[Experiment],
    throughput: Throughput,
    gigaflops: float,
    own_cost: float = OWN_COST,
) -> Grid:
    """All distinct steps of some runs, with the time that each takes.

    Args:
        experiments: of the runs.
        throughput: what was measured.
        gigaflops: speed of one core, for what was not.
        own_cost: seconds that are added to each step.
    """
    steps: dict[str, Step] = {}
    first: dict[str, Experiment] = {}
    seconds: dict[str, float] = {}
    sources: dict[str, str] = {}
    for experiment in experiments:
        arithmetic = Arithmetic(experiment)
        for step in plan(experiment).steps:
            if step.key in steps:
                continue
            steps[step.key], first[step.key] = step, experiment
            taken, sources[step.key] = _taken(step, experiment, throughput, arithmetic, gigaflops)
            seconds[step.key] = taken + own_cost
    return Grid(steps, first, seconds, sources)


def _taken(
    step: Step,
    experiment: Experiment,
    throughput: Throughput,
    arithmetic: Arithmetic,
    gigaflops: float,
) -> tuple[float, str]:
    """How long a step takes, and where that comes from."""
    measured = throughput.seconds(step, experiment)
    if measured is not None and throughput.knows(step, experiment):
        return measured, "measured"
    counted = arithmetic.of(Done(step.name, step.kind, step.params, None))
    if counted is not None:
        return 2e-9 * counted / gigaflops, "arithmetic"
    return (0.0, "unknown") if measured is None else (measured, "similar steps")


def outcomes(grid: Grid, workers: Iterable[int]) -> list[Outcome]:
    """The grid on different numbers of workers."""
    left = remaining_chains(grid.waits, grid.seconds)
    rank = {key: -seconds for key, seconds in left.items()}
    found = []
    for count in workers:
        made = schedule(grid.waits, grid.seconds, count)
        other = schedule(grid.waits, grid.seconds, count, rank)
        found.append(Outcome(count, made.wall, made.idle_share, other.wall))
    return found


def report(
    sweep: str,
    workers: Sequence[int],
    store: Path,
    rates: Path | None,
    save: Path | None,
    gigaflops: float | None,
    own_cost: float,
) -> None:
    """Print how much faster a sweep is on more workers, and its critical path.

    Args:
        sweep: its preset's name.
        workers: how many; one line each.
        store: whose runs were measured.
        rates: a file that :func:`save_rates` wrote, on another machine perhaps; it counts more.
        save: where to write the rates that were used.
        gigaflops: speed of one core; None: it is measured now.
        own_cost: seconds that the store and the scheduler add to each step.
    """
    catalog = Catalog(store)
    try:
        throughput = with_rates(measure(catalog), read_rates(rates) if rates else {})
    finally:
        catalog.close()
    if save is not None:
        save_rates(throughput, save)
    speed = gigaflops or gigaflops_per_core()
    experiments = get_sweep(sweep).experiments
    grid = lay_out(experiments, throughput, speed, own_cost)
    print(f"sweep {sweep}: {len(experiments)} runs, {len(grid.steps):,} distinct steps")
    print(f"{duration(grid.work)} of work: {_sources(grid)}; one core: {speed:.0f} GFLOP/s\n")
    print("| workers | wall time | speed-up | efficiency | idle | longest chains first |")
    print("|---|---|---|---|---|---|")
    for one in outcomes(grid, workers):
        faster = grid.work / one.wall
        print(
            f"| {one.workers} | {duration(one.wall)} | {faster:.2f} | "
            f"{faster / one.workers:.3f} | {100 * one.idle:.1f} % | "
            f"{duration(one.chains_first)} |"
        )
    most = grid.work / grid.chain_seconds
    print(f"\ncritical path, {duration(grid.chain_seconds)}: no speed-up is above {most:.1f}")
    for key in grid.chain:
        print(f"- {grid.named(key)}: {duration(grid.seconds[key])}, {grid.sources[key]}")


def _sources(grid: Grid) -> str:
    """Which share of the work comes from where."""
    sums: dict[str, float] = {}
    for key, source in grid.sources.items():
        sums[source] = sums.get(source, 0.0) + grid.seconds[key]
    return ", ".join(f"{100 * one / grid.work:.0f} % {source}" for source, one in sums.items())


def save_rates(throughput: Throughput, file: Path) -> None:
    """Write seconds per unit of work, by sort of step, as JSON."""
    file.write_text(
        json.dumps({"/".join(sort): rate for sort, rate in throughput.rates.items()}, indent=1)
    )


def read_rates(file: Path) -> dict[Sort, float]:
    """The rates of a file that :func:`save_rates` wrote."""
    return {
        tuple(sort.split("/")): float(rate) for sort, rate in json.loads(file.read_text()).items()
    }


def with_rates(throughput: Throughput, rates: Mapping[Sort, float]) -> Throughput:
    """The same, with some rates in place of its own."""
    return Throughput((throughput.rates | dict(rates)).items())
