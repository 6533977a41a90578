"""Shared by all tests: an empty store, real data if available, fast property tests."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import hypothesis
import numpy as np
import pytest

from prunepriv.datasets.archives import ARCHIVES
from prunepriv.experiment import Experiment, make_experiment
from prunepriv.store.artifacts import ArtifactStore
from prunepriv.store.result import Result

WriteRun = Callable[[ArtifactStore, Experiment, int], None]

os.environ.setdefault("OMP_NUM_THREADS", "1")  # the tests already run in one process per core

# always the same examples, so that a failure repeats; no deadline, because the cores may be busy
hypothesis.settings.register_profile("repeatable", derandomize=True, deadline=None, max_examples=60)
hypothesis.settings.load_profile("repeatable")


MOST_PROCESSES = 4
"""More would wait for the browser's tests, which take longest and stay together."""


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """All tests are shared out among the cores; a file or a folder runs in this process."""
    everything = config.args == config.getini("testpaths")
    processes = min(os.cpu_count() or 1, MOST_PROCESSES)
    return processes if everything and processes > 1 else 0


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


@pytest.fixture(scope="session")
def write_run(tmp_path_factory: pytest.TempPathFactory) -> WriteRun:
    """Writes a synthetic run (see synthetic_run.py), as ``write_run(store, experiment, seed)``.

    A store that holds nothing yet gets a copy: the same run is drawn once in all.
    """
    drawn = tmp_path_factory.mktemp("drawn")

    def write(store: ArtifactStore, experiment: Experiment, seed: int) -> None:
        from tests.synthetic_run import write_synthetic_run  # it needs torch; most tests do not

        if (store.root / "artifacts").exists():  # steps that lie there must fit the others
            write_synthetic_run(store, experiment, np.random.default_rng(seed))
            return
        source = ArtifactStore(drawn / f"{experiment.run_id}-{seed}")
        if not (source.root / "artifacts").exists():
            write_synthetic_run(source, experiment, np.random.default_rng(seed))
        shutil.copytree(source.root / "artifacts", store.root / "artifacts")

    return write


@pytest.fixture
def finished(store: ArtifactStore, small_experiment: Experiment, write_run: WriteRun) -> Result:
    """A finished run of ``small_experiment`` with made-up numbers; see synthetic_run.py."""
    write_run(store, small_experiment, 0)
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
