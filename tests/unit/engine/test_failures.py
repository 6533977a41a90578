"""The sentence and the log of steps that failed; real failures: test_service and tests/e2e."""

from __future__ import annotations

from pathlib import Path

import pytest

from prunepriv.engine.failures import failure_sentence, keep_log
from prunepriv.engine.workers import WorkerDied
from prunepriv.errors import DataError
from prunepriv.store.step_logs import add_to_log, read_log

KEY = "ab" * 32
DIED = WorkerDied("ended its worker process 4 times")


@pytest.mark.parametrize(
    ("names", "error", "sentence"),
    [
        (["data"], DataError("no records"), "no records"),
        (["data"], DIED, "step data ended its worker process 4 times: see a.txt"),
        (
            ["train:1", "train:2", "train:3"],
            DIED,
            "one of the steps train:1 to train:3 ended its worker process 4 times: see a.txt",
        ),
        (
            ["data"],
            ZeroDivisionError("division by zero"),
            "step data failed unexpectedly (ZeroDivisionError: division by zero): see a.txt",
        ),
    ],
    ids=["known", "died", "group", "unexpected"],
)
def test_a_failure_is_told_in_one_sentence(
    names: list[str], error: Exception, sentence: str
) -> None:
    assert failure_sentence(names, Path("a.txt"), error) == sentence


@pytest.mark.parametrize(
    ("known", "error", "kept"),
    [
        ("", DataError("no"), "Traceback\n"),
        ("printed", DataError("no"), "printed\n"),
        ("", DIED, "It ended its worker process 4 times.\n"),
        ("printed", DIED, "printed\nIt ended its worker process 4 times.\n"),
    ],
    ids=["traceback", "worker wrote", "died silently", "died"],
)
def test_a_log_gets_what_no_worker_could_write(
    tmp_path: Path, known: str, error: Exception, kept: str
) -> None:
    if known:
        add_to_log(tmp_path, KEY, known)
    for _ in range(2):  # several runs may wait for the step
        keep_log(tmp_path, KEY, error, "Traceback")
    assert read_log(tmp_path, KEY) == kept
