"""A small experiment, and the folder that controls the fake runner."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from prunepriv.experiment import Experiment, make_experiment
from prunepriv.store.catalog import Catalog


@pytest.fixture
def experiment() -> Experiment:
    return make_experiment({"attacks": {"names": ["conf"]}, "models": ["pruned"], "shadows": 2})


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    made = Catalog(tmp_path / "store")
    yield made
    made.close()


@pytest.fixture
def steering(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """See fake_runner.py."""
    folder = tmp_path / "steering"
    for name in ("hold", "fail", "bug", "crash"):
        (folder / name).mkdir(parents=True)
    (folder / "begun").touch()
    monkeypatch.setenv("FAKE_RUNNER", str(folder))
    return folder
