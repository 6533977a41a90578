"""The engine takes runs from the catalogue's queue and does their steps, until it is idle."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from prunepriv.engine.ledger import Ledger
from prunepriv.errors import (
    Cancelled,
    ExperimentError,
    MissingArtifactError,
    PruneprivError,
    StoreError,
    StoreFullError,
)
from prunepriv.plan import Plan, Step, plan
from prunepriv.store.artifacts import ArtifactStore
from prunepriv.store.catalog import Catalog
from prunepriv.store.schema import RunView
from prunepriv.store.step_logs import add_to_log, log_path, read_log
from prunepriv.store.step_rows import step_rows, stored_seconds

logger = logging.getLogger(__name__)

TURN = 0.1
"""Seconds between two checks of the queue and the workers."""

RESTARTS = 3
"""How often a run is restarted when its steps find damaged inputs."""

AHEAD = 4
"""Largest number of active runs per worker."""


class WorkerDied(Exception):
    """A step ended the worker processes that tried it; ``str(error)`` says how."""


@dataclass(frozen=True)
class Outcome:
    """How a step ended: ``error`` is None if it was done."""

    key: str
    error: BaseException | None = None
    traceback: str = ""


class Workers(Protocol):
    """What the engine needs of a :class:`prunepriv.engine.dask_workers.DaskWorkers`."""

    @property
    def capacity(self) -> int: ...
    def has(self, key: str) -> bool: ...
    def submit(self, step: Step, priority: int) -> None: ...
    def stop(self, key: str) -> None: ...
    def drop(self, key: str) -> None: ...
    def outcomes(self) -> list[Outcome]: ...
    def news(self) -> list[Mapping[str, Any]]: ...


@dataclass
class ActiveRun:
    """A run that the engine works on."""

    plan: Plan
    position: int
    restarts: int = 0


class Engine:
    """Works on the runs of one store.

    Args:
        catalog: the store's catalogue.
        workers: they do the steps.
        owner: the lock file that this process holds, relative to the store.
    """

    def __init__(self, catalog: Catalog, workers: Workers, owner: str) -> None:
        self._catalog = catalog
        self._workers = workers
        self._ledger = Ledger(catalog, owner)
        self._runs: dict[str, ActiveRun] = {}

    @property
    def busy(self) -> bool:
        """Whether a run is active."""
        return bool(self._runs)

    def serve(self, stop: threading.Event, idle_timeout: float, beat: Callable[[], None]) -> None:
        """Work until ``stop`` is set, or until no run was active for ``idle_timeout`` s.

        ``beat`` is called on every turn.
        """
        last_busy = time.monotonic()
        while not stop.wait(TURN) and time.monotonic() - last_busy < idle_timeout:
            beat()
            try:
                self.turn()
            except StoreFullError as error:
                logger.error("%s", error)  # what could not be written is kept for the next turn
            if self.busy:
                last_busy = time.monotonic()

    def turn(self) -> None:
        """Check cancellations, workers and queue once, and write what changed."""
        self._cancel()
        self._listen()
        self._admit()
        self._ledger.flush()

    def _cancel(self) -> None:
        for run_id in self._catalog.cancel_requests() & self._runs.keys():
            logger.info("run %s: cancelled", run_id)
            self._release(run_id, self._ledger.unfinished(run_id))
            self._ledger.end(run_id, "cancelled")
            self._forget_ended()

    def _listen(self) -> None:
        ended = self._workers.outcomes()  # before the news: no report follows its step's end
        out = {outcome.key for outcome in ended}
        for news in self._workers.news():
            key = news["key"]
            if "pid" not in news:
                self._ledger.report(key, news["fraction"], news["message"], news["points"])
            elif key in out or self._workers.has(key):
                self._ledger.start(key, news["pid"])
            else:
                self._stop(key)  # dropped at the moment when a worker began it
        for outcome in ended:
            if outcome.error is None:
                self._finish(outcome.key)
        for outcome in ended:
            if outcome.error is not None:
                self._fail(outcome.key, outcome.error, outcome.traceback)
        self._forget_ended()

    def _admit(self) -> None:
        """Begin waiting runs while a worker would have nothing to do."""
        if self._enough():
            return
        for run in self._catalog.queued():
            self._begin(run)
            if self._enough():
                return

    def _enough(self) -> bool:
        if len(self._runs) >= AHEAD * self._workers.capacity:
            return True
        ready: set[str] = set()
        for run_id, active in self._runs.items():
            unfinished = self._ledger.unfinished(run_id)
            ready.update(step.key for step in active.plan.steps if _is_ready(step, unfinished))
            if len(ready) >= self._workers.capacity:
                return True
        return False

    def _begin(self, run: RunView) -> None:
        try:
            active = ActiveRun(plan(run.experiment), run.position)
        except ExperimentError as error:
            self._catalog.end(run.run_id, "failed", str(error))
            return
        store = ArtifactStore(self._catalog.store)
        if not self._ledger.admit(run.run_id, step_rows(store, active.plan.experiment)):
            return
        self._runs[run.run_id] = active
        unfinished = self._ledger.unfinished(run.run_id)
        logger.info("run %s: %d steps to do", run.run_id, len(unfinished))
        self._submit_steps(run.run_id)
        self._forget_ended()

    def _submit_steps(self, run_id: str) -> None:
        """Submit a run's unfinished steps: earlier runs first, a run's steps in the plan's order."""
        active, unfinished = self._runs[run_id], self._ledger.unfinished(run_id)
        for ordinal, step in enumerate(active.plan.steps):
            if step.key in unfinished:
                self._workers.submit(step, priority=-(active.position * 1000 + ordinal))

    def _finish(self, key: str) -> None:
        seconds = stored_seconds(ArtifactStore(self._catalog.store), key)
        if seconds is not None:
            self._ledger.finish(key, seconds)
            return
        for run_id in self._ledger.wanting(key):
            self._restart(run_id, key, "a step ended without writing its artifact")

    def _fail(self, key: str, error: BaseException, traceback: str) -> None:
        """A step's own failure ends the runs that wait for it, unless doing it again may help."""
        self._ledger.wait(key)
        for run_id in self._ledger.wanting(key):
            step = self._runs[run_id].plan.by_key[key]
            if not self._is_own(step, self._ledger.unfinished(run_id)):
                continue  # Dask passes on the failure of a step that this one reads
            if isinstance(error, (Cancelled, MissingArtifactError)):
                self._restart(run_id, key, str(error))
                continue
            logger.error("run %s: step %s failed\n%s", run_id, step.name, traceback)
            self._keep_log(key, error, traceback)
            self._end_failed(run_id, key, self._sentence(step, error))

    def _is_own(self, step: Step, unfinished: frozenset[str]) -> bool:
        """Whether a failure is the step's own: all its inputs exist.

        The store is checked too: when a worker dies, Dask forgets the finished steps that it held.
        They count as unfinished until another worker has found their artifacts.
        """
        store = ArtifactStore(self._catalog.store)
        return _is_ready(step, unfinished) or all(store.has(key) for key in step.inputs.values())

    def _sentence(self, step: Step, error: BaseException) -> str:
        if isinstance(error, PruneprivError):
            return str(error)
        log = log_path(self._catalog.store, step.key)
        if isinstance(error, WorkerDied):
            return f"step {step.name} {error}: see {log}"
        return f"step {step.name} failed unexpectedly ({type(error).__name__}: {error}): see {log}"

    def _keep_log(self, key: str, error: BaseException, traceback: str) -> None:
        """What the step's process itself could not write to the step's log."""
        store = self._catalog.store
        if isinstance(error, WorkerDied):
            add_to_log(store, key, f"It {error}.")
        elif not read_log(store, key):
            add_to_log(store, key, traceback)

    def _restart(self, run_id: str, key: str, reason: str) -> None:
        """Restart a run from the complete artifacts in the store."""
        active = self._runs[run_id]
        active.restarts += 1
        if active.restarts > RESTARTS:
            self._end_failed(run_id, key, reason)
            return
        logger.warning("run %s is restarted: %s", run_id, reason)
        store = ArtifactStore(self._catalog.store)
        for step in active.plan.steps:
            unfinished = self._ledger.unfinished(run_id)
            if self._ledger.is_running(step.key) and self._workers.has(step.key):
                continue
            self._workers.drop(step.key)
            if not store.has(step.key):
                self._ledger.want_again(run_id, step.key)
            elif step.key in unfinished:
                self._ledger.finish(step.key, stored_seconds(store, step.key) or 0.0)
        self._submit_steps(run_id)

    def _end_failed(self, run_id: str, key: str, sentence: str) -> None:
        unfinished = self._ledger.unfinished(run_id)
        self._ledger.fail(run_id, key, sentence)
        self._release(run_id, unfinished - {key})

    def _release(self, run_id: str, keys: frozenset[str]) -> None:
        """Stop or drop steps that no other run waits for."""
        for key in keys:
            if set(self._ledger.wanting(key)) - {run_id}:
                continue
            if self._ledger.is_running(key):
                self._stop(key)
            else:
                self._workers.drop(key)

    def _stop(self, key: str) -> None:
        try:
            self._workers.stop(key)
        except StoreError as error:
            logger.error("%s: the step continues to its end", error)

    def _forget_ended(self) -> None:
        for run_id in self._runs.keys() - set(self._ledger.active):
            del self._runs[run_id]
            logger.info("run %s: ended", run_id)


def _is_ready(step: Step, unfinished: frozenset[str]) -> bool:
    """Whether a step is unfinished and all its inputs are finished."""
    return step.key in unfinished and unfinished.isdisjoint(step.inputs.values())
