"""What all tests share: a store of their own, the real data where it is, quick property tests."""

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


@pytest.fixture
def steering(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that tells the fake runner what to do; see fake_runner.py."""
    folder = tmp_path / "steering"
    for name in ("hold", "fail", "bug", "crash"):
        (folder / name).mkdir(parents=True)
    (folder / "begun").touch()
    monkeypatch.setenv("FAKE_RUNNER", str(folder))
    return folder


@pytest.fixture(scope="session")
def real_data() -> Callable[[str], Path]:
    """Gives the folder of a data set's real files; skips the test where they are not at hand."""

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
    """The real Location archive; the test is skipped where it is not at hand."""
    return real_data("location") / "dataset_location.tgz"
