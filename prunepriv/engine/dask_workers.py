"""Does groups of steps on Dask: on a local cluster of the engine's own, or on one at a given address.

Dask's protocol carries pickles, so anyone who reaches the scheduler can run code. The engine's own
cluster therefore listens on loopback only. It asks for credentials that are made for it and never
leave its processes.
"""

# mypy: disallow-untyped-calls=False
# (Dask's client and cluster have no annotations)

from __future__ import annotations

import itertools
import queue
import shutil
import threading
import traceback
import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import dask
from distributed import Client, Future, LocalCluster, Security
from distributed.scheduler import KilledWorker

from prunepriv.engine.deaths import WatchingNanny, death_words
from prunepriv.engine.preload import RUNNER
from prunepriv.engine.service import Outcome, WorkerDied
from prunepriv.engine.tries import FOLDER as TRIES
from prunepriv.engine.tries import forget_tries, tries
from prunepriv.engine.worker import cancel_marker, perform
from prunepriv.errors import EngineError, StoreError
from prunepriv.plan import Step
from prunepriv.store.step_logs import read_log

_SETTINGS = {
    "distributed.scheduler.http.routes": [],
    "distributed.worker.http.routes": [],
    # Dask makes malloc return memory to the system at once, and training then spends half of its
    # time on allocating it again. SAMIA took 41 s this way, and 15 s with large blocks kept.
    "distributed.nanny.pre-spawn-environ": {
        "MALLOC_TRIM_THRESHOLD_": str(2**31),
        "MALLOC_MMAP_THRESHOLD_": str(2**30),
        "OMP_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
    },
    "distributed.admin.log-format": "%(asctime)s %(name)s %(levelname)s %(message)s",
}


_FOREVER = {"distributed.deploy.lost-worker-timeout": "10000 days"}
"""Whatever the user's own settings: a lost worker is restarted by its nanny.

Dask looks 15 s after each loss whether a worker of that name is there, and else gives it up for good:
also where it is being restarted for the second time. After a few such losses no worker was left.
"""


RETURNS = 10
"""How often a group is given out again for which Dask blamed it in vain; a store that cannot be
written to keeps no tries."""


class DaskWorkers:
    """Workers, and the steps that were submitted to them.

    Args:
        store: the store's folder, which the workers share.
        data: the folder of downloaded archives.
        runner: the function that does a group of steps, "module:function".
        workers: processes of the engine's own cluster.
        scheduler: address of a Dask scheduler to use instead; Dask's own configuration
            holds the credentials.

    Raises:
        EngineError: no scheduler answers at that address.
    """

    def __init__(
        self, store: Path, data: Path, runner: str, workers: int, scheduler: str | None = None
    ) -> None:
        self._store, self._data, self._runner = store, data, runner
        self._topic = f"prunepriv-{uuid.uuid4().hex}"
        self._news: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self._futures: dict[Future, tuple[Step, ...]] = {}
        self._keys: dict[str, Future] = {}
        self._ended = threading.Event()
        self._numbers = itertools.count()
        self._returns: dict[str, int] = {}
        for folder in ("cancel", TRIES):
            shutil.rmtree(store / folder, ignore_errors=True)
        self._cluster = None if scheduler else _local_cluster(workers, runner)
        try:
            self._client = Client(scheduler or self._cluster, set_as_default=False)
        except (OSError, ValueError) as error:
            raise EngineError(f"no Dask scheduler answers at {scheduler} ({error})") from None
        self._client.subscribe_topic(self._topic, self._receive)
        self._workers = workers

    @property
    def capacity(self) -> int:
        """How many groups can be worked on at once."""
        if self._cluster is not None:
            return self._workers
        return max(1, int(sum(self._client.ncores().values())))

    @property
    def idle(self) -> int:
        """How many more groups can be worked on now."""
        return self.capacity - len(self._futures)

    def has(self, key: str) -> bool:
        """Whether the step was submitted and has not ended."""
        return key in self._keys

    def submit(self, group: Sequence[Step]) -> None:
        """Submit a group of steps, whose inputs are in the store."""
        for step in group:
            self.want(step.key)
        forget_tries(self._store, group[0].key)
        self._returns[group[0].key] = 0
        self._hand_over(group)

    def _hand_over(self, group: Sequence[Step]) -> None:
        """Give a group to any worker."""
        future = self._client.submit(
            perform,
            tuple(group),
            self._store,
            self._data,
            self._runner,
            self._topic,
            key=_task_key(group[0], next(self._numbers)),
        )
        self._futures[future] = tuple(group)
        self._keys.update((step.key, future) for step in group)
        future.add_done_callback(lambda _: self._ended.set())

    def want(self, key: str) -> None:
        """A step that is worked on does not have to stop any more."""
        with suppress(OSError):  # a disk that may only be read: where no marker could be made
            cancel_marker(self._store, key).unlink(missing_ok=True)

    def wait(self, seconds: float) -> None:
        """Return when a group has ended, or after some seconds."""
        if self._ended.wait(seconds):
            self._ended.clear()

    def stop(self, key: str) -> None:
        """Ask a running step to stop; it ends with Cancelled, unless it was nearly done."""
        marker = cancel_marker(self._store, key)
        try:
            marker.parent.mkdir(exist_ok=True)
            marker.touch()
        except OSError as error:
            raise StoreError(f"{marker} cannot be made ({error.strerror})") from None

    def outcomes(self) -> list[Outcome]:
        """Groups that have ended since the last call, in the order of their submission.

        Raises:
            EngineError: the connection to the scheduler is lost.
        """
        if self._client.status not in ("running", "connecting"):
            raise EngineError(
                f"the connection to the Dask scheduler is lost (the client is {self._client.status})"
            )
        ended = {future: group for future, group in self._futures.items() if future.done()}
        outcomes = []
        for future, group in ended.items():
            again = self._is_bystander(group, future)
            if not again:
                outcomes.append(self._outcome(group, future))
            self._end(future)
            if again:
                self._returns[group[0].key] += 1
                self._hand_over(group)
        return outcomes

    def _end(self, future: Future) -> None:
        """A group has ended, whose task Dask may forget."""
        future.release()
        for step in self._futures.pop(future):
            del self._keys[step.key]
            self.want(step.key)  # nobody needs the request any more

    def news(self) -> list[Mapping[str, Any]]:
        """Reports of running steps since the last call: key, pid, fraction, message, points."""
        received: list[Mapping[str, Any]] = []
        while not self._news.empty():
            received.append(self._news.get_nowait())
        return received

    def close(self) -> None:
        """End the engine's own workers; a cluster at a given address continues."""
        self._client.close()
        if self._cluster is not None:
            self._cluster.close()

    def _is_bystander(self, group: Sequence[Step], future: Future) -> bool:
        """Whether Dask gives up a group that waited while another one ended its workers."""
        error = None if future.status == "finished" else future.exception()
        if not isinstance(error, KilledWorker):
            return False
        key = group[0].key
        return self._returns[key] < RETURNS and tries(self._store, key) <= error.allowed_failures

    def _outcome(self, group: Sequence[Step], future: Future) -> Outcome:
        keys = tuple(step.key for step in group)
        if future.status == "finished":
            return Outcome(keys)
        error = future.exception()
        text = "".join(traceback.format_exception(type(error), error, future.traceback()))
        if isinstance(error, KilledWorker):
            own = self._cluster is not None
            times = max(tries(self._store, keys[0]), error.allowed_failures + 1)
            error = WorkerDied(death_words(error, times, read_log(self._store, keys[0]), own))
            forget_tries(self._store, keys[0])
        return Outcome(keys, error, text)

    def _receive(self, event: tuple[float, dict[str, Any]]) -> None:
        self._news.put(event[1])


def _local_cluster(workers: int, runner: str) -> LocalCluster:
    dask.config.set(_FOREVER)  # to stay: Dask reads it when a worker is lost
    with dask.config.set(_SETTINGS):
        cluster = LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            worker_class=WatchingNanny,
            host="127.0.0.1",
            dashboard_address="127.0.0.1:0",
            scheduler_kwargs={"dashboard": False},
            security=Security.temporary(),
            memory_limit=0,
            preload=["prunepriv.engine.preload"],
            env={RUNNER: runner},
        )
    scheduler: Any = cluster.scheduler
    scheduler.http_server.stop()  # it asks for no credentials, and is not needed
    return cluster


def _task_key(step: Step, number: int) -> str:
    """The step's key, after a word from which Dask learns how long such steps take.

    The number is new each time: Dask may remember for a while that a task of the same key failed,
    and would answer with that failure when the step is given out again.
    """
    word = "_".join(filter(None, (step.kind, step.params.get("attack"))))
    return f"{word}-{step.key}-{number}"
