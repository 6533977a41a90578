"""The engine's own process: one per store; a signal or a long time without work ends it."""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Callable
from pathlib import Path

from prunepriv.engine.client import ENGINE_LOCK, ENGINE_LOG, default_workers, note_scheduler
from prunepriv.engine.cluster import ClusterWorkers, connect
from prunepriv.engine.dask_workers import DaskWorkers
from prunepriv.engine.runner import RUN_GROUP
from prunepriv.engine.service import Engine
from prunepriv.environment import data_folder
from prunepriv.errors import EngineError
from prunepriv.store.catalog import Catalog
from prunepriv.store.locks import Claim, claim

logger = logging.getLogger(__name__)

IDLE_TIMEOUT = 900.0


def run_engine(
    store: Path,
    workers: int | None = None,
    scheduler: str | None = None,
    idle_timeout: float = IDLE_TIMEOUT,
    runner: str = RUN_GROUP,
) -> None:
    """Run the engine of a store until it is stopped or idle.

    Args:
        store: the store's folder.
        workers: worker processes of its own cluster; one per core, up to four, unless given.
        scheduler: address of a Dask scheduler to use instead of a cluster of its own.
        idle_timeout: seconds without work after which it ends.
        runner: the function that does a group of steps, "module:function".

    Raises:
        EngineError: the store has an engine already, or no scheduler answers.
    """
    client = connect(scheduler) if scheduler else None  # whoever waits for the lock learns of it
    lock = claim(store / ENGINE_LOCK)
    if lock is None:
        raise EngineError(f"an engine already works on {store}: one is enough")
    note_scheduler(store, scheduler)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())  # noticed within a turn

    def make_workers() -> DaskWorkers:
        if client is None or scheduler is None:
            return DaskWorkers(store, data_folder(), runner, workers or default_workers())
        return ClusterWorkers(store, data_folder(), runner, scheduler, client)

    _serve(lock, stop, store, make_workers, idle_timeout)


def _serve(
    lock: Claim | None,
    stop: threading.Event,
    store: Path,
    make_workers: Callable[[], DaskWorkers],
    idle_timeout: float,
) -> None:
    catalog = Catalog(store)
    left_behind = catalog.requeue_abandoned(ENGINE_LOCK)
    logger.info("engine of %s: %d runs to resume", store, left_behind)
    dask = make_workers()
    try:
        engine = Engine(catalog, dask, ENGINE_LOCK, log=str(store / ENGINE_LOG))
        while lock is not None:
            engine.serve(stop, idle_timeout, lock.beat)
            lock.release()
            if stop.is_set() or not catalog.queued():
                break
            lock = claim(store / ENGINE_LOCK)  # a run was submitted at the last moment
    finally:
        dask.close()
        catalog.close()
        logger.info("engine of %s: ended", store)
