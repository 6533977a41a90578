"""Run the real program in a separate process, as a user would start it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prunepriv.engine.client import ENGINE_LOCK, engine_is_alive
from prunepriv.store.locks import pid_file


@dataclass(frozen=True)
class Job:
    """A finished ``python -m prunepriv run``.

    Attributes:
        began: when the command was started, in seconds since 1970.
        seconds: wall time of the command, start to finish.
        report: the JSON that it wrote with ``--json``.
    """

    began: float
    seconds: float
    report: dict[str, Any]

    def step(self, prefix: str) -> float:
        """Seconds of all steps whose names start with `prefix`."""
        return sum(
            step["seconds"] for step in self.report["steps"] if step["step"].startswith(prefix)
        )


def run(store: Path, *options: str) -> Job:
    """Run the command and wait for it."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "report.json"
        command = [sys.executable, "-m", "prunepriv", "run", *options]
        command += ["--store", str(store), "--json", str(file)]
        began, started = time.time(), time.perf_counter()
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        seconds = time.perf_counter() - started
        if done.returncode:
            raise RuntimeError(f"{' '.join(command)} failed: {done.stderr[-2000:]}")
        return Job(began, seconds, json.loads(file.read_text()))


def stop_engine(store: Path) -> None:
    """Stop the engine of a store and wait for its end, so that the next run starts a new one.

    There is none if all runs were in the store.
    """
    if not engine_is_alive(store):
        return
    pid = int(pid_file(store / ENGINE_LOCK).read_text())
    os.kill(pid, signal.SIGTERM)
    while engine_is_alive(store):
        time.sleep(0.05)
