"""Follow a run or a sweep to its end: launch it, show its progress, restart its engine.

A run is a sweep of one. Imports neither torch nor Dask.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from time import thread_time
from typing import Protocol

from prunepriv.engine.client import (
    default_workers,
    engine_is_alive,
    engine_scheduler,
    ensure_engine,
    launch_all,
)
from prunepriv.engine.inline import default_threads, run_inline
from prunepriv.errors import Cancelled, EngineError, PruneprivError
from prunepriv.estimates.progress import Standing, Watch
from prunepriv.experiment import Experiment
from prunepriv.store.catalog import Catalog

LOOK_EVERY = 0.1
"""Least seconds between two readings of the catalogue."""
LOOK_SHARE = 0.05
"""Most of a core that readings take: one of a run with 256 shadows takes 20 ms."""
RESTARTS = 3
"""How often an engine that has ended is restarted."""


class Display(Protocol):
    """Shows progress: a bar in a terminal or a notebook, or lines of a log."""

    def show(self, standing: Standing) -> None:
        """Show the present state; called up to ten times a second."""

    def tell(self, sentence: str) -> None:
        """Show a sentence beside the progress."""


def follow(
    experiments: Sequence[Experiment], store: Path, display: Display, *, inline: bool = False
) -> Standing:
    """Work through one or more runs, or attach to those at work, until all have ended.

    Args:
        experiments: what to run; if there are several, finished ones are not run again.
        store: the store's folder.
        display: shows their progress.
        inline: work in this process, one run after the other, without the engine. A run that
            fails does not stop the rest.

    Returns:
        How they ended. It lists failed and cancelled runs; these are not raised.

    Raises:
        EngineError: the engine cannot be started, or ended more than RESTARTS times.
        StoreError: the store cannot be used.
        Cancelled: an inline run was cancelled.
    """
    catalog = Catalog(store)
    try:
        if inline:
            return _work(experiments, catalog, display)
        launch_all(experiments, store, leave_done=len(experiments) > 1)
        return _wait(experiments, catalog, display)
    finally:
        catalog.close()


def raise_unless_done(standing: Standing, run_id: str) -> None:
    """Raise the error of a run that ended without being done.

    Args:
        standing: how the run, followed alone, ended.
        run_id: its id.

    Raises:
        PruneprivError: the run failed.
        Cancelled: the run was cancelled.
    """
    for _, sentence in standing.failures:
        raise PruneprivError(sentence)
    if not standing.done:
        raise Cancelled(f"{run_id} was cancelled: its finished steps are kept")


def _wait(experiments: Sequence[Experiment], catalog: Catalog, display: Display) -> Standing:
    """Wait until all runs have ended; an engine that ends before them is restarted."""
    watch = Paced(Watch(experiments, catalog, default_workers()).look)
    by_id = {experiment.run_id: experiment for experiment in experiments}
    restarts = 0
    told = ""
    while _goes_on(standing := watch.look()):
        display.show(standing)
        if standing.notice != told:
            told = standing.notice
            display.tell(told or "the workers are at work again")
        if engine_is_alive(catalog.store):
            for (
                run_id
            ) in standing.interrupted:  # an inline run's: the engine does not look for them
                catalog.submit(by_id[run_id])
        elif _goes_on(watch.look()):
            restarts += 1
            if restarts > RESTARTS:
                raise EngineError(f"the engine ended {restarts} times: see engine.log in the store")
            display.tell("the engine has ended: restarting it, finished steps are kept")
            used = engine_scheduler(catalog.store)
            ensure_engine(catalog.store, ("--scheduler", used) if used else ())
        time.sleep(watch.pause)
    display.show(standing)
    return standing


def _goes_on(standing: Standing) -> bool:
    """Whether a run is at work, or will be when the engine is restarted."""
    return standing.active > 0 or bool(standing.interrupted)


def _work(experiments: Sequence[Experiment], catalog: Catalog, display: Display) -> Standing:
    """Work in this process, one run after the other."""
    watch = Paced(Watch(experiments, catalog, default_threads()).look)
    show = _now_and_then(watch, display)
    failures: dict[str, str] = {}
    for experiment in experiments:
        try:
            run_inline(experiment, catalog.store, watch=show)
        except Cancelled:
            raise
        except PruneprivError as error:
            failures[experiment.run_id] = str(error)
    standing = watch.look()
    failures = {**dict(standing.failures), **failures}  # not all failures reach the catalogue
    standing = replace(standing, failures=tuple(failures.items()))
    display.show(standing)
    return standing


class Paced:
    """Looks at runs repeatedly; the larger they are, the less often it should.

    Args:
        look: reads their state.

    Attributes:
        pause: seconds to wait before the next look: LOOK_EVERY, or more if the last look took so
            long that looking would take more than LOOK_SHARE of a core. Waiting for a core does not
            count.
    """

    def __init__(self, look: Callable[[], Standing]) -> None:
        self._look = look
        self.pause = LOOK_EVERY

    def look(self) -> Standing:
        """The present state of the runs."""
        began = thread_time()
        standing = self._look()
        self.pause = max(LOOK_EVERY, (thread_time() - began) / LOOK_SHARE)
        return standing


def _now_and_then(watch: Paced, display: Display) -> Callable[[], None]:
    """Looks and shows, but does nothing until the pause after the last call is over."""
    last = -math.inf

    def maybe() -> None:
        nonlocal last
        if time.monotonic() - last >= watch.pause:
            last = time.monotonic()
            display.show(watch.look())

    return maybe
