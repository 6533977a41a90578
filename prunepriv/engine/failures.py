"""What is told and kept of steps that failed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from prunepriv.engine.workers import WorkerDied
from prunepriv.errors import PruneprivError
from prunepriv.store.step_logs import add_to_log, read_log


def failure_sentence(names: Sequence[str], log: Path, error: BaseException) -> str:
    """Why a run has failed.

    Args:
        names: of the steps, at least one, that a worker did together.
        log: of the first of them.
        error: what ended them.
    """
    if isinstance(error, PruneprivError):
        return str(error)
    what = f"step {names[0]}"
    if len(names) > 1:  # done together: which of them it was is not known
        what = f"one of the steps {names[0]} to {names[-1]}"
    if isinstance(error, WorkerDied):
        return f"{what} {error}: see {log}"
    return f"{what} failed unexpectedly ({type(error).__name__}: {error}): see {log}"


def keep_log(store: Path, key: str, error: BaseException, traceback: str) -> None:
    """Add to a step's log what the step's process itself could not write to it.

    Args:
        store: the store's folder.
        key: the step's.
        error: what ended it.
        traceback: is kept where the log is empty.
    """
    known, told = read_log(store, key), f"It {error}."
    if isinstance(error, WorkerDied) and told not in known:  # several runs may wait for it
        add_to_log(store, key, told)
    elif not known:
        add_to_log(store, key, traceback)
