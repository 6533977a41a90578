"""A Dask scheduler and its workers on loopback, as processes of their own: a cluster started elsewhere."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Self

from distributed import Client

from tests.e2e.conftest import free_port

HOST = "127.0.0.1"
SETTINGS = {
    "DASK_DISTRIBUTED__WORKER__PROFILE__ENABLED": "False",
    "DASK_DISTRIBUTED__ADMIN__TICK__INTERVAL": "500ms",
}
"""What the reference's commands set, so that Dask itself takes less of the cores."""
DEADLINE = 60.0
"""Most seconds until a process answers or ends."""


class DaskProcesses:
    """Use as a context manager: everything that it started is ended at the end.

    Args:
        log: the file that takes all output.
    """

    def __init__(self, log: Path) -> None:
        self.port = free_port()
        self.address = f"tcp://{HOST}:{self.port}"
        self._log = log
        self._scheduler: subprocess.Popen[bytes] | None = None
        self._workers: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill_workers()
        self.kill_scheduler()

    def start_scheduler(self) -> None:
        """``dask scheduler``, always on the same port; returns when it answers."""
        words = ["scheduler", "--host", HOST, "--port", str(self.port), "--no-dashboard"]
        self._scheduler = self._start(words)
        deadline = time.monotonic() + DEADLINE
        while True:
            try:
                socket.create_connection((HOST, self.port), 1.0).close()
            except OSError:
                if time.monotonic() > deadline or self._scheduler.poll() is not None:
                    raise RuntimeError(f"no scheduler was started: see {self._log}") from None
                time.sleep(0.02)
            else:
                return

    def start_worker(
        self,
        core: int | None = None,
        environ: Mapping[str, str] | None = None,
        folder: Path | None = None,
    ) -> None:
        """``dask worker`` of one thread.

        Args:
            core: the one that it may use; None: all.
            environ: variables on top of this process's.
            folder: where it is started, by default here.
        """
        words = ["worker", self.address, "--nthreads", "1", "--no-dashboard", "--host", HOST]
        process = self._start(words, environ, folder)
        if core is not None:
            os.sched_setaffinity(process.pid, {core})  # its own processes inherit it
        self._workers.append(process)

    def wait_for_workers(self, count: int) -> None:
        """Until so many have joined the scheduler."""
        with Client(self.address, set_as_default=False) as client:
            client.wait_for_workers(count, timeout=DEADLINE)

    def kill_scheduler(self) -> None:
        """SIGKILL to the scheduler, as when its machine is lost."""
        if self._scheduler is not None:
            _kill(self._scheduler)

    def kill_workers(self) -> None:
        """SIGKILL to all workers and their nannies."""
        for process in self._workers:
            _kill(process)
        self._workers.clear()

    def _start(
        self,
        words: list[str],
        environ: Mapping[str, str] | None = None,
        folder: Path | None = None,
    ) -> subprocess.Popen[bytes]:
        with self._log.open("ab") as stream:
            return subprocess.Popen(
                [sys.executable, "-m", "dask", *words],
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=stream,
                env={**os.environ, **SETTINGS, **(environ or {})},
                cwd=folder,
                start_new_session=True,
            )


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End a process and all that it started: each is the head of a session."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(DEADLINE)
