"""How worker processes ended, in words."""

# mypy: disallow-untyped-calls=False
# (Dask's nanny has no annotations)

from __future__ import annotations

import re
import signal
import threading

from distributed import Nanny
from distributed.scheduler import KilledWorker

FAULTS = ("SIGSEGV", "SIGBUS", "SIGFPE", "SIGILL", "SIGABRT")
"""Signals that a process gets for what its own code does."""

PATIENCE = 5.0
"""Seconds until a nanny has reaped its worker; the scheduler sees the connection end before that."""


class Deaths:
    """Exit codes of worker processes, by the worker's address."""

    def __init__(self) -> None:
        self._codes: dict[str, int] = {}
        self._changed = threading.Condition()

    def note(self, worker: str, code: int) -> None:
        """A worker's process has ended; a negative code is the signal that killed it."""
        with self._changed:
            self._codes[worker] = code
            self._changed.notify_all()

    def code(self, worker: str, patience: float = PATIENCE) -> int | None:
        """How a worker's process ended; None if nobody has told within ``patience`` seconds."""
        with self._changed:
            self._changed.wait_for(lambda: worker in self._codes, patience)
            return self._codes.get(worker)


DEATHS = Deaths()
"""Of the workers of this process's own cluster, whose nannies are in this process too."""


class WatchingNanny(Nanny):
    """A nanny that tells :data:`DEATHS` how its worker's process ended."""

    def _on_worker_exit_sync(self, exitcode: int) -> None:
        if self.worker_address is not None:
            DEATHS.note(self.worker_address, exitcode)
        super()._on_worker_exit_sync(exitcode)


def death_words(error: KilledWorker, times: int, log: str, own: bool) -> str:
    """How often a step ended its worker's process, and why.

    Args:
        error: Dask's, for a step that it gave up.
        times: how often a worker began it.
        log: what the step's last process printed.
        own: whether the workers are those of this process's own cluster.
    """
    code = DEATHS.code(error.last_worker.address, PATIENCE if own else 0.0)
    return f"ended its worker process {times} times, at last by {_cause(code, log)}"


def _cause(code: int | None, log: str) -> str:
    """What ended a process.

    Args:
        code: its exit code, if known.
        log: Python's fault handler names a fault there; nothing can report SIGKILL.
    """
    told = re.search(r"^Fatal Python error: (.+)$", log, re.MULTILINE)
    if code is None:
        return f"a fault in a library's code ({told[1]})" if told else UNKNOWN
    if code >= 0:
        return f"its own exit (status {code})"
    name = _name(-code)
    if name in FAULTS:
        return f"a fault in a library's code ({name})"
    if name == "SIGKILL":
        return "a kill from outside (SIGKILL), perhaps because memory was full"
    return f"a signal from outside ({name})"


UNKNOWN = "something that left no trace, perhaps a kill because memory was full"


def _name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # a real-time signal
        return f"signal {number}"
