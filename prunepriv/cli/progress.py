"""How far a run is: a bar with the time left on a terminal, a few plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from typing import Protocol, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from prunepriv.engine.client import default_workers
from prunepriv.estimates.run import Throughput, measure, seconds_left
from prunepriv.experiment import Experiment
from prunepriv.plan import Plan, plan
from prunepriv.store.catalog import Catalog
from prunepriv.store.schema import StepView


class Follower(Protocol):
    """Shows a run; see :func:`follower`."""

    def show(self) -> None:
        """Look at the catalogue and show what it says."""

    def tell(self, sentence: str) -> None:
        """Say something beside it."""

    def close(self) -> None:
        """Leave the terminal as it was. Twice does no harm."""

    def __enter__(self) -> Self: ...
    def __exit__(self, *_: object) -> None: ...


def follower(experiment: Experiment, catalog: Catalog) -> Follower:
    """A bar if stderr is a terminal, else plain lines."""
    if sys.stderr.isatty():
        return Bar(experiment, catalog)
    return Lines(experiment, catalog)


class Lines:
    """A line when the run begins and one when it is done: for logs and pipes."""

    def __init__(self, experiment: Experiment, catalog: Catalog) -> None:
        self._run_id = experiment.run_id
        self._catalog = catalog
        self._started = time.monotonic()
        self._said: set[str] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def show(self) -> None:
        steps = self._catalog.steps(self._run_id)
        if not steps:
            return
        cached = sum(step.cached for step in steps)
        self._once(f"{self._run_id}: {len(steps)} steps, {cached} of them cached")
        if all(step.status == "done" for step in steps):
            self._once(f"{self._run_id}: done", f" in {time.monotonic() - self._started:.1f} s")

    def tell(self, sentence: str) -> None:
        print(sentence, file=sys.stderr, flush=True)  # noqa: T201

    def close(self) -> None:
        return

    def _once(self, sentence: str, detail: str = "") -> None:
        if sentence not in self._said:
            self._said.add(sentence)
            self.tell(sentence + detail)


def bar() -> Progress:
    """A bar on the terminal with the time that has passed and the field ``left``."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[left]}"),
        console=Console(stderr=True),
        transient=True,
    )


class Bar:
    """A bar of the work done, what is being done, and the time left."""

    def __init__(self, experiment: Experiment, catalog: Catalog) -> None:
        self._catalog = catalog
        self._plan: Plan = plan(experiment)
        self._throughput: Throughput = measure(catalog)
        self._workers = default_workers()
        self._progress = bar()
        self._task = self._progress.add_task(experiment.run_id, total=1.0, left="")

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def show(self) -> None:
        run_id = self._plan.experiment.run_id
        steps = self._catalog.steps(run_id)
        if not steps:
            place = self._catalog.queue_position(run_id)
            words = f"waits, number {place} in the queue" if place else run_id
            self._progress.update(self._task, description=words)
            return
        left = seconds_left(self._plan, steps, self._throughput, self._workers)
        self._progress.update(
            self._task,
            completed=self._share_done(steps),
            description=_doing(steps),
            left="" if left is None else f"about {left:.0f} s left",
        )

    def tell(self, sentence: str) -> None:
        self._progress.console.print(sentence, highlight=False, markup=False)

    def close(self) -> None:
        self._progress.stop()

    def _share_done(self, steps: Sequence[StepView]) -> float:
        """Of the expected seconds; of the steps where nothing has been measured."""
        experiment = self._plan.experiment
        weights = [
            self._throughput.seconds(self._plan.by_key[step.key], experiment) or 1e-3
            for step in steps
        ]
        done = sum(weight * step.fraction for weight, step in zip(weights, steps, strict=True))
        return done / sum(weights)


def _doing(steps: Sequence[StepView]) -> str:
    running = [step for step in steps if step.status == "running"]
    names = ", ".join(step.name for step in running[:2])
    more = f" and {len(running) - 2} more" if len(running) > 2 else ""
    message = f": {running[0].message}" if len(running) == 1 and running[0].message else ""
    return names + more + message
