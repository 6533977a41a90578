"""A small experiment, and the folder that steers the fake runner."""

from __future__ import annotations

from pathlib import Path

import pytest

from prunepriv.experiment import Experiment, make_experiment
from tests.fake_runner import make_steering


@pytest.fixture
def experiment() -> Experiment:
    return make_experiment({"attacks": {"names": ["conf"]}, "models": ["pruned"], "shadows": 2})


@pytest.fixture
def steering(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """See fake_runner.py."""
    folder = tmp_path / "steering"
    make_steering(folder)
    monkeypatch.setenv("FAKE_RUNNER", str(folder))
    return folder
