"""Real runs at a learning rate that is too large: what a user is told."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from prunepriv.cli import main
from prunepriv.environment import store_folder
from prunepriv.store.catalog import Catalog
from tests.documents import ROOT

SMALL = (
    "--dataset", "checkins", "--limit", "1200", "--shadows", "2", "--epochs", "15",
    "--attacks", "corr,conf", "--models", "pruned", "--knob", "distinctiveness=0.2",
)  # fmt: skip
OVERFLOWS = (
    "--dataset", "digits", "--model", "densenet121", "--width", "0.02", "--limit", "240",
    "--shadows", "1", "--epochs", "2", "--attacks", "conf", "--learning-rate", "1",
)  # fmt: skip
"""In one step, the weights become so large that no answer is finite; the losses still are."""


def run_here(monkeypatch: pytest.MonkeyPatch, *words: str) -> None:
    """Run in this process, which has imported everything already."""
    monkeypatch.setattr(sys, "argv", ["prunepriv", "run", "--inline", *words])
    with pytest.raises(SystemExit) as ended:
        main()
    assert not ended.value.code


def learned(file: Path) -> dict[str, Any]:
    """The check in the figures of a run."""
    checks = json.loads(file.read_text())["checks"]
    return next(row for row in checks if row["check"] == "models_learned")


def test_models_that_learnt_nothing_are_called_that_before_the_figures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "out.json"
    run_here(monkeypatch, *SMALL, "--learning-rate", "1", "--json", str(file))
    assert learned(file)["passed"] is False
    printed = " ".join(capsys.readouterr().out.split())
    assert printed.startswith("A hygiene check of this run failed: \u201cModels learnt something")
    assert "A low attack accuracy is not safety here" in printed
    assert learned(file)["detail"] in printed


def test_the_same_models_at_the_usual_rate_learn_and_pass(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "out.json"
    run_here(monkeypatch, *SMALL, "--json", str(file))
    assert learned(file)["passed"] is True, learned(file)["detail"]
    assert "not safety" not in capsys.readouterr().out


def test_answers_that_overflow_end_the_run_with_one_sentence() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "prunepriv", "run", "--inline", *OVERFLOWS],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    sentence = done.stderr.splitlines()[-1]
    assert done.returncode == 2
    assert re.fullmatch(  # all models are, and two are trained at the same time
        r"(the target|shadow \d)'s answers were no longer finite numbers after epoch 1 of training: "
        r"lower the learning rate \(now 1\)",
        sentence,
    )
    assert "Traceback" not in done.stderr
    (view,) = Catalog(store_folder()).runs()
    assert (view.status, view.error) == ("failed", sentence)
