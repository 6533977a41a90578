"""Shared by all tests: an empty store, real data if available, fast property tests."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import hypothesis
import numpy as np
import pytest

from prunepriv.datasets.archives import ARCHIVES
from prunepriv.experiment import Experiment, make_experiment
from prunepriv.store.artifacts import ArtifactStore
from prunepriv.store.result import Result
from tests.synthetic_run import write_synthetic_run

os.environ.setdefault("OMP_NUM_THREADS", "1")  # the tests already run in one process per core

# always the same examples, so that a failure repeats; no deadline, because the cores may be busy
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
def real_data() -> Callable[[str], Path]:
    """Gives the folder of a data set's real files; skips the test if they are missing."""

    def folder_of(name: str) -> Path:
        folder = os.environ.get("PRUNEPRIV_DATA")
        files = [archive.file for archive in ARCHIVES[name].files]
        if not folder:
            wanted = " and ".join(files)
            pytest.skip(f"needs {wanted}: set PRUNEPRIV_DATA to the folder that holds it")
        for file in files:
            if not (Path(folder) / file).is_file():
                pytest.skip(f"needs the real {file}, and {folder} does not hold it")
        return Path(folder)

    return folder_of


@pytest.fixture(scope="session")
def location_archive(real_data: Callable[[str], Path]) -> Path:
    """The real Location archive; the test is skipped if it is missing."""
    return real_data("location") / "dataset_location.tgz"
