"""What a Dask worker does for a group of steps. The result is only the steps' keys."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from distributed import get_worker

from prunepriv.engine.reporting import StepReport
from prunepriv.engine.runner import load_runner
from prunepriv.engine.step_log import kept_log
from prunepriv.engine.tries import forget_tries, note_try
from prunepriv.plan import Step
from prunepriv.store.artifacts import ArtifactStore
from prunepriv.store.step_logs import remove_logs


def cancel_marker(store: Path, key: str) -> Path:
    """The file that asks a running step to stop, as long as it exists."""
    return store / "cancel" / key


def perform(
    group: Sequence[Step], store: Path, data: Path, runner: str, topic: str
) -> tuple[str, ...]:
    """Do the steps that the store lacks, report to ``topic``, and return the keys of all.

    Args:
        group: what to do.
        store: the store's folder.
        data: the folder of downloaded archives.
        runner: the function that does it, "module:function".
        topic: the Dask topic that receives the steps' reports.
    """
    artifacts = artifacts_of(store)
    # what a lost worker had finished of the group is not done again
    left = [step for step in group if not artifacts.has(step.key)]
    keys = tuple(step.key for step in group)
    if left:
        worker = get_worker()
        markers = [cancel_marker(store, step.key) for step in left]

        def unwanted() -> bool:
            return all(marker.exists() for marker in markers)

        def report_of(step: Step) -> StepReport:
            def send(fraction: float, message: str, points: list[dict[str, float]]) -> None:
                progress = {"fraction": fraction, "message": message, "points": points}
                worker.log_event(topic, {"key": step.key, "pid": os.getpid(), **progress})

            return StepReport(send, unwanted)

        reports = [report_of(step) for step in left]
        note_try(store, keys[0])
        try:
            with kept_log(store, keys, printed=worker.state.nthreads == 1):
                load_runner(runner)(left, artifacts, data, reports)
                for report in reports:
                    report.flush()
        finally:
            forget_tries(store, keys[0])
    remove_logs(store, keys)
    return keys


@cache
def artifacts_of(store: Path) -> ArtifactStore:
    """The store, which compares the checksums of an artifact once per process."""
    return ArtifactStore(store)
