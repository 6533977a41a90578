"""Real runs at a learning rate that is too large: what a user is told."""

from __future__ import annotations

import subprocess
import sys

from prunepriv.environment import store_folder
from prunepriv.store.catalog import Catalog
from tests.documents import ROOT

OVERFLOWS = (
    "--dataset", "digits", "--model", "densenet121", "--width", "0.02", "--limit", "240",
    "--shadows", "1", "--epochs", "2", "--attacks", "conf", "--learning-rate", "1",
)  # fmt: skip
"""In one step, the weights become so large that no answer is finite; the losses still are."""


def test_answers_that_overflow_end_the_run_with_one_sentence() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "prunepriv", "run", "--inline", *OVERFLOWS],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    sentence = (
        "the target's answers were no longer finite numbers after epoch 1 of training: lower the "
        "learning rate (now 1)"
    )
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == sentence
    assert "Traceback" not in done.stderr
    (run,) = Catalog(store_folder()).runs()
    assert (run.status, run.error) == ("failed", sentence)
