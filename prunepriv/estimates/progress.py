"""How much of a run or a sweep is done, and how long the rest takes. A run is a sweep of one.

Imports no torch.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from prunepriv.estimates.cost import waits_of, wall_seconds
from prunepriv.estimates.throughput import measure
from prunepriv.experiment import Experiment
from prunepriv.plan import Step, plan, read_name
from prunepriv.prose import duration
from prunepriv.store.catalog import Catalog
from prunepriv.store.schema import RunView, StepView


@dataclass(frozen=True)
class Standing:
    """How much of a run or a sweep is done.

    Attributes:
        runs: how many there are, whatever their status.
        done, cancelled: how many have this status.
        active: how many wait or are at work.
        interrupted: ids of the runs whose engine ended before they did.
        failures: run id and sentence of each run that failed.
        steps, steps_done: distinct steps of all runs, and how many are done.
        cached: how many steps of a run were in the store when it began; None for several runs.
        fraction: share that is done, 0 to 1; see :func:`share_done`.
        seconds_left: expected wall time until no run is active; None if unknown.
        queue_position: while none of the runs has begun: place of the first in the queue, from 1.
        at_work: the steps at work.
        notice: what a run at work or one that waits was told of the workers; "": nothing.
    """

    runs: int
    done: int
    cancelled: int
    active: int
    interrupted: tuple[str, ...]
    failures: tuple[tuple[str, str], ...]
    steps: int
    steps_done: int
    cached: int | None
    fraction: float
    seconds_left: float | None
    queue_position: int | None
    at_work: tuple[StepView, ...]
    notice: str = ""

    @property
    def ended(self) -> int:
        """How many runs are done, failed or cancelled."""
        return self.done + len(self.failures) + self.cancelled

    @property
    def counts(self) -> str:
        """How many runs have ended and steps are done: "2 of 4 runs, 20 of 32 steps"."""
        return f"{self.ended} of {self.runs} runs, {self.steps_done:,} of {self.steps:,} steps"

    @property
    def words(self) -> str:
        """The state in words: the steps at work of a run, the counts of a sweep."""
        if self.queue_position is not None:
            return f"waits, number {self.queue_position} in the queue"
        if self.runs > 1:
            return self.counts
        words = list(dict.fromkeys(read_name(step.name).group for step in self.at_work))
        more = f" and {len(words) - 2} more" if len(words) > 2 else ""
        message = self.at_work[0].message if len(words) == 1 else ""
        return ", ".join(words[:2]) + more + (f": {message}" if message else "")

    @property
    def time_left(self) -> str:
        """The time left in words: "about 3 min 20 s left"; "" if unknown."""
        if self.seconds_left is None or self.queue_position is not None:
            return ""
        return f"about {duration(self.seconds_left)} left"


def share_done(seconds: Mapping[str, float | None], fractions: Mapping[str, float]) -> float:
    """Share of the work that is done, 0 to 1.

    Steps are weighted by their expected seconds where all are known, else equally.

    Args:
        seconds: expected, by step; None if unknown.
        fractions: how much of a step is done, 0 to 1; a missing step counts as 0.
    """
    weights = {key: expected for key, expected in seconds.items() if expected is not None}
    whole = sum(weights.values())
    if len(weights) < len(seconds) or not whole:
        weights, whole = dict.fromkeys(seconds, 1.0), float(len(seconds))
    done = sum(weight * fractions.get(key, 0.0) for key, weight in weights.items())
    return min(1.0, done / whole) if whole else 1.0


class Watch:
    """Reads the progress of a run or a sweep repeatedly. Threads may share one.

    Args:
        experiments: of the runs.
        catalog: of the store.
        workers: how many steps are worked on at once.
    """

    def __init__(self, experiments: Iterable[Experiment], catalog: Catalog, workers: int) -> None:
        self._catalog = catalog
        self._workers = workers
        self._lock = threading.Lock()
        self._keys: dict[str, tuple[str, ...]] = {}
        self._ended: dict[tuple[str, int], list[StepView]] = {}
        self._seconds: dict[str, float | None] = {}
        throughput = measure(catalog)
        distinct: dict[str, Step] = {}
        for experiment in experiments:
            steps = plan(experiment).steps
            self._keys[experiment.run_id] = tuple(step.key for step in steps)
            for step in steps:
                if step.key not in distinct:
                    distinct[step.key] = step
                    self._seconds[step.key] = throughput.seconds(step, experiment)
        self._waits = waits_of(distinct.values())

    def look(self) -> Standing:
        """The present state of the runs."""
        with self._lock:
            return self._look()

    def _look(self) -> Standing:
        runs = self._catalog.runs(self._keys)
        steps = {run.run_id: self._steps(run) for run in runs}
        done = self._done(runs, steps)
        at_work = {
            step.key: step
            for run in runs
            if run.status == "running"
            for step in steps[run.run_id]
            if step.status == "running" and step.key not in done
        }
        fractions = {key: step.fraction for key, step in at_work.items()}
        fractions |= dict.fromkeys(done, 1.0)
        return Standing(
            runs=len(self._keys),
            done=sum(run.status == "done" for run in runs),
            cancelled=sum(run.status == "cancelled" for run in runs),
            active=sum(run.active for run in runs),
            interrupted=tuple(run.run_id for run in runs if run.status == "interrupted"),
            failures=tuple((run.run_id, run.error) for run in runs if run.status == "failed"),
            steps=len(self._seconds),
            steps_done=len(done),
            cached=self._cached(steps),
            fraction=share_done(self._seconds, fractions),
            seconds_left=self._seconds_left(runs, fractions),
            queue_position=self._queue_position(runs),
            at_work=tuple(at_work.values()),
            notice=next((run.error for run in runs if run.active and run.error), ""),
        )

    def _steps(self, run: RunView) -> Sequence[StepView]:
        """The run's steps, where they say more than its status."""
        if run.status == "queued" or (run.status == "done" and not self._alone):
            return ()
        if run.status not in ("failed", "cancelled"):
            return self._catalog.steps(run.run_id)
        ending = (run.run_id, run.position)  # a run that is submitted again has another position
        if ending not in self._ended:
            self._ended[ending] = self._catalog.steps(run.run_id)
        return self._ended[ending]

    def _done(self, runs: Iterable[RunView], steps: Mapping[str, Sequence[StepView]]) -> set[str]:
        """Keys of the steps that are done."""
        done: set[str] = set()
        for run in runs:
            if run.status == "done":
                done.update(self._keys[run.run_id])
            done.update(step.key for step in steps[run.run_id] if step.status == "done")
        return done & self._seconds.keys()  # without steps of another version of the program

    def _cached(self, steps: Mapping[str, Sequence[StepView]]) -> int | None:
        if not self._alone:
            return None
        return sum(step.cached for ours in steps.values() for step in ours)

    def _seconds_left(
        self, runs: Iterable[RunView], fractions: Mapping[str, float]
    ) -> float | None:
        """Expected wall time of the steps that unfinished runs still need."""
        ended = {run.run_id for run in runs if run.status in ("done", "failed", "cancelled")}
        left: dict[str, float | None] = {}
        for run_id in self._keys.keys() - ended:
            for key in self._keys[run_id]:
                seconds, rest = self._seconds[key], 1.0 - fractions.get(key, 0.0)
                if rest:
                    left[key] = None if seconds is None else seconds * rest
        waits = {key: inputs for key, inputs in self._waits.items() if key in left}
        return wall_seconds(waits, left, self._workers)

    def _queue_position(self, runs: Sequence[RunView]) -> int | None:
        if not runs or any(run.status != "queued" for run in runs):
            return None
        return self._catalog.queue_position(min(runs, key=lambda run: run.position).run_id)

    @property
    def _alone(self) -> bool:
        return len(self._keys) == 1
