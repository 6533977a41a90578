"""Start the engine and submit runs to it. Imports neither torch nor Dask."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path

from prunepriv.engine.address import check_scheduler
from prunepriv.environment import cores, data_folder, root, scheduler
from prunepriv.errors import EngineError, StoreError
from prunepriv.experiment import Experiment
from prunepriv.store.artifacts import ArtifactStore
from prunepriv.store.catalog import Catalog
from prunepriv.store.locks import is_held, pid_file
from prunepriv.store.step_rows import step_rows

ENGINE_LOCK = "engine.lock"
ENGINE_LOG = "engine.log"
ENGINE_SCHEDULER = "engine.scheduler"
"""A file in the store: the address of the scheduler that its engine uses; empty: its own."""

MOST_WORKERS = 4
"""More workers than this are of little use to one run, even with many cores."""

_started: list[subprocess.Popen[bytes]] = []
"""Engines that this process started: it must poll them, or ended ones stay as zombie processes."""

_START_DEADLINE = 30.0
_NOTE_DEADLINE = 1.0
_LONGEST_LOG = 4 * 2**20


def default_workers() -> int:
    """A worker per core that this process may use, up to MOST_WORKERS."""
    return min(MOST_WORKERS, cores())


def engine_is_alive(store: Path) -> bool:
    """Whether a process is the engine of that store."""
    return is_held(store / ENGINE_LOCK)


def note_scheduler(store: Path, address: str | None) -> None:
    """Write down which scheduler the engine of a store uses; the engine does so.

    Raises:
        StoreError: the store cannot be written to.
    """
    file = store / ENGINE_SCHEDULER
    if engine_scheduler(store) == address:
        return
    try:
        file.write_text(address or "")
    except OSError as error:
        raise StoreError(f"{file} cannot be written ({error.strerror})") from None


def engine_scheduler(store: Path) -> str | None:
    """The scheduler that a store's engine uses, or that its last engine used; None: its own."""
    try:
        return (store / ENGINE_SCHEDULER).read_text() or None
    except OSError:
        return None


def check_cluster(store: Path) -> None:
    """Refuse to go on without the scheduler that ``PRUNEPRIV_SCHEDULER`` names.

    Raises:
        EngineError: it does not answer, or the store's engine uses another one.
    """
    wanted = scheduler()
    if wanted is None:
        return
    if not engine_is_alive(store):
        check_scheduler(wanted)
    elif (used := _used_scheduler(store, wanted)) != wanted:
        place = f"the scheduler at {used}" if used else "workers of its own"
        raise EngineError(
            f"one engine works on a store, and that of {store} uses {place} instead of {wanted}: "
            f"end it (process {_pid(store)}) or leave the other scheduler out"
        )


def _used_scheduler(store: Path, wanted: str) -> str | None:
    """The scheduler of a store's engine, which notes it a moment after it has begun."""
    deadline = time.monotonic() + _NOTE_DEADLINE
    while (used := engine_scheduler(store)) != wanted and time.monotonic() < deadline:
        time.sleep(0.02)
    return used


def _pid(store: Path) -> str:
    try:
        return pid_file(store / ENGINE_LOCK).read_text()
    except OSError:
        return "unknown"


def launch(experiment: Experiment, store: Path, options: tuple[str, ...] = ()) -> str:
    """Submit a run, start an engine if none is running, and return the run's id.

    A run whose steps are all in the store is done at once, without an engine.

    Args:
        experiment: what to run.
        store: the store's folder.
        options: more arguments for ``python -m prunepriv engine``, if it is started.

    Raises:
        StoreError: the store cannot be used.
        EngineError: no engine could be started, and the run stays in the queue; or the scheduler
            of ``PRUNEPRIV_SCHEDULER`` cannot be used, and nothing is submitted.
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
            if not whole and not needed:
                check_cluster(store)
                needed = True
            catalog.submit(experiment)
            if whole and catalog.begin(experiment.run_id, "", rows):
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
        EngineError: it did not start, or cannot use the scheduler of ``PRUNEPRIV_SCHEDULER``.
    """
    _started[:] = [process for process in _started if process.poll() is None]
    check_cluster(store)
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
            raise EngineError(f"the engine could not be started ({_last_line(log)}): see {log}")
        if time.monotonic() > deadline:
            raise EngineError(f"the engine has not started within {_START_DEADLINE:g} s: see {log}")
        time.sleep(0.02)


def _last_line(log: Path) -> str:
    """What an engine said last: the sentence of its error."""
    with log.open("rb") as stream:
        stream.seek(max(0, log.stat().st_size - 2000))
        lines = stream.read().decode(errors="replace").split("\n")
    return next((line for line in reversed(lines) if line.strip()), "it said nothing")
