"""The state of the active runs' steps, kept in memory and written in batches."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from prunepriv.store.catalog import Catalog
from prunepriv.store.schema import RunStatus, StepStatus


@dataclass
class StepState:
    """The present state of a step; the runs that wait for it share it."""

    status: StepStatus = "waiting"
    fraction: float = 0.0
    message: str = ""
    curve: list[dict[str, float]] = field(default_factory=list)
    started: float | None = None
    seconds: float | None = None
    pid: int | None = None

    def row(self, run_id: str, key: str) -> dict[str, Any]:
        """The step's row for the catalogue."""
        return {
            "run_id": run_id,
            "key": key,
            "status": self.status,
            "fraction": self.fraction,
            "message": self.message,
            "curve": json.dumps(self.curve),
            "started": self.started,
            "seconds": self.seconds,
            "pid": self.pid,
        }


class Ledger:
    """The active runs of the engine or of an inline run.

    Nothing is written before :meth:`flush`, and what could not be written (a full disk) is kept
    for the next flush.

    Args:
        catalog: the catalogue that is written to.
        owner: the lock file that the caller holds, relative to the store.
    """

    def __init__(self, catalog: Catalog, owner: str) -> None:
        self._catalog = catalog
        self._owner = owner
        self._states: dict[str, StepState] = {}
        self._unfinished: dict[str, set[str]] = {}
        self._unwritten: dict[tuple[str, str], dict[str, Any]] = {}
        self._endings: dict[str, tuple[RunStatus, str]] = {}

    @property
    def active(self) -> tuple[str, ...]:
        """Ids of the runs that are being worked on."""
        return tuple(self._unfinished)

    def admit(self, run_id: str, rows: Sequence[Mapping[str, Any]]) -> bool:
        """Begin a run whose steps are ``rows``; return False if it no longer waits."""
        if not self._catalog.begin(run_id, self._owner, rows):
            return False
        self._unfinished[run_id] = {row["key"] for row in rows if not row["cached"]}
        for key in filter(self.is_running, self._unfinished[run_id]):
            self._note(run_id, key)  # it runs for another run already
        self._end_if_done(run_id)
        return True

    def unfinished(self, run_id: str) -> frozenset[str]:
        """Keys of the run's steps that are still to be done."""
        return frozenset(self._unfinished.get(run_id, ()))

    def wanting(self, key: str) -> tuple[str, ...]:
        """Ids of the active runs that wait for that step."""
        return tuple(run_id for run_id, keys in self._unfinished.items() if key in keys)

    def is_running(self, key: str) -> bool:
        """Whether a worker is doing that step."""
        return key in self._states and self._states[key].status == "running"

    def report(
        self,
        key: str,
        pid: int,
        fraction: float,
        message: str = "",
        points: Sequence[dict[str, float]] = (),
    ) -> None:
        """What a process that does the step reports.

        With the first report the step begins; with that of another process it begins again, because
        the first worker was lost.
        """
        state = self._states.get(key)
        if state is None or state.status != "running" or state.pid != pid:
            state = StepState(status="running", started=time.time(), pid=pid)
            self._states[key] = state
        state.fraction, state.message = fraction, message
        state.curve.extend(points)
        self._touch(key)

    def wait(self, key: str) -> None:
        """The step has to be done again."""
        self._states[key] = StepState()
        self._touch(key)

    def want_again(self, run_id: str, key: str) -> None:
        """A step that the run had finished has to be done again."""
        self._unfinished[run_id].add(key)
        self.wait(key)

    def finish(self, key: str, seconds: float) -> None:
        """The step's artifact is in the store."""
        state = self._states.setdefault(key, StepState())
        state.status, state.fraction, state.message, state.seconds = "done", 1.0, "", seconds
        self._touch(key)
        for run_id in self.wanting(key):
            self._unfinished[run_id].discard(key)
            self._end_if_done(run_id)

    def fail(self, run_id: str, key: str, sentence: str) -> None:
        """The step cannot be done: the run that waits for it ends."""
        state = self._states.setdefault(key, StepState())
        state.status, state.message = "failed", sentence
        self._note(run_id, key)
        self.end(run_id, "failed", sentence)

    def end(self, run_id: str, status: RunStatus, error: str = "") -> None:
        """A run ends; its running steps become waiting."""
        for key in filter(self.is_running, self._unfinished.pop(run_id)):
            self._unwritten[run_id, key] = StepState().row(run_id, key)
        self._endings[run_id] = (status, error)

    def flush(self) -> None:
        """Write what changed.

        Raises:
            StoreFullError: no space left; everything is kept for the next flush.
        """
        self._catalog.update_steps(self._unwritten.values())
        self._unwritten.clear()
        for run_id, (status, error) in list(self._endings.items()):
            self._catalog.end(run_id, status, error)
            del self._endings[run_id]
        if not self._unfinished:
            self._states.clear()

    def _end_if_done(self, run_id: str) -> None:
        if not self._unfinished[run_id]:
            self.end(run_id, "done")

    def _touch(self, key: str) -> None:
        for run_id in self.wanting(key):
            self._note(run_id, key)

    def _note(self, run_id: str, key: str) -> None:
        self._unwritten[run_id, key] = self._states[key].row(run_id, key)
