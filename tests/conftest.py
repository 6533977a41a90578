"""What all tests share: a store of their own, the real data where it is, quick property tests."""

from __future__ import annotations

import os
from pathlib import Path

import hypothesis
import numpy as np
import pytest

from prunepriv.experiment import Experiment, make_experiment
from prunepriv.store.artifacts import ArtifactStore
from prunepriv.store.result import Result
from tests.synthetic_run import write_synthetic_run

os.environ.setdefault("OMP_NUM_THREADS", "1")  # one process per core runs tests already

# the same examples each time: a test that fails must fail again; two busy cores know no deadline
hypothesis.settings.register_profile("repeatable", derandomize=True, deadline=None, max_examples=60)
hypothesis.settings.load_profile("repeatable")


@pytest.fixture(autouse=True)
def _never_the_users_store(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PRUNEPRIV_STORE", str(tmp_path / "store"))


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.fixture
def store(tmp_path: Path) -> ArtifactStore:
    """An empty store."""
    return ArtifactStore(tmp_path / "store")


@pytest.fixture
def small_experiment() -> Experiment:
    """All four models, with PPB, on few records."""
    return make_experiment(
        {"data": {"name": "checkins", "limit": 400}, "defense": {"name": "ppb"}, "models": "all"}
    )


@pytest.fixture
def finished(
    store: ArtifactStore, small_experiment: Experiment, rng: np.random.Generator
) -> Result:
    """A finished run of ``small_experiment`` with made-up numbers; see synthetic_run.py."""
    write_synthetic_run(store, small_experiment, rng)
    return Result(store, small_experiment)


@pytest.fixture(scope="session")
def location_archive() -> Path:
    """The real Location archive; the test is skipped where it is not at hand."""
    folder = os.environ.get("PRUNEPRIV_DATA")
    if not folder:
        pytest.skip("needs dataset_location.tgz: set PRUNEPRIV_DATA to the folder that holds it")
    archive = Path(folder) / "dataset_location.tgz"
    if not archive.is_file():
        pytest.skip(f"needs the Location archive, and {archive} does not exist")
    return archive
