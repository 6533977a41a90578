"""The memory of this program's commands and of an engine, sampled while they work."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

import psutil

from prunepriv.engine.client import ENGINE_LOCK
from prunepriv.store.locks import pid_file
from prunepriv.store.schema import StepView

EVERY = 0.25
"""Seconds between two samples."""


class Sample(NamedTuple):
    """The memory at one time.

    Attributes:
        at: when, in seconds since 1970.
        together: bytes of all processes; a page that some share counts once.
        resident: bytes by process; pages that processes share (mapped files, a library) count in
            each of them.
    """

    at: float
    together: int
    resident: Mapping[int, int]

    @property
    def largest(self) -> int:
        """Bytes of the largest process."""
        return max(self.resident.values(), default=0)


@dataclass
class Memory:
    """Samples the processes that this one has started, and those of a store's engine.

    ::

        with Memory(store) as memory:
            run(store, ...)
        memory.whole.together

    Attributes:
        store: whose engine is watched; it may have been started earlier.
        samples: one every EVERY seconds.
    """

    store: Path
    samples: list[Sample] = field(default_factory=list)

    def __enter__(self) -> Self:
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="memory")
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._thread.join()
        self._sample()

    @property
    def whole(self) -> Sample:
        """When all processes together had the most."""
        return max(self.samples, key=lambda sample: sample.together)

    @property
    def largest(self) -> Sample:
        """When one process had more than any at another time."""
        return max(self.samples, key=lambda sample: sample.largest)

    def of_steps(self, steps: Iterable[StepView]) -> dict[str, int]:
        """By kind of step: the most bytes that a process had while it did one."""
        most: dict[str, int] = {}
        for step in steps:
            if step.started is None or step.seconds is None or step.pid is None:
                continue
            begun = step.started.timestamp()
            seen = (
                sample.resident.get(step.pid, 0)
                for sample in self.samples
                if begun <= sample.at <= begun + step.seconds
            )
            kind = ":".join(step.name.split(":")[:2]) if step.kind == "fit" else step.kind
            most[kind] = max(most.get(kind, 0), *seen, 0)
        return most

    def _watch(self) -> None:
        while not self._stop.wait(EVERY):
            self._sample()

    def _sample(self) -> None:
        now, together = time.time(), 0
        resident = {}
        for process in set(_processes(self.store)):
            try:
                memory = process.memory_full_info()
            except psutil.Error:  # it has ended
                continue
            resident[process.pid] = memory.rss
            together += getattr(memory, "pss", memory.uss)  # only Linux tells the first
        self.samples.append(Sample(now, together, resident))


def at_work(steps: Iterable[StepView], at: float) -> list[str]:
    """Names of the steps that were being done at a time, in seconds since 1970."""
    return [
        step.name
        for step in steps
        if step.started is not None
        and step.seconds is not None
        and step.started.timestamp() <= at <= step.started.timestamp() + step.seconds
    ]


def _processes(store: Path) -> Iterator[psutil.Process]:
    """Descendants of this process and of the store's engine, and the engine."""
    try:
        yield from psutil.Process(os.getpid()).children(recursive=True)
        engine = psutil.Process(int(pid_file(store / ENGINE_LOCK).read_text()))
        yield engine
        yield from engine.children(recursive=True)
    except (OSError, ValueError, psutil.Error):
        return  # there is no engine
