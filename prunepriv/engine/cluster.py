"""Does groups of steps on a Dask cluster that was started elsewhere and shares the store's folder.

The engine gives each group to one worker of the roster. When that worker is lost, another one takes
the group. When the scheduler is lost, the groups wait until it is back. What a lost worker had
finished of a group is in the store, and is not done again.
"""

# mypy: disallow-untyped-calls=False

from __future__ import annotations

import logging
import time
import uuid
from collections import Counter, deque
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from distributed import Client, Future

from prunepriv.engine.address import check_scheduler, no_scheduler
from prunepriv.engine.dask_workers import RETURNS, DaskWorkers
from prunepriv.engine.deaths import loss_words
from prunepriv.engine.roster import Roster
from prunepriv.engine.tries import forget_tries, tries
from prunepriv.engine.worker_setup import TOKEN
from prunepriv.engine.workers import Outcome, WorkerDied
from prunepriv.errors import EngineError, StoreError
from prunepriv.plan import Step
from prunepriv.store.step_logs import read_log

logger = logging.getLogger(__name__)

LOOK_EVERY = 0.5
"""Seconds between two looks at the scheduler's workers, or two attempts to reach a lost scheduler."""

MOST_LOSSES = 3
"""How many workers a group of steps may lose before it fails."""

MOST_REFUSALS = 3
"""How many refused workers are told one by one."""

_PATIENCE = 5.0
"""Most seconds that a scheduler may take to answer."""


def connect(address: str, patience: float = _PATIENCE) -> Client:
    """A client of a scheduler; Dask's own configuration holds the credentials.

    Args:
        address: of the scheduler.
        patience: most seconds until it answers.

    Raises:
        EngineError: no scheduler answers.
    """
    check_scheduler(address, patience)
    try:
        return Client(address, set_as_default=False, timeout=patience)
    except (OSError, ValueError) as error:
        raise no_scheduler(address, str(error)) from None


class ClusterWorkers(DaskWorkers):
    """Workers of a cluster that was started elsewhere, and the steps that they were given.

    Args:
        store: the store's folder, which the workers share.
        data: the folder of downloaded archives.
        runner: the function that does a group of steps, "module:function".
        address: of the scheduler.
        client: is connected to it.

    Raises:
        StoreError: the store cannot be written to.
    """

    def __init__(self, store: Path, data: Path, runner: str, address: str, client: Client) -> None:
        self._token = _write_token(store)
        super().__init__(store, data, runner, 0, client)
        self._address = address
        self._lost = self._silent = False
        self._looked = 0.0
        self._places: dict[Future, str] = {}
        self._homeless: deque[tuple[Step, ...]] = deque()
        self._losses: Counter[str] = Counter()
        self._scheduler = _identity(client)["id"]
        self._roster = Roster(client, store, runner, self._token)

    @property
    def capacity(self) -> int:
        """How many groups can be worked on at once; 0 while there is no worker or no scheduler."""
        return 0 if self._lost else sum(self._roster.threads.values())

    @property
    def notice(self) -> str:
        """What the runs have to know of the cluster: lost, without workers, workers refused."""
        if self._lost or self._silent:
            trouble = "is lost" if self._lost else "does not answer"
            return (
                f"the Dask scheduler at {self._address} {trouble}: the run goes on from its "
                "finished steps when the scheduler is back"
            )
        if self._roster.empty:
            return (
                f"no worker has joined the Dask scheduler at {self._address}: "
                f"start one, for example with `python -m dask worker {self._address}`"
            )
        refused = self._roster.refusals
        more = len(refused) - MOST_REFUSALS
        return "; ".join([*refused[:MOST_REFUSALS], *([f"and {more} more"] if more > 0 else [])])

    def outcomes(self) -> list[Outcome]:
        """Groups that have ended since the last call; lost groups are given out again."""
        self._watch()
        if self._lost:
            return []
        outcomes = super().outcomes()
        for future in [one for one, place in self._places.items() if self._is_gone(one, place)]:
            outcomes += self._take_back(future)
        while self._homeless and self._free():
            self._hand_over(self._homeless.popleft())
        return outcomes

    def close(self) -> None:
        """Leave the cluster, which continues."""
        _leave(self._client)

    def _watch(self) -> None:
        """Look at the scheduler and its workers, or try to reach it again."""
        if self._lost or self._is_disconnected():
            self._reconnect()
        elif time.monotonic() - self._looked >= LOOK_EVERY or not self._roster.threads:
            self._look()

    def _look(self) -> None:
        self._looked = time.monotonic()
        try:
            seen = _identity(self._client)
        except (OSError, TimeoutError):
            self._silent = True  # it may be busy; if it is lost, the client notices it
            return
        self._silent = False
        if seen["id"] != self._scheduler:  # Dask's client has found another one at the address
            self._lose()
        else:
            workers = seen["workers"].items()
            self._roster.look((address, one["nthreads"]) for address, one in workers)

    def _is_disconnected(self) -> bool:
        """Whether the connection is lost, or was lost for a moment: then Dask drops all tasks."""
        dropped = any(future.status in ("cancelled", "lost") for future in self._places)
        return dropped or self._client.status != "running"

    def _lose(self) -> None:
        """Take all groups back; they wait for the scheduler."""
        logger.warning("the Dask scheduler at %s is lost", self._address)
        self._lost = True
        for future in list(self._places):
            self._homeless.append(self._forget(future))
        _leave(self._client)

    def _reconnect(self) -> None:
        if not self._lost:
            self._lose()
        elif time.monotonic() - self._looked < LOOK_EVERY:
            return
        self._looked = time.monotonic()
        try:
            client = connect(self._address, patience=1.0)  # another attempt comes soon
            self._scheduler = _identity(client)["id"]
        except (EngineError, OSError, TimeoutError):
            return
        logger.warning("the Dask scheduler at %s is back", self._address)
        self._attach(client)
        self._roster = Roster(client, self._store, self._runner, self._token)
        self._lost = False
        self._look()

    def _is_gone(self, future: Future, place: str) -> bool:
        return not future.done() and place not in self._roster.threads

    def _take_back(self, future: Future) -> list[Outcome]:
        """A group whose worker is lost waits for another one, or fails."""
        place, group = self._places[future], self._futures[future]
        key = group[0].key
        logger.warning("worker %s is lost, which had %s", place, group[0].name)
        self._count_loss(key)
        self._forget(future)
        if self._losses[key] <= MOST_LOSSES:
            self._homeless.append(group)
            return []
        self._dismiss(group)
        error = WorkerDied(loss_words(self._losses[key], place, read_log(self._store, key)))
        return [Outcome(tuple(step.key for step in group), error)]

    def _count_loss(self, key: str) -> None:
        """Blame a group for its lost worker, unless that had not begun it."""
        if tries(self._store, key) or self._returns[key] == RETURNS:
            self._losses[key] += 1
        else:
            self._returns[key] += 1

    def _forget(self, future: Future) -> tuple[Step, ...]:
        """The group of a task that is not waited for any more."""
        group = self._futures[future]
        self._end(future)
        forget_tries(self._store, group[0].key)  # they count from when it is given out again
        return group

    def _free(self) -> dict[str, int]:
        """By address, how many more groups a worker can take."""
        taken = Counter(self._places.values())
        threads = self._roster.threads.items()
        return {one: left for one, count in threads if (left := count - taken[one]) > 0}

    def submit(self, group: Sequence[Step]) -> None:
        """Submit a group of steps, whose inputs are in the store."""
        self._losses[group[0].key] = 0
        super().submit(group)

    def _hand_over(self, group: Sequence[Step]) -> None:
        """Give a group to the worker that can take the most; without one it waits."""
        free = self._free()
        if not free:  # Dask has blamed a group in vain whose worker is gone
            self._homeless.append(tuple(group))
            return
        place = max(free, key=lambda address: free[address])
        self._places[self._send(group, place)] = place

    def _is_over(self, future: Future) -> bool:
        """Not if Dask has dropped its task, because the connection was lost a moment ago."""
        return future.status in ("finished", "error")

    def _end(self, future: Future) -> None:
        super()._end(future)
        del self._places[future]


def _identity(client: Client) -> dict[str, Any]:
    """The scheduler's id, and its workers by address."""
    scheduler: Any = client.scheduler
    seen: dict[str, Any] = client.sync(scheduler.identity, n_workers=-1, callback_timeout=_PATIENCE)
    return seen


def _leave(client: Client) -> None:
    """Close a client, whose scheduler may be gone."""
    with suppress(OSError, TimeoutError):
        client.close(timeout=1)


def _write_token(store: Path) -> str:
    """Write into the store by what its workers know it."""
    token = uuid.uuid4().hex
    try:
        (store / TOKEN).write_text(token)
    except OSError as error:
        raise StoreError(f"{store / TOKEN} cannot be written ({error.strerror})") from None
    return token
