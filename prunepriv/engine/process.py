"""The engine's own process: one per store; a signal or a long time without work ends it."""

from __future__ import annotations

import logging
import signal
import threading
import time
from pathlib import Path

from prunepriv.engine.client import ENGINE_LOCK, default_workers
from prunepriv.engine.dask_workers import DaskWorkers
from prunepriv.engine.runner import RUN_GROUP
from prunepriv.engine.service import TURN, Engine
from prunepriv.environment import data_folder
from prunepriv.errors import EngineError, StoreError
from prunepriv.store.catalog import Catalog
from prunepriv.store.locks import Claim, claim

logger = logging.getLogger(__name__)

PATIENCE = 1.0
"""Seconds for which the engine waits for another writer of the catalogue, before its next turn."""

START_PATIENCE = 120.0
"""Seconds for which a starting engine asks a store again that refuses."""

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
        StoreError: the store refused for START_PATIENCE seconds, or was removed meanwhile.
    """
    lock = claim(store / ENGINE_LOCK)
    if lock is None:
        raise EngineError(f"an engine already works on {store}: one is enough")
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())  # noticed within a turn
    _serve(lock, stop, store, workers or default_workers(), scheduler, idle_timeout, runner)


def _open(store: Path, stop: threading.Event) -> tuple[Catalog, int]:
    """The catalogue, and how many runs of an engine that was lost are in its queue again."""
    deadline = time.monotonic() + START_PATIENCE
    while True:
        try:
            catalog = Catalog(store, PATIENCE)
            try:
                return catalog, catalog.requeue_abandoned(ENGINE_LOCK)
            except StoreError:
                catalog.close()
                raise
        except StoreError as error:
            if stop.wait(TURN) or time.monotonic() > deadline:
                raise
            logger.warning("%s (the engine tries again)", error)


def _may_wait(catalog: Catalog) -> bool:
    """Whether a run waits; also where the store refuses to tell."""
    try:
        return bool(catalog.queued())
    except StoreError:
        return True


def _serve(
    lock: Claim | None,
    stop: threading.Event,
    store: Path,
    workers: int,
    scheduler: str | None,
    idle_timeout: float,
    runner: str,
) -> None:
    catalog, left_behind = _open(store, stop)
    logger.info("engine of %s: %d workers, %d runs to resume", store, workers, left_behind)
    dask = DaskWorkers(store, data_folder(), runner, workers, scheduler)
    try:
        engine = Engine(catalog, dask, ENGINE_LOCK)
        while lock is not None:
            engine.serve(stop, idle_timeout, lock.beat)
            lock.release()
            if stop.is_set() or not _may_wait(catalog):
                break
            lock = claim(store / ENGINE_LOCK)  # a run was submitted at the last moment
    finally:
        dask.close()
        catalog.close()
        logger.info("engine of %s: ended", store)
