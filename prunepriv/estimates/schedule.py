"""Which worker does which step, and when: list scheduling (Graham 1969). Imports no torch.

A worker that is free takes the first step of the list whose inputs are done, as the engine's
workers do. So no worker waits while a step could run, and the wall time is less than twice the
shortest possible one: at most all work divided by the workers, plus the longest chain.
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

Waits = Mapping[str, Sequence[str]]
"""For each step's key, the keys of the steps that it waits for; these come before it."""


class Turn(NamedTuple):
    """When a step is done, and by whom.

    Attributes:
        worker: from 0; None for a step that takes no time, which needs no worker.
        start, end: in seconds after the beginning.
    """

    worker: int | None
    start: float
    end: float


@dataclass(frozen=True)
class Schedule:
    """A turn for every step.

    Attributes:
        turns: by the step's key, in the order in which they begin.
        workers: how many there are, at least 1.
    """

    turns: Mapping[str, Turn]
    workers: int

    @cached_property
    def wall(self) -> float:
        """Seconds until the last step is done."""
        return max((turn.end for turn in self.turns.values()), default=0.0)

    @cached_property
    def work(self) -> float:
        """Seconds of all steps together."""
        return sum(turn.end - turn.start for turn in self.turns.values())

    @property
    def idle_share(self) -> float:
        """Share of the workers' time in which they do nothing, 0 to 1."""
        whole = self.wall * self.workers
        return max(0.0, 1.0 - self.work / whole) if whole else 0.0


def schedule(
    waits: Waits,
    seconds: Mapping[str, float],
    workers: int,
    rank: Mapping[str, float] | None = None,
) -> Schedule:
    """Share steps out among workers.

    Args:
        waits: the steps, and what each waits for. An input that is not a step itself is done.
        seconds: by key; 0 for a step that is done.
        workers: how many steps are worked on at once; fewer than 1 counts as 1.
        rank: by key; of the steps that could begin, the one of lowest rank does. If left out, it
            is the first in the order of `waits`, which is the engine's order.
    """
    desk = _Desk(waits, seconds, max(1, workers), rank)
    while desk.ended():
        desk.begin()
    return Schedule(desk.turns, max(1, workers))


def longest_chain(waits: Waits, seconds: Mapping[str, float]) -> tuple[str, ...]:
    """The steps that wait for each other and together take longest, in order.

    No number of workers is faster. Steps that take no time are left out.
    """
    ends, before = _ends(waits, seconds)
    chain = []
    key: str | None = max(ends, key=lambda one: ends[one], default=None)
    while key is not None:
        chain.append(key)
        key = before[key]
    return tuple(key for key in reversed(chain) if seconds[key] > 0.0)


def remaining_chains(waits: Waits, seconds: Mapping[str, float]) -> dict[str, float]:
    """For each step, the longest time from its beginning to the end of a step that needs it."""
    left = dict.fromkeys(waits, 0.0)
    for key in reversed(list(waits)):
        left[key] += seconds[key]
        for one in waits[key]:
            if one in left:
                left[one] = max(left[one], left[key])
    return left


def _ends(
    waits: Waits, seconds: Mapping[str, float]
) -> tuple[dict[str, float], dict[str, str | None]]:
    """With unlimited workers: when each step ends, and the input that it waits for longest."""
    ends: dict[str, float] = {}
    before: dict[str, str | None] = {}
    for key, inputs in waits.items():
        last = max((one for one in inputs if one in waits), key=lambda one: ends[one], default=None)
        before[key] = last
        ends[key] = seconds[key] + (0.0 if last is None else ends[last])
    return ends, before


class _Desk:
    """Steps that can begin, steps at work and free workers at one moment of a schedule."""

    def __init__(
        self,
        waits: Waits,
        seconds: Mapping[str, float],
        workers: int,
        rank: Mapping[str, float] | None,
    ) -> None:
        self.turns: dict[str, Turn] = {}
        self._seconds = seconds
        self._keys = list(waits) if rank is None else sorted(waits, key=lambda key: rank[key])
        self._places = {key: place for place, key in enumerate(self._keys)}
        self._missing: dict[str, int] = {}
        self._readers: dict[str, list[str]] = {}
        self._free = list(range(workers))
        self._at_work: list[tuple[float, int, str]] = []
        self._ready: list[int] = []
        self._ripe: list[str] = []
        self._now = 0.0
        for key, inputs in waits.items():
            distinct = {one for one in inputs if one in waits}
            self._missing[key] = len(distinct)
            for one in distinct:
                self._readers.setdefault(one, []).append(key)
            if not distinct:
                self._ripe.append(key)

    def begin(self) -> None:
        """Free workers take the first steps that can begin."""
        while self._free and self._ready:
            key = self._keys[heapq.heappop(self._ready)]
            worker = heapq.heappop(self._free)
            end = self._now + self._seconds[key]
            self.turns[key] = Turn(worker, self._now, end)
            heapq.heappush(self._at_work, (end, worker, key))

    def ended(self) -> bool:
        """Go on to when the next steps end; False if no step can begin or end any more."""
        if self._at_work:
            self._now = self._at_work[0][0]
        while self._at_work and self._at_work[0][0] == self._now:
            _, worker, key = heapq.heappop(self._at_work)
            heapq.heappush(self._free, worker)
            self._release(key)
        self._sort_ripe()
        return bool(self._ready or self._at_work)

    def _sort_ripe(self) -> None:
        """Steps whose inputs are done: those that take no time end at once, others are ready."""
        while self._ripe:
            key = self._ripe.pop()
            if self._seconds[key] > 0.0:
                heapq.heappush(self._ready, self._places[key])
            else:
                self.turns[key] = Turn(None, self._now, self._now)
                self._release(key)

    def _release(self, key: str) -> None:
        for reader in self._readers.get(key, ()):
            self._missing[reader] -= 1
            if not self._missing[reader]:
                self._ripe.append(reader)
