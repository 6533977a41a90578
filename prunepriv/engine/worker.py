"""What a Dask worker does for a step. The result is only the step's key."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from distributed import get_worker

from prunepriv.engine.reporting import StepReport
from prunepriv.engine.runner import load_runner
from prunepriv.engine.step_log import kept_log
from prunepriv.plan import Step
from prunepriv.store.artifacts import ArtifactStore
from prunepriv.store.step_logs import remove_log


def cancel_marker(store: Path, key: str) -> Path:
    """The file that asks a running step to stop, as long as it exists."""
    return store / "cancel" / key


def perform(
    step: Step, store: Path, data: Path, runner: str, topic: str, _after: Sequence[str] = ()
) -> str:
    """Do a step unless the store has it, report to ``topic``, and return the step's key.

    Args:
        step: what to do.
        store: the store's folder.
        data: the folder of downloaded archives.
        runner: the function that does it, "module:function".
        topic: the Dask topic that receives the step's reports.
        _after: keys of the steps it reads; Dask waits for them.
    """
    artifacts = ArtifactStore(store)
    if artifacts.has(step.key):  # done, but its worker was lost and Dask forgot it
        remove_log(store, step.key)
        return step.key
    worker = get_worker()
    marker = cancel_marker(store, step.key)

    def send(fraction: float, message: str, points: list[dict[str, float]]) -> None:
        news = {"key": step.key, "fraction": fraction, "message": message, "points": points}
        worker.log_event(topic, news)

    worker.log_event(topic, {"key": step.key, "pid": os.getpid()})
    report = StepReport(send, marker.exists)
    with kept_log(store, step.key, printed=worker.state.nthreads == 1):
        load_runner(runner)(step, artifacts, data, report)
        report.flush()
    return step.key
