"""What a store's records tell of a finished run: which process did which step, and when."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Any

from benchmarks.trace.arithmetic import Arithmetic, Done
from prunepriv.errors import ExperimentError, MissingArtifactError, StoreError
from prunepriv.estimates.schedule import longest_chain
from prunepriv.experiment import Experiment
from prunepriv.plan import Step, plan
from prunepriv.store.artifacts import Artifact, ArtifactStore
from prunepriv.store.catalog import Catalog
from prunepriv.store.schema import RunView, StepView

REPORTED = ("train", "fine_tune")
"""Kinds of step whose artifact's report tells how much was done."""


@dataclass(frozen=True)
class Bar:
    """A step that a worker did.

    Attributes:
        name, key, kind: as in the run's plan.
        worker: the process that did it, or the thread of an inline run.
        start: seconds after the run's begin; less than 0 if it was begun for another run.
        seconds: how long it took, without the writing of its artifact.
        inputs: keys of the steps that it read, as far as they are known.
        multiply_adds: its arithmetic; None where it has none that counts.
    """

    name: str
    key: str
    kind: str
    worker: int
    start: float
    seconds: float
    inputs: tuple[str, ...] = ()
    multiply_adds: float | None = None

    @property
    def end(self) -> float:
        return self.start + self.seconds

    def floor(self, gigaflops: float) -> float | None:
        """Seconds of its arithmetic at the speed of one core, in GFLOP/s."""
        return None if self.multiply_adds is None else 2e-9 * self.multiply_adds / gigaflops


@dataclass(frozen=True)
class Trace:
    """A finished run.

    Attributes:
        run_id: its id.
        wall: seconds from its begin to its end.
        waited: seconds from its submission to its begin.
        bars: the steps that it did, in the order of their beginning.
        cached: how many steps were in the store when it began.
    """

    run_id: str
    wall: float
    waited: float
    bars: tuple[Bar, ...]
    cached: int

    @cached_property
    def workers(self) -> Mapping[int, tuple[Bar, ...]]:
        """The bars of each worker, in the order of their beginning."""
        lanes: dict[int, list[Bar]] = defaultdict(list)
        for bar in self.bars:
            lanes[bar.worker].append(bar)
        return {worker: tuple(bars) for worker, bars in lanes.items()}

    def idle(self, worker: int) -> float:
        """Seconds between the run's begin and its end in which a process did no step of it."""
        return max(0.0, self.wall - sum(self._within(bar) for bar in self.workers[worker]))

    @property
    def idle_share(self) -> float:
        """Share of all processes' time, 0 to 1."""
        whole = self.wall * len(self.workers)
        return sum(map(self.idle, self.workers)) / whole if whole else 0.0

    @property
    def first(self) -> float:
        """Seconds from the run's begin to the begin of its first step."""
        return max(0.0, min((bar.start for bar in self.bars), default=0.0))

    @cached_property
    def chain(self) -> tuple[Bar, ...]:
        """The critical path: of the chains of steps that read each other, the longest."""
        by_key = {bar.key: bar for bar in self.bars}
        order = _inputs_first(by_key)
        keys = longest_chain(
            {key: by_key[key].inputs for key in order},
            {key: bar.seconds for key, bar in by_key.items()},
        )
        return tuple(by_key[key] for key in keys)

    @property
    def chain_seconds(self) -> float:
        return sum(bar.seconds for bar in self.chain)

    def _within(self, bar: Bar) -> float:
        return max(0.0, min(bar.end, self.wall) - max(bar.start, 0.0))


def read(catalog: Catalog, run_id: str) -> Trace:
    """The trace of a finished run.

    Raises:
        UnknownRunError: no run has that id.
        StoreError: it is not done.
    """
    run = catalog.run(run_id)
    if run.status != "done" or run.started is None or run.finished is None:
        raise StoreError(
            f"a trace is drawn of a run that was done here, and {run_id} is {run.status}: "
            "run it first"
        )
    steps = catalog.steps(run_id)
    source = _Source(run, ArtifactStore(catalog.store))
    bars = [
        source.bar(step, run.started)
        for step in steps
        if not step.cached and step.started is not None and step.pid is not None
    ]
    return Trace(
        run_id=run_id,
        wall=(run.finished - run.started).total_seconds(),
        waited=max(0.0, (run.started - run.created).total_seconds()),
        bars=one_after_another(bars),
        cached=sum(step.cached for step in steps),
    )


def one_after_another(bars: Iterable[Bar]) -> tuple[Bar, ...]:
    """The bars by their beginning; a process does one step at a time.

    A group's steps may begin together, and each then has its share of the group's seconds: they are
    laid one after another.
    """
    free: dict[int, float] = {}
    laid = []
    for bar in sorted(
        bars, key=lambda bar: bar.start
    ):  # in the plan's order if they begin together
        start = max(bar.start, free.get(bar.worker, bar.start))
        free[bar.worker] = start + bar.seconds
        laid.append(replace(bar, start=start))
    return tuple(sorted(laid, key=lambda bar: bar.start))


class _Source:
    """Where a step's inputs and arithmetic come from: the plan, else the step's own artifact."""

    def __init__(self, run: RunView, store: ArtifactStore) -> None:
        self._store = store
        self._experiment = _experiment(run)
        self._arithmetic = None if self._experiment is None else Arithmetic(self._experiment)
        self._plan: Mapping[str, Step] = (
            {} if self._experiment is None else plan(self._experiment).by_key
        )

    def bar(self, step: StepView, begin: datetime) -> Bar:
        planned = self._plan.get(step.key)
        needed = planned is None or step.kind in REPORTED
        artifact = self._artifact(step.key) if needed else None
        meta = {} if artifact is None else artifact.meta
        params = meta.get("params", {}) if planned is None else planned.params
        inputs = meta.get("inputs", {}) if planned is None else planned.inputs
        done = Done(step.name, step.kind, params, _report(artifact))
        started = step.started or begin
        return Bar(
            name=step.name,
            key=step.key,
            kind=step.kind,
            worker=step.pid or 0,
            start=(started - begin).total_seconds(),
            seconds=step.seconds or 0.0,
            inputs=tuple(inputs.values()),
            multiply_adds=None if self._arithmetic is None else self._arithmetic.of(done),
        )

    def _artifact(self, key: str) -> Artifact | None:
        try:
            return self._store.open(key)
        except MissingArtifactError:
            return None


def _experiment(run: RunView) -> Experiment | None:
    try:
        return run.experiment
    except ExperimentError:
        return None  # a version with other settings wrote it


def _report(artifact: Artifact | None) -> Mapping[str, Any] | None:
    if artifact is None or not artifact.has("report.json"):
        return None
    report: Mapping[str, Any] = artifact.json("report")
    return report


def _inputs_first(by_key: Mapping[str, Bar]) -> list[str]:
    """The keys, each after those of its inputs."""
    order: dict[str, None] = {}

    def visit(key: str) -> None:
        if key in by_key and key not in order:
            for one in by_key[key].inputs:
                visit(one)
            order[key] = None

    for key in by_key:
        visit(key)
    return list(order)
