"""The engine takes runs from the catalogue's queue and does their steps, until it is idle."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from prunepriv.engine.agenda import Agenda
from prunepriv.engine.ledger import Ledger
from prunepriv.engine.leftovers import remove_leftovers
from prunepriv.errors import (
    Cancelled,
    ExperimentError,
    MissingArtifactError,
    PruneprivError,
    StoreError,
)
from prunepriv.plan import Plan, Step, plan
from prunepriv.store.artifacts import ArtifactStore
from prunepriv.store.catalog import Catalog
from prunepriv.store.schema import RunView
from prunepriv.store.step_logs import add_to_log, log_path, move_log, read_log
from prunepriv.store.step_rows import step_rows, stored_seconds

logger = logging.getLogger(__name__)

TURN = 0.1
"""Most seconds between two checks of the queue and the workers; the end of a step wakes the engine."""

RESTARTS = 3
"""How often a run is restarted when its steps find damaged inputs."""

AHEAD = 4
"""Largest number of active runs per worker."""


class WorkerDied(Exception):
    """A step ended the worker processes that tried it; ``str(error)`` says how."""


@dataclass(frozen=True)
class Outcome:
    """How a group of steps, given by their keys, ended: ``error`` is None if all were done."""

    keys: tuple[str, ...]
    error: BaseException | None = None
    traceback: str = ""


class Workers(Protocol):
    """What the engine needs of a :class:`prunepriv.engine.dask_workers.DaskWorkers`."""

    @property
    def capacity(self) -> int: ...
    @property
    def idle(self) -> int: ...
    def has(self, key: str) -> bool: ...
    def submit(self, group: Sequence[Step]) -> None: ...
    def stop(self, key: str) -> None: ...
    def want(self, key: str) -> None: ...
    def outcomes(self) -> list[Outcome]: ...
    def news(self) -> list[Mapping[str, Any]]: ...
    def wait(self, seconds: float) -> None: ...


@dataclass
class ActiveRun:
    """A run that the engine works on."""

    plan: Plan
    position: int
    agenda: Agenda
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
        self._owner = owner
        self._runs: dict[str, ActiveRun] = {}
        self._restarted: set[str] = set()
        self._trouble = ""

    @property
    def busy(self) -> bool:
        """Whether a run is active."""
        return bool(self._runs)

    def serve(self, stop: threading.Event, idle_timeout: float, beat: Callable[[], None]) -> None:
        """Work until ``stop`` is set, or until no run was active for ``idle_timeout`` s.

        ``beat`` is called on every turn. What the store refuses is tried again on the next one.

        Raises:
            StoreError: from ``beat``.
        """
        last_busy = time.monotonic()
        self._clean()
        while not stop.is_set() and time.monotonic() - last_busy < idle_timeout:
            self._workers.wait(TURN)
            beat()
            try:
                self.turn()
            except StoreError as error:
                self._tell(str(error))
            else:
                self._tell("")
            if self.busy:
                last_busy = time.monotonic()
        self._clean()

    def turn(self) -> None:
        """Check cancellations, workers and queue once, and write what changed.

        Raises:
            StoreError: the catalogue refused a part of it, which the next turn tries again. The
                other parts are done.
        """
        refused: list[StoreError] = []
        for part in (self._cancel, self._listen, self._hand_out, self._ledger.flush):
            try:
                part()
            except StoreError as error:
                refused.append(error)
        if refused:
            raise refused[0]

    def _clean(self) -> None:
        """Remove what lost processes have left, when no worker of this engine writes anything."""
        if self._workers.idle == self._workers.capacity:
            remove_leftovers(self._catalog.store, self._owner)

    def _tell(self, trouble: str) -> None:
        """Log a trouble with the store once, however many turns it lasts."""
        if trouble and trouble != self._trouble:
            logger.error("%s (the engine tries again)", trouble)
        elif self._trouble and not trouble:
            logger.info("the store can be used again")
        self._trouble = trouble

    def _cancel(self) -> None:
        for run_id in self._catalog.cancel_requests() & self._runs.keys():
            logger.info("run %s: cancelled", run_id)
            self._release(run_id, self._ledger.unfinished(run_id))
            self._ledger.end(run_id, "cancelled")
            self._forget_ended()

    def _listen(self) -> None:
        ended = self._workers.outcomes()  # before the news: no report follows its step's end
        out = {key for outcome in ended for key in outcome.keys}
        for news in self._workers.news():
            key = news["key"]
            if key in out or self._workers.has(key):
                self._ledger.report(
                    key, news["pid"], news["fraction"], news["message"], news["points"]
                )
        store = ArtifactStore(self._catalog.store)
        self._restarted = set()
        for number, outcome in enumerate(ended):
            try:
                for key in outcome.keys:
                    if outcome.error is None or store.has(key):  # done before its group failed
                        self._finish(key)
            except StoreError as error:  # an artifact that can be neither read nor moved away
                ended[number] = replace(outcome, error=error)
        for outcome in ended:
            if outcome.error is not None:
                left = [key for key in outcome.keys if not _holds(store, key)]
                if left:  # its log is known by the group's first step as long as nobody moves it
                    move_log(self._catalog.store, outcome.keys[0], left[0])
                self._fail(left, outcome.error, outcome.traceback)
        self._forget_ended()

    def _hand_out(self) -> None:
        """Give every idle worker something to do; begin waiting runs while one stays idle."""
        self._give()
        if self._workers.idle <= 0:
            return
        for run in self._catalog.queued():
            if len(self._runs) >= AHEAD * self._workers.capacity:
                return
            self._begin(run)
            self._give()
            if self._workers.idle <= 0:
                return

    def _give(self) -> None:
        """Hand out steps: those of earlier runs first, a run's steps in the plan's order."""
        for active in sorted(self._runs.values(), key=lambda active: active.position):
            while self._workers.idle > 0:
                group = active.agenda.take(self._workers.capacity, self._workers.has)
                if not group:
                    break
                self._workers.submit(group)

    def _begin(self, run: RunView) -> None:
        try:
            whole = plan(run.experiment)
        except ExperimentError as error:
            self._catalog.end(run.run_id, "failed", str(error))
            return
        try:
            rows = step_rows(ArtifactStore(self._catalog.store), whole.experiment)
        except StoreError as error:
            self._catalog.end(run.run_id, "failed", str(error))
            return
        if not self._ledger.admit(run.run_id, rows):
            return
        unfinished = self._ledger.unfinished(run.run_id)
        self._runs[run.run_id] = ActiveRun(whole, run.position, Agenda(whole, unfinished))
        logger.info("run %s: %d steps to do", run.run_id, len(unfinished))
        for key in filter(self._workers.has, unfinished):
            self._workers.want(key)
        self._forget_ended()

    def _finish(self, key: str) -> None:
        seconds = stored_seconds(ArtifactStore(self._catalog.store), key)
        if seconds is not None:
            self._ledger.finish(key, seconds)
            for active in self._runs.values():
                active.agenda.finish(key)
            return
        for run_id in self._ledger.wanting(key):
            self._restart(run_id, key, "a step ended without writing its artifact")

    def _fail(self, group: Sequence[str], error: BaseException, traceback: str) -> None:
        """The failure of steps ends the runs that wait for them, unless doing it again may help.

        A run that does not need all of a failed group may go on: it tries its own steps once more.
        """
        for key in group:
            self._ledger.wait(key)
        again = isinstance(error, (Cancelled, MissingArtifactError))
        wanting = dict.fromkeys(run_id for key in group for run_id in self._ledger.wanting(key))
        for run_id in wanting:
            by_key, unfinished = self._runs[run_id].plan.by_key, self._ledger.unfinished(run_id)
            names = [by_key[key].name for key in group if key in by_key]
            first = next(key for key in group if key in unfinished)
            sentence = self._sentence(names, log_path(self._catalog.store, group[0]), error)
            if again or not unfinished.issuperset(group):
                self._restart(run_id, first, sentence)
                continue
            logger.error("run %s: %s failed\n%s", run_id, ", ".join(names), traceback)
            self._keep_log(first, error, traceback)
            self._end_failed(run_id, first, sentence)

    def _sentence(self, names: Sequence[str], log: Path, error: BaseException) -> str:
        if isinstance(error, PruneprivError):
            return str(error)
        what = f"step {names[0]}"
        if len(names) > 1:  # done together: which of them it was is not known
            what = f"one of the steps {names[0]} to {names[-1]}"
        if isinstance(error, WorkerDied):
            return f"{what} {error}: see {log}"
        return f"{what} failed unexpectedly ({type(error).__name__}: {error}): see {log}"

    def _keep_log(self, key: str, error: BaseException, traceback: str) -> None:
        """What the step's process itself could not write to the step's log."""
        store = self._catalog.store
        known, told = read_log(store, key), f"It {error}."
        if isinstance(error, WorkerDied) and told not in known:  # several runs may wait for it
            add_to_log(store, key, told)
        elif not known:
            add_to_log(store, key, traceback)

    def _restart(self, run_id: str, key: str, reason: str) -> None:
        """Restart a run from the complete artifacts in the store: once for all steps of a group."""
        if run_id in self._restarted:
            return
        self._restarted.add(run_id)
        active = self._runs[run_id]
        active.restarts += 1
        if active.restarts > RESTARTS:
            self._end_failed(run_id, key, reason)
            return
        logger.warning("run %s is restarted: %s", run_id, reason)
        store = ArtifactStore(self._catalog.store)
        idle = [step.key for step in active.plan.steps if not self._workers.has(step.key)]
        try:
            held = {key for key in idle if store.has(key)}
        except StoreError as error:
            self._end_failed(run_id, key, str(error))
            return
        for key in idle:
            if key not in held:
                self._ledger.want_again(run_id, key)
        for key in idle:  # after the others: the last step to finish ends the run
            if key in held and key in self._ledger.unfinished(run_id):
                self._finish(key)
        active.agenda.reset(self._ledger.unfinished(run_id))

    def _end_failed(self, run_id: str, key: str, sentence: str) -> None:
        unfinished = self._ledger.unfinished(run_id)
        self._ledger.fail(run_id, key, sentence)
        self._release(run_id, unfinished - {key})

    def _release(self, run_id: str, keys: frozenset[str]) -> None:
        """Stop steps that no other run waits for."""
        for key in keys:
            if set(self._ledger.wanting(key)) - {run_id}:
                continue
            if self._workers.has(key):
                self._stop(key)

    def _stop(self, key: str) -> None:
        try:
            self._workers.stop(key)
        except StoreError as error:
            logger.error("%s: the step continues to its end", error)

    def _forget_ended(self) -> None:
        for run_id in self._runs.keys() - set(self._ledger.active):
            del self._runs[run_id]
            logger.info("run %s: ended", run_id)
            self._clean()


def _holds(store: ArtifactStore, key: str) -> bool:
    """Whether the store has an artifact that can be read."""
    try:
        return store.has(key)
    except StoreError:
        return False
