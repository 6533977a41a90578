"""A small experiment, the folder that steers the fake runner, and an engine with fake workers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from prunepriv.engine.service import Engine
from prunepriv.experiment import Experiment, make_experiment
from prunepriv.store.artifacts import ArtifactStore
from prunepriv.store.catalog import Catalog
from prunepriv.store.locks import claim
from tests.fake_runner import make_steering
from tests.unit.engine.fake_workers import FakeWorkers

OWNER = "engine.lock"


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


@pytest.fixture
def workers(catalog: Catalog) -> FakeWorkers:
    return FakeWorkers(ArtifactStore(catalog.store))


@pytest.fixture
def engine(catalog: Catalog, workers: FakeWorkers) -> Iterator[Engine]:
    held = claim(catalog.store / OWNER)
    assert held is not None
    yield Engine(catalog, workers, OWNER)
    held.release()
