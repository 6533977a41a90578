"""An engine on a Dask cluster that was started elsewhere: a real scheduler and real workers."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from benchmarks.dask_processes import DaskProcesses
from prunepriv.engine.client import engine_is_alive, engine_scheduler, ensure_engine, launch
from prunepriv.engine.identity import IDENTITY
from prunepriv.engine.inline import run_inline
from prunepriv.environment import SCHEDULER
from prunepriv.errors import EngineError
from prunepriv.experiment import Experiment, make_experiment
from prunepriv.plan import plan
from prunepriv.store.catalog import Catalog
from tests.e2e.engine_process import (
    FAKE,
    ROOT,
    EngineProcess,
    artifacts,
    kill_worker_at,
    wait_for_status,
    wait_for_step,
    wait_until,
)
from tests.fake_runner import begun

NOWHERE = "tcp://127.0.0.1:1"
numbers = count()


@pytest.fixture
def experiment() -> Experiment:
    """One that shares no step with another."""
    own = {"distinctiveness": 0.4 + next(numbers) / 1000}
    return make_experiment(
        {
            "data": {"knobs": own},
            "attacks": {"names": ["conf"]},
            "models": ["pruned"],
            "shadows": 2,
        }
    )


@pytest.fixture(scope="module")
def cluster(
    steering_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[DaskProcesses]:
    """A scheduler with two workers."""
    with DaskProcesses(tmp_path_factory.mktemp("dask") / "dask.log") as made:
        made.start_scheduler()
        for _ in range(2):
            made.start_worker(folder=ROOT)
        made.wait_for_workers(2)
        yield made


def test_a_run_through_a_cluster_is_byte_for_byte_the_inline_run(
    cluster: DaskProcesses, catalog: Catalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = make_experiment(
        {
            "data": {"limit": 200},
            "training": {"epochs": 2, "patience": None},
            "shadows": 2,
            "models": ["pruned"],
            "attacks": {"names": ["conf"]},
        }
    )
    run_inline(real, tmp_path / "inline")
    monkeypatch.setenv(SCHEDULER, cluster.address)
    run_id = launch(real, catalog.store)
    wait_until(lambda: engine_scheduler(catalog.store) == cluster.address, "not noted")
    wait_for_status(catalog, run_id, "done", "failed")
    assert catalog.run(run_id).error == ""
    assert artifacts(catalog.store, real) == artifacts(tmp_path / "inline", real)
    assert len({step.pid for step in catalog.steps(run_id)}) == 2, "both workers did some of it"


def test_a_lost_worker_costs_one_group(
    cluster: DaskProcesses, catalog: Catalog, experiment: Experiment, steering: Path
) -> None:
    """Its nanny starts it again at another address, where the roster finds it."""
    held = steering / "hold" / "train+0"
    held.touch()
    run_id = catalog.submit(experiment)
    with EngineProcess(catalog.store, *FAKE, "--scheduler", cluster.address):
        first = kill_worker_at(catalog, run_id, "train:0")
        wait_until(lambda: wait_for_step(catalog, run_id, "train:0").pid != first, "not taken up")
        held.unlink()
        wait_for_status(catalog, run_id, "done")
    twice = Counter(begun(steering)) - Counter(step.name for step in plan(experiment).steps)
    assert twice == Counter(["train:0"])


def test_a_run_waits_for_a_worker_of_its_version_and_for_a_lost_scheduler(
    catalog: Catalog, experiment: Experiment, steering: Path, tmp_path: Path
) -> None:
    """Whatever it waits for is told. No step is done twice, but for the one at work."""
    shutil.copytree(ROOT / "prunepriv", tmp_path / "old" / "prunepriv")
    (tmp_path / "old" / "prunepriv" / "version.py").write_text('__version__ = "0.0.1"\n')
    held = steering / "hold" / "train+0"
    held.touch()
    run_id = catalog.submit(experiment)
    with DaskProcesses(tmp_path / "dask.log") as cluster:
        cluster.start_scheduler()
        with EngineProcess(catalog.store, *FAKE, "--scheduler", cluster.address):
            _wait_for_notice(catalog, run_id, "no worker has joined the Dask scheduler")
            cluster.start_worker(folder=tmp_path / "old")
            _wait_for_notice(catalog, run_id, "runs prunepriv 0.0.1")
            assert IDENTITY in catalog.run(run_id).error
            assert begun(steering) == []
            cluster.start_worker(folder=ROOT)
            worker = wait_for_step(catalog, run_id, "train:0").pid
            assert {one.pid for one in catalog.steps(run_id)} == {worker, None}
            cluster.kill_scheduler()
            _wait_for_notice(catalog, run_id, f"the Dask scheduler at {cluster.address} is lost")
            assert catalog.run(run_id).status == "running"
            cluster.kill_workers()  # theirs ends them too, after a while
            held.unlink()
            cluster.start_scheduler()
            cluster.start_worker(folder=ROOT)
            wait_for_status(catalog, run_id, "done", "failed")
            assert catalog.run(run_id).error == ""
    twice = Counter(begun(steering)) - Counter(step.name for step in plan(experiment).steps)
    assert twice == Counter(["train:0"])


def test_an_engine_that_cannot_begin_says_why_to_whoever_started_it(catalog: Catalog) -> None:
    """The one that is started again with the scheduler of the one before, for example."""
    with pytest.raises(EngineError) as told:
        ensure_engine(catalog.store, ("--scheduler", NOWHERE))
    assert f"could not be started (no Dask scheduler answers at {NOWHERE} " in str(told.value)
    assert not engine_is_alive(catalog.store)


def _wait_for_notice(catalog: Catalog, run_id: str, words: str) -> None:
    wait_until(lambda: words in catalog.run(run_id).error, f"not told: {words}")
