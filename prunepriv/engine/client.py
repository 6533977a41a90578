"""Start the engine and submit runs to it. Imports neither torch nor Dask."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path

from prunepriv.environment import cores, data_folder, root
from prunepriv.errors import EngineError
from prunepriv.experiment import Experiment
from prunepriv.store.artifacts import ArtifactStore
from prunepriv.store.catalog import Catalog
from prunepriv.store.locks import is_held
from prunepriv.store.step_rows import step_rows

ENGINE_LOCK = "engine.lock"
ENGINE_LOG = "engine.log"

MOST_WORKERS = 4
"""More workers than this are of little use to one run, even with many cores."""

_started: list[subprocess.Popen[bytes]] = []
"""Engines that this process started: it must poll them, or ended ones stay as zombie processes."""

_START_DEADLINE = 30.0
_LONGEST_LOG = 4 * 2**20


def default_workers() -> int:
    """A worker per core that this process may use, up to MOST_WORKERS."""
    return min(MOST_WORKERS, cores())


def engine_is_alive(store: Path) -> bool:
    """Whether a process is the engine of that store."""
    return is_held(store / ENGINE_LOCK)


def launch(experiment: Experiment, store: Path, options: tuple[str, ...] = ()) -> str:
    """Submit a run, start an engine if none is running, and return the run's id.

    A run whose steps are all in the store is done at once, without an engine.

    Args:
        experiment: what to run.
        store: the store's folder.
        options: more arguments for ``python -m prunepriv engine``, if it is started.

    Raises:
        StoreError: the store cannot be used.
        EngineError: no engine could be started; the run stays in the queue.
    """
    return launch_all([experiment], store, options, leave_done=False)[0]


def launch_all(
    experiments: Iterable[Experiment],
    store: Path,
    options: tuple[str, ...] = (),
    *,
    leave_done: bool = True,
) -> list[str]:
    """Submit several runs, as :func:`launch` submits one, and return their ids.

    Args:
        experiments, store, options: as for :func:`launch`.
        leave_done: whether a run that is done is not submitted again, if the store still holds all
            its steps.
    """
    catalog = Catalog(store)
    artifacts = ArtifactStore(store)
    run_ids = []
    needed = False
    try:
        done = {run.run_id for run in catalog.runs() if run.status == "done"}
        for experiment in experiments:
            rows = step_rows(artifacts, experiment)
            whole = all(row["cached"] for row in rows)
            run_ids.append(experiment.run_id)
            if leave_done and whole and experiment.run_id in done:
                continue
            catalog.submit(experiment)
            if not whole:
                needed = True
            elif catalog.begin(experiment.run_id, "", rows):
                catalog.end(experiment.run_id, "done")
        if needed:
            ensure_engine(store, options)
        return run_ids
    finally:
        catalog.close()


def ensure_engine(store: Path, options: tuple[str, ...] = ()) -> None:
    """Start the store's engine if none is running, and return when it runs.

    It has its own session and continues when the caller ends. Its output goes to ``engine.log`` in
    the store.

    Raises:
        EngineError: it did not start.
    """
    _started[:] = [process for process in _started if process.poll() is None]
    if engine_is_alive(store):
        return
    log = store / ENGINE_LOG
    command = [sys.executable, "-m", "prunepriv", "engine", "--store", str(store), *options]
    try:
        full = log.exists() and log.stat().st_size > _LONGEST_LOG
        with log.open("wb" if full else "ab") as stream:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=stream,
                start_new_session=True,
                creationflags=getattr(
                    subprocess, "CREATE_NO_WINDOW", 0
                ),  # no console window on Windows
                cwd=root(),
                env={**os.environ, "PRUNEPRIV_DATA": str(data_folder())},  # absolute
            )
    except OSError as error:
        raise EngineError(f"the engine cannot be started ({error.strerror}): {log}") from None
    _started.append(process)
    deadline = time.monotonic() + _START_DEADLINE
    while not engine_is_alive(store):
        if process.poll() not in (None, 0) and not engine_is_alive(store):
            raise EngineError(f"the engine could not be started: see {log}")
        if time.monotonic() > deadline:
            raise EngineError(f"the engine has not started within {_START_DEADLINE:g} s: see {log}")
        time.sleep(0.02)
