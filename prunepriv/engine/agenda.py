"""Which steps of a run can be done now, and which of them one worker does together.

Imports neither torch nor Dask.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Collection, Iterator

from prunepriv.experiment import Experiment
from prunepriv.options import DEFENSES, MODELS
from prunepriv.plan import Plan, Step

SMALL_STEPS = 64
"""How many steps that take milliseconds one worker does together."""


class Agenda:
    """The unfinished steps of one run, in the order of its plan.

    Args:
        plan: of the run.
        unfinished: keys of its steps that are to be done.
    """

    def __init__(self, plan: Plan, unfinished: Collection[str]) -> None:
        self.plan = plan
        self._ordinals = {step.key: ordinal for ordinal, step in enumerate(plan.steps)}
        self._readers: dict[str, list[str]] = {}
        self._missing: dict[str, int] = {}
        self._families: Counter[str | None] = Counter()
        self._ready: list[int] = []
        self._alike: dict[str, list[int]] = {}
        self._open: set[int] = set()
        self.reset(unfinished)

    def reset(self, unfinished: Collection[str]) -> None:
        """Begin again, with other steps to do."""
        left = set(unfinished)
        self._readers = {}
        self._missing = {}
        for step in self.plan.steps:
            if step.key in left:
                waits_for = left.intersection(step.inputs.values())
                self._missing[step.key] = len(waits_for)
                for key in waits_for:
                    self._readers.setdefault(key, []).append(step.key)
        self._families = Counter(self.plan.by_key[key].family for key in self._missing)
        self._ready, self._alike, self._open = [], {}, set()
        for key, count in self._missing.items():
            if not count:
                self._make_ready(self.plan.by_key[key])

    def finish(self, key: str) -> None:
        """A step is done: steps that only waited for it can be done."""
        if self._missing.pop(key, None) is not None:
            self._families[self.plan.by_key[key].family] -= 1
        for reader in self._readers.pop(key, ()):
            if reader in self._missing:
                self._missing[reader] -= 1
                if not self._missing[reader]:
                    self._make_ready(self.plan.by_key[reader])

    def take(self, workers: int, busy: Callable[[str], bool]) -> tuple[Step, ...]:
        """The next steps for one worker; empty if none can be done now.

        Args:
            workers: how many there are: what is left of a family is shared between them, whether
                it can be done now or waits, so that a stack stays together from step to step.
            busy: whether a worker has the step already, for another run.
        """
        while self._ready:
            ordinal = heapq.heappop(self._ready)
            if ordinal not in self._open:
                continue  # a group took it already
            self._open.remove(ordinal)
            step = self.plan.steps[ordinal]
            if self._can_do(step, busy):
                return (step, *self._companions(step, workers, busy))
        return ()

    def _make_ready(self, step: Step) -> None:
        """All that a step waits for is done. Its family has a heap too: none is searched for it."""
        ordinal = self._ordinals[step.key]
        self._open.add(ordinal)
        heapq.heappush(self._ready, ordinal)
        if step.family is not None:
            heapq.heappush(self._alike.setdefault(step.family, []), ordinal)

    def _can_do(self, step: Step, busy: Callable[[str], bool]) -> bool:
        """Whether a ready step is still to be done: for another run it may have been meanwhile."""
        return step.key in self._missing and not busy(step.key)

    def _companions(self, step: Step, workers: int, busy: Callable[[str], bool]) -> Iterator[Step]:
        """Other ready steps of its family, which the same worker does."""
        if step.family is None:
            return
        most = together(step, self.plan.experiment)
        if step.kind != "split":  # milliseconds, and what divides them divides stacks as well
            most = min(most, -(-self._families[step.family] // max(1, workers)))
        alike, taken = self._alike[step.family], 1
        while alike and taken < most:
            ordinal = heapq.heappop(alike)
            other = self.plan.steps[ordinal]
            if ordinal in self._open and self._can_do(other, busy):
                self._open.remove(ordinal)
                taken += 1
                yield other


def together(step: Step, experiment: Experiment) -> int:
    """The most steps like this one that one worker does together.

    Small models are trained as a stack that fits the cache. Large ones, and those of a defence that
    trains each model alone, are given out one by one, so that a lost worker costs one model. So are
    all answers of large ones: they take seconds to minutes.
    """
    stacked = MODELS[experiment.model.name].stacked
    if DEFENSES[step.params.get("defense", {"name": "none"})["name"]].alone:
        return 1
    if step.kind == "split" or (step.kind in ("population", "confidences") and stacked > 1):
        return SMALL_STEPS
    return stacked
