"""Whether a core of this machine is idle, so that a second thread can use it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

import psutil

from prunepriv.environment import cores

FIRST, NEXT = 0.05, 0.25
"""Seconds until the first look, and between two looks; the system counts in hundredths."""

SPARE = 1.5
"""Cores that others must leave to a fit: one for itself, and at least half of another."""


class IdleCore:
    """Looks a few times a second at how much processor time others use.

    Others are other processes, and the threads of this one that do other steps.

    Args:
        idle: seconds that each of the usable cores has been idle, in total.
        own: seconds of processor time that this thread has used. The second thread, as long as it
            is used, is taken to use as much: it does the other half of the same work.
        clock: seconds.
    """

    def __init__(
        self,
        idle: Callable[[], float] | None = None,
        own: Callable[[], float] = time.thread_time,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._idle, self._own, self._clock = idle or idle_seconds, own, clock
        self._found = False
        self._last = self._look()
        self._next = self._last[0] + FIRST

    def __call__(self) -> bool:
        """Whether this thread can use a second core without slowing others down."""
        if cores() > 1 and self._clock() >= self._next:
            now = self._look()
            elapsed, idle, own = (b - a for a, b in zip(self._last, now, strict=True))
            self._found = idle + own * (1 + self._found) >= SPARE * elapsed
            self._last, self._next = now, now[0] + NEXT
        return self._found

    def _look(self) -> tuple[float, float, float]:
        return self._clock(), self._idle(), self._own()


def idle_seconds() -> float:
    """Seconds that the cores which this process may use have been idle, in total."""
    every = psutil.cpu_times(percpu=True)
    if hasattr(os, "sched_getaffinity"):
        usable = os.sched_getaffinity(0)
        every = [core for number, core in enumerate(every) if number in usable]
    return float(sum(core.idle + getattr(core, "iowait", 0.0) for core in every))
