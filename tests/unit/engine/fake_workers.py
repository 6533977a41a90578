"""Workers that do what the test says, for the engine's decisions."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from prunepriv.engine.service import Engine
from prunepriv.engine.workers import Outcome
from prunepriv.experiment import Experiment, make_experiment
from prunepriv.plan import Step
from prunepriv.progress import silent
from prunepriv.store.artifacts import ArtifactStore
from prunepriv.store.catalog import Catalog
from tests.fake_runner import run_group


class FakeWorkers:
    """Keeps the groups that it is given until the test ends them."""

    def __init__(self, store: ArtifactStore) -> None:
        self.store = store
        self.capacity = 2
        self.notice = ""
        self.groups: list[tuple[Step, ...]] = []
        self.submitted: list[list[str]] = []
        self.stopped: list[str] = []
        self.wanted: list[str] = []
        self._ended: list[Outcome] = []
        self._news: list[Mapping[str, Any]] = []

    @property
    def idle(self) -> int:
        return self.capacity - len(self.groups)

    def has(self, key: str) -> bool:
        return any(key == step.key for group in self.groups for step in group)

    def submit(self, group: Sequence[Step]) -> None:
        assert self.idle > 0, "no worker is idle"
        assert not any(self.has(step.key) for step in group), "a worker has it already"
        assert all(self.store.has(key) for step in group for key in step.inputs.values())
        self.groups.append(tuple(group))
        self.submitted.append([step.name for step in group])

    def stop(self, key: str) -> None:
        self.stopped.append(key)

    def want(self, key: str) -> None:
        self.wanted.append(key)

    def outcomes(self) -> list[Outcome]:
        ended, self._ended = self._ended, []
        return ended

    def news(self) -> list[Mapping[str, Any]]:
        news, self._news = self._news, []
        return news

    def wait(self, seconds: float) -> None:
        pass

    # what the test does

    def names(self) -> list[str]:
        """Names of the steps that workers have."""
        return [step.name for group in self.groups for step in group]

    def count(self, name: str) -> int:
        """How often a step was given to a worker."""
        return sum(group.count(name) for group in self.submitted)

    def begin(self, name: str) -> str:
        """A worker begins the group with that step; the key of the step."""
        group = self._group(name)
        for step in group:
            self.report(step.key, 0.0, "")
        return next(step.key for step in group if step.name == name)

    def report(self, key: str, fraction: float, message: str, *points: dict[str, float]) -> None:
        news = {"fraction": fraction, "message": message, "points": list(points)}
        self._news.append({"key": key, "pid": 4, **news})

    def do(
        self,
        name: str,
        error: Exception | None = None,
        artifact: bool = True,
        before: Collection[str] = (),
    ) -> None:
        """A worker does the group with that step to its end.

        Args:
            name: of one of its steps.
            error: how the group fails.
            artifact: whether the steps write what they should.
            before: names of the steps that were done before it failed.
        """
        group = self._group(name)
        self.begin(name)
        self.groups.remove(group)
        done = [step for step in group if (artifact and error is None) or step.name in before]
        for step in done:
            run_group([step], self.store, Path(), [silent])
        keys = tuple(step.key for step in group)
        self._ended.append(Outcome(keys, error, "Traceback: ..."))

    def do_until(self, engine: Engine, *names: str) -> None:
        """Workers do everything until they have all of these steps; with no name, to the end."""
        engine.turn()
        while self.groups and not (names and set(names) <= set(self.names())):
            one = next(group for group in self.groups if not set(names) & {s.name for s in group})
            self.do(one[0].name)
            engine.turn()

    def _group(self, name: str) -> tuple[Step, ...]:
        return next(group for group in self.groups if name in {step.name for step in group})


def status(catalog: Catalog, experiment: Experiment) -> str:
    return catalog.run(experiment.run_id).status


def steps(catalog: Catalog, experiment: Experiment) -> dict[str, str]:
    return {step.name: step.status for step in catalog.steps(experiment.run_id)}


def other(experiment: Experiment, **changes: Any) -> Experiment:
    return make_experiment({**experiment.model_dump(mode="json"), **changes})
