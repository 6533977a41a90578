"""The engine while its store refuses something; the workers are fake."""

from __future__ import annotations

import threading
from collections.abc import Callable
from unittest import mock

import pytest

from prunepriv.engine.service import Engine
from prunepriv.errors import MissingArtifactError, StoreError, StoreFullError
from prunepriv.experiment import Experiment
from prunepriv.plan import plan
from prunepriv.store.artifacts import Artifact, ArtifactStore
from prunepriv.store.catalog import Catalog
from tests.unit.engine.fake_workers import FakeWorkers, other, status, steps

LOCKED = StoreError("another process has kept the catalogue locked for 1 s")


def test_what_a_full_disk_refused_is_written_later(
    engine: Engine,
    catalog: Catalog,
    workers: FakeWorkers,
    experiment: Experiment,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    catalog.submit(experiment)
    workers.do_until(engine, "checks")
    for name in workers.names():
        workers.do(name)
    with monkeypatch.context() as patch:

        def full(*_: object) -> None:
            raise StoreFullError("no space left")

        patch.setattr(catalog, "update_steps", full)
        with pytest.raises(StoreFullError):
            engine.turn()
        assert status(catalog, experiment) == "running"
    engine.turn()
    assert status(catalog, experiment) == "done"
    assert set(steps(catalog, experiment).values()) == {"done"}


def test_what_can_be_done_is_done_while_the_catalogue_is_locked(
    engine: Engine,
    catalog: Catalog,
    workers: FakeWorkers,
    experiment: Experiment,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Reading it and writing to it fail; workers go on, and nothing is done twice afterwards."""
    catalog.submit(experiment)
    engine.turn()
    with monkeypatch.context() as patch:
        for name in ("cancel_requests", "queued", "update_steps", "begin", "end"):
            patch.setattr(catalog, name, mock.Mock(side_effect=LOCKED))
        while workers.groups:
            workers.do(workers.groups[0][0].name)
            with pytest.raises(StoreError, match="locked"):
                engine.turn()
    assert status(catalog, experiment) == "running"
    engine.turn()
    assert status(catalog, experiment) == "done"
    assert all(workers.count(step.name) == 1 for step in plan(experiment).steps)


def test_a_trouble_with_the_store_is_survived_and_told_once(
    engine: Engine,
    catalog: Catalog,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    stop, turns = threading.Event(), iter(range(9))
    read = catalog.cancel_requests

    def refuse() -> set[str]:
        if next(turns) < 5:
            raise LOCKED
        stop.set()
        return read()

    monkeypatch.setattr(catalog, "cancel_requests", refuse)
    with caplog.at_level("INFO"):
        engine.serve(stop, 3600.0, lambda: None)
    told = [record.message for record in caplog.records if "run " not in record.message]
    assert told == [f"{LOCKED} (the engine tries again)", "the store can be used again"]


@pytest.fixture
def stuck(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Lets the artifact of a key be one that is damaged and cannot be moved away."""
    opened = ArtifactStore.open

    def make(bad: str) -> None:
        def refuse(self: ArtifactStore, key: str) -> Artifact:
            if key == bad:
                raise StoreError("it is damaged and cannot be moved away")
            return opened(self, key)

        monkeypatch.setattr(ArtifactStore, "open", refuse)

    return make


def test_an_artifact_that_can_neither_be_read_nor_replaced_fails_its_run_alone(
    engine: Engine,
    catalog: Catalog,
    workers: FakeWorkers,
    experiment: Experiment,
    stuck: Callable[[str], None],
) -> None:
    second = other(experiment, seed=8)
    workers.capacity = 4
    catalog.submit(experiment)
    catalog.submit(second)
    workers.do_until(engine, "train:0", "train:1")
    stuck(plan(experiment).key("train:0"))
    for group in list(workers.groups):
        workers.do(group[0].name)
    workers.do_until(engine)
    run = catalog.run(experiment.run_id)
    assert (run.status, run.error) == ("failed", "it is damaged and cannot be moved away")
    assert steps(catalog, experiment)["train:0"] == "failed"
    assert status(catalog, second) == "done"


def test_a_run_that_needs_such_an_artifact_does_not_begin(
    engine: Engine, catalog: Catalog, experiment: Experiment, stuck: Callable[[str], None]
) -> None:
    stuck(plan(experiment).key("split:0"))
    catalog.submit(experiment)
    engine.turn()
    run = catalog.run(experiment.run_id)
    assert (run.status, run.error) == ("failed", "it is damaged and cannot be moved away")


def test_a_restarted_run_that_needs_such_an_artifact_fails(
    engine: Engine,
    catalog: Catalog,
    workers: FakeWorkers,
    experiment: Experiment,
    stuck: Callable[[str], None],
) -> None:
    catalog.submit(experiment)
    workers.do_until(engine, "train:0")
    stuck(plan(experiment).key("data"))
    workers.do("train:0", MissingArtifactError("no artifact"))
    engine.turn()
    run = catalog.run(experiment.run_id)
    assert (run.status, run.error) == ("failed", "it is damaged and cannot be moved away")


def test_drafts_of_lost_workers_go_when_a_run_ends_and_no_worker_writes(
    engine: Engine, catalog: Catalog, workers: FakeWorkers, experiment: Experiment
) -> None:
    second = other(experiment, seed=8)
    workers.capacity = 1
    catalog.submit(experiment)
    catalog.submit(second)
    workers.do_until(engine, "checks")
    draft = catalog.store / "drafts" / "abc"
    draft.mkdir(parents=True)
    workers.do("checks")
    engine.turn()
    assert status(catalog, experiment) == "done"
    assert not draft.exists()
