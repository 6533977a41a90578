"""A real engine in a process of its own, and ways to look at it and to hurt it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from prunepriv.engine import client
from prunepriv.engine.client import ENGINE_LOCK, engine_is_alive
from prunepriv.experiment import Experiment
from prunepriv.plan import plan
from prunepriv.store.artifacts import ArtifactStore
from prunepriv.store.catalog import Catalog
from prunepriv.store.locks import pid_file
from prunepriv.store.schema import StepView

ROOT = Path(__file__).resolve().parents[2]
DEADLINE = 120.0


def wait_until(what: Callable[[], object], why: str, deadline: float = DEADLINE) -> None:
    """Look again and again until it holds."""
    end = time.monotonic() + deadline
    while not what():
        assert time.monotonic() < end, f"waited {deadline:g} s in vain: {why}"
        time.sleep(0.02)


class EngineProcess:
    """``python -m prunepriv engine`` on a store; use as a context manager."""

    def __init__(self, store: Path, *options: str) -> None:
        self.store = store
        self.log = store / "engine.log"
        store.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "prunepriv", "engine", "--store", str(store)]
        with self.log.open("ab") as stream:
            self.process = subprocess.Popen(
                [*command, "--workers", "2", *options], stdout=stream, stderr=stream, cwd=ROOT
            )

    def __enter__(self) -> EngineProcess:
        wait_until(
            lambda: engine_is_alive(self.store) or self.process.poll() is not None, "no engine"
        )
        return self

    def __exit__(self, *_: object) -> None:
        family = self.family()
        if self.process.poll() is None:
            self.process.terminate()
        self.process.wait(DEADLINE)
        wait_until_gone(family)

    def family(self) -> list[psutil.Process]:
        """The engine and its workers."""
        try:
            engine = psutil.Process(self.process.pid)
            return [engine, *engine.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []

    def kill(self) -> None:
        """SIGKILL to the engine alone."""
        self.process.kill()
        self.process.wait(DEADLINE)


def wait_until_gone(family: list[psutil.Process]) -> None:
    """Until none of them lives."""
    wait_until(lambda: not any(_lives(process) for process in family), f"{family} live on")


def _lives(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def step(catalog: Catalog, run_id: str, name: str) -> StepView | None:
    """A step of a run, once the run was begun."""
    return next((s for s in catalog.steps(run_id) if s.name == name), None)


def wait_for_step(catalog: Catalog, run_id: str, name: str) -> StepView:
    """Until a worker is at a step and has told something of it, or has done it already."""
    found: list[StepView] = []

    def begun() -> bool:
        view = step(catalog, run_id, name)
        if view is not None and view.fraction > 0 and not view.cached:
            found.append(view)
        return bool(found)

    wait_until(begun, f"step {name} of {run_id} was not begun")
    return found[0]


def wait_for_done(catalog: Catalog, run_id: str, name: str) -> None:
    """Until a step of a run is done."""

    def done() -> bool:
        view = step(catalog, run_id, name)
        return view is not None and view.status == "done"

    wait_until(done, f"step {name} of {run_id} was not done")


def kill_worker_at(catalog: Catalog, run_id: str, name: str) -> int:
    """Kill the worker that is at a step, once it has told something of it; its process id."""
    worker = wait_for_step(catalog, run_id, name).pid
    assert worker is not None
    os.kill(worker, signal.SIGKILL)
    return worker


def wait_for_status(catalog: Catalog, run_id: str, *wanted: str) -> None:
    """Until a run stands as wanted."""
    wait_until(
        lambda: catalog.run(run_id).status in wanted,
        f"{run_id} is {catalog.run(run_id).status}, not {wanted}: {catalog.run(run_id).error}",
    )


def engine_pid(store: Path) -> int:
    """The process id that the engine of a store has written beside its lock."""
    file = pid_file(store / ENGINE_LOCK)
    wait_until(lambda: file.is_file() and file.read_text(), "no process id")
    return int(file.read_text())


def stop_engine(store: Path) -> None:
    """End an engine that somebody else started on a store."""
    if engine_is_alive(store):
        engine = psutil.Process(engine_pid(store))
        family = [engine, *engine.children(recursive=True)]
        os.kill(engine.pid, signal.SIGTERM)
        wait_until_gone(family)
    for process in client._started:
        process.poll()


def artifacts(store: Path, experiment: Experiment) -> dict[str, dict[str, str]]:
    """The checksum of every file of every artifact, by the step's name."""
    found = {}
    for one in plan(experiment).steps:
        files = ArtifactStore(store).open(one.key).meta["files"]
        found[one.name] = {name: digest for name, (_, digest) in files.items()}
    return found
