"""The decisions of the engine, with fake workers."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from prunepriv.engine.service import RESTARTS, Engine, Outcome, WorkerDied
from prunepriv.errors import Cancelled, DataError, MissingArtifactError, StoreFullError
from prunepriv.experiment import Experiment, make_experiment
from prunepriv.plan import Step, plan
from prunepriv.progress import silent
from prunepriv.store.artifacts import ArtifactStore
from prunepriv.store.catalog import Catalog
from prunepriv.store.locks import claim
from prunepriv.store.step_logs import add_to_log, log_path, read_log
from tests.fake_runner import run_step

OWNER = "engine.lock"


class FakeWorkers:
    """Workers that do what the test says."""

    def __init__(self, store: ArtifactStore) -> None:
        self.store = store
        self.capacity = 2
        self.pending: dict[str, Step] = {}
        self.priorities: dict[str, int] = {}
        self.submitted: list[str] = []
        self.stopped: list[str] = []
        self._ended: list[Outcome] = []
        self._news: list[Mapping[str, Any]] = []

    def has(self, key: str) -> bool:
        return key in self.pending

    def submit(self, step: Step, priority: int) -> None:
        if step.key not in self.pending:
            self.pending[step.key] = step
            self.priorities[step.key] = priority
            self.submitted.append(step.name)

    def stop(self, key: str) -> None:
        self.stopped.append(key)

    def drop(self, key: str) -> None:
        self.pending.pop(key, None)

    def outcomes(self) -> list[Outcome]:
        ended, self._ended = self._ended, []
        return ended

    def news(self) -> list[Mapping[str, Any]]:
        news, self._news = self._news, []
        return news

    # what the test does

    def key(self, name: str) -> str:
        return next(key for key, step in self.pending.items() if step.name == name)

    def begin(self, name: str) -> str:
        """A worker begins a step."""
        self._news.append({"key": self.key(name), "pid": 4})
        return self.key(name)

    def report(self, key: str, fraction: float, message: str, *points: dict[str, float]) -> None:
        news = {"key": key, "fraction": fraction, "message": message, "points": list(points)}
        self._news.append(news)

    def end(self, key: str) -> None:
        """A worker has done a step that it began before."""
        run_step(self.pending.pop(key), self.store, Path(), silent)
        self._ended.append(Outcome(key))

    def do(self, name: str, error: Exception | None = None, artifact: bool = True) -> None:
        """A worker does a step to its end."""
        key = self.begin(name)
        step = self.pending.pop(key)
        if error is None and artifact:
            run_step(step, self.store, Path(), silent)
        self._ended.append(Outcome(key, error, "Traceback: ..."))

    def do_all(self) -> None:
        for step in list(self.pending.values()):
            self.do(step.name)


@pytest.fixture
def workers(catalog: Catalog) -> FakeWorkers:
    return FakeWorkers(ArtifactStore(catalog.store))


@pytest.fixture
def engine(catalog: Catalog, workers: FakeWorkers) -> Iterator[Engine]:
    held = claim(catalog.store / OWNER)
    assert held is not None
    yield Engine(catalog, workers, OWNER)
    held.release()


def status(catalog: Catalog, experiment: Experiment) -> str:
    return catalog.run(experiment.run_id).status


def steps(catalog: Catalog, experiment: Experiment) -> dict[str, str]:
    return {step.name: step.status for step in catalog.steps(experiment.run_id)}


def other(experiment: Experiment, **changes: Any) -> Experiment:
    return make_experiment({**experiment.model_dump(mode="json"), **changes})


def test_a_run_from_the_queue_to_its_end(
    engine: Engine, catalog: Catalog, workers: FakeWorkers, experiment: Experiment
) -> None:
    catalog.submit(experiment)
    engine.turn()
    assert status(catalog, experiment) == "running"
    assert engine.busy
    assert workers.submitted == [step.name for step in plan(experiment).steps]
    ranks = [workers.priorities[step.key] for step in plan(experiment).steps]
    assert ranks == sorted(ranks, reverse=True)
    workers.do_all()
    engine.turn()
    assert status(catalog, experiment) == "done"
    assert not engine.busy


def test_every_point_that_a_step_reports_is_written(
    engine: Engine, catalog: Catalog, workers: FakeWorkers, experiment: Experiment
) -> None:
    catalog.submit(experiment)
    engine.turn()
    key = workers.begin("data")
    workers.report(key, 0.5, "epoch 1 of 2", {"epoch": 1.0})
    engine.turn()
    data = {step.name: step for step in catalog.steps(experiment.run_id)}["data"]
    assert (data.status, data.fraction, data.message) == ("running", 0.5, "epoch 1 of 2")
    assert data.pid == 4
    workers.report(key, 1.0, "epoch 2 of 2", {"epoch": 2.0})
    workers.end(key)
    engine.turn()
    data = {step.name: step for step in catalog.steps(experiment.run_id)}["data"]
    assert data.status == "done"
    assert data.curve == ({"epoch": 1.0}, {"epoch": 2.0})


def test_two_runs_share_their_steps(
    engine: Engine, catalog: Catalog, workers: FakeWorkers, experiment: Experiment
) -> None:
    second = other(experiment, pruning={"sparsity": 0.5})
    catalog.submit(experiment)
    catalog.submit(second)
    engine.turn()
    assert workers.submitted.count("train") == 1
    assert workers.submitted.count("fine_tune:pruned") == 2
    workers.do_all()
    engine.turn()
    assert status(catalog, experiment) == status(catalog, second) == "done"


def test_a_run_waits_while_every_worker_has_something_to_do(
    engine: Engine, catalog: Catalog, workers: FakeWorkers, experiment: Experiment
) -> None:
    workers.capacity = 1
    second = other(experiment, seed=8)
    catalog.submit(experiment)
    catalog.submit(second)
    engine.turn()
    assert (status(catalog, experiment), status(catalog, second)) == ("running", "queued")
    assert catalog.queue_position(second.run_id) == 1
    workers.do_all()
    engine.turn()
    assert (status(catalog, experiment), status(catalog, second)) == ("done", "running")
    assert "data" not in workers.submitted[9:], "cached by the first run"


def test_a_failure_ends_its_run_alone(
    engine: Engine, catalog: Catalog, workers: FakeWorkers, experiment: Experiment
) -> None:
    second = other(experiment, seed=8)
    catalog.submit(experiment)
    catalog.submit(second)
    engine.turn()
    workers.do("data")
    workers.do("split", DataError("no records"))
    engine.turn()
    failed = catalog.run(experiment.run_id)
    assert (failed.status, failed.error) == ("failed", "no records")
    assert steps(catalog, experiment)["split"] == "failed"
    assert status(catalog, second) == "running"
    assert {step.key for step in workers.pending.values()} <= set(plan(second).by_key)
    workers.do_all()
    engine.turn()
    assert status(catalog, second) == "done"


def test_an_unexpected_failure_names_the_log(
    engine: Engine, catalog: Catalog, workers: FakeWorkers, experiment: Experiment
) -> None:
    catalog.submit(experiment)
    engine.turn()
    workers.do("data", ZeroDivisionError("division by zero"))
    engine.turn()
    log = log_path(catalog.store, plan(experiment).key("data"))
    assert catalog.run(experiment.run_id).error == (
        f"step data failed unexpectedly (ZeroDivisionError: division by zero): see {log}"
    )
    assert log.read_text() == "Traceback: ...\n", "no worker has written one"


def test_a_log_that_the_worker_has_written_stays(
    engine: Engine, catalog: Catalog, workers: FakeWorkers, experiment: Experiment
) -> None:
    catalog.submit(experiment)
    engine.turn()
    key = workers.key("data")
    add_to_log(catalog.store, key, "what the worker knows")
    workers.do("data", DataError("no such file"))
    engine.turn()
    assert catalog.run(experiment.run_id).error == "no such file"
    assert read_log(catalog.store, key) == "what the worker knows\n"


def test_how_a_step_ended_its_workers_is_told_and_added_to_the_log(
    engine: Engine, catalog: Catalog, workers: FakeWorkers, experiment: Experiment
) -> None:
    catalog.submit(experiment)
    engine.turn()
    key = workers.key("data")
    add_to_log(catalog.store, key, "printed")
    workers.do("data", WorkerDied("ended its worker process 4 times"))
    engine.turn()
    log = log_path(catalog.store, key)
    told = f"step data ended its worker process 4 times: see {log}"
    assert catalog.run(experiment.run_id).error == told
    assert log.read_text() == "printed\nIt ended its worker process 4 times.\n"


def test_a_failure_that_dask_passes_on_is_not_the_step_s_own(
    engine: Engine, catalog: Catalog, workers: FakeWorkers, experiment: Experiment
) -> None:
    catalog.submit(experiment)
    engine.turn()
    workers.do("split", DataError("passed on"))
    engine.turn()
    assert status(catalog, experiment) == "running", "its input data is still being made"


def test_a_failure_counts_while_dask_has_forgotten_finished_inputs(
    engine: Engine, catalog: Catalog, workers: FakeWorkers, experiment: Experiment
) -> None:
    catalog.submit(experiment)
    engine.turn()
    for name in ("data", "split"):  # done, but the worker that knew of it has died
        run_step(workers.pending[workers.key(name)], workers.store, Path(), silent)
    workers.do("train", DataError("its worker died several times"))
    engine.turn()
    assert status(catalog, experiment) == "failed"


def test_cancelling_stops_running_steps_and_drops_waiting_ones(
    engine: Engine, catalog: Catalog, workers: FakeWorkers, experiment: Experiment
) -> None:
    second = other(experiment, seed=8)
    catalog.submit(experiment)
    engine.turn()
    workers.do("data")
    running = workers.begin("split")
    engine.turn()
    catalog.submit(second)
    engine.turn()
    catalog.request_cancel(experiment.run_id)
    engine.turn()
    assert status(catalog, experiment) == "cancelled"
    assert steps(catalog, experiment)["split"] == "waiting"
    assert workers.stopped == [running]
    assert {step.key for step in workers.pending.values()} - {running} <= set(plan(second).by_key)
    assert status(catalog, second) == "running"


def test_a_step_that_another_run_waits_for_continues(
    engine: Engine, catalog: Catalog, workers: FakeWorkers, experiment: Experiment
) -> None:
    second = other(experiment, pruning={"sparsity": 0.5})
    catalog.submit(experiment)
    catalog.submit(second)
    engine.turn()
    workers.do("data")
    workers.do("split")
    train = workers.begin("train")
    engine.turn()
    catalog.request_cancel(experiment.run_id)
    engine.turn()
    assert workers.stopped == []
    assert workers.has(train)
    assert steps(catalog, second)["train"] == "running"


def test_a_run_submitted_again_while_its_step_stops_is_restarted(
    engine: Engine, catalog: Catalog, workers: FakeWorkers, experiment: Experiment
) -> None:
    catalog.submit(experiment)
    engine.turn()
    workers.begin("data")
    engine.turn()
    catalog.request_cancel(experiment.run_id)
    engine.turn()
    catalog.submit(experiment)
    engine.turn()
    workers.do("data", Cancelled("the run was cancelled"))
    engine.turn()
    assert status(catalog, experiment) == "running"
    workers.do_all()
    engine.turn()
    assert status(catalog, experiment) == "done"


def test_a_step_begun_at_the_moment_when_it_was_dropped_is_stopped(
    engine: Engine, catalog: Catalog, workers: FakeWorkers, experiment: Experiment
) -> None:
    catalog.submit(experiment)
    engine.turn()
    key = workers.begin("data")
    catalog.request_cancel(experiment.run_id)
    engine.turn()
    engine.turn()
    assert key in workers.stopped


def test_a_damaged_input_is_made_again(
    engine: Engine, catalog: Catalog, workers: FakeWorkers, experiment: Experiment
) -> None:
    catalog.submit(experiment)
    engine.turn()
    workers.do("data")
    workers.do("split")
    engine.turn()
    split = workers.store.path(plan(experiment).key("split"))
    (split / "value.json").write_text("0")
    workers.do("train", MissingArtifactError("artifact was damaged and set aside"))
    workers.submitted.clear()
    engine.turn()
    assert workers.submitted[:2] == ["split", "train"]
    workers.do_all()
    engine.turn()
    assert status(catalog, experiment) == "done"


def test_a_run_is_not_restarted_for_ever(
    engine: Engine, catalog: Catalog, workers: FakeWorkers, experiment: Experiment
) -> None:
    catalog.submit(experiment)
    engine.turn()
    for _ in range(RESTARTS + 1):
        workers.do("data", artifact=False)
        engine.turn()
    run = catalog.run(experiment.run_id)
    assert (run.status, run.error) == ("failed", "a step ended without writing its artifact")


def test_what_a_full_disk_refused_is_written_later(
    engine: Engine,
    catalog: Catalog,
    workers: FakeWorkers,
    experiment: Experiment,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    catalog.submit(experiment)
    engine.turn()
    workers.do_all()
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


def test_it_serves_until_idle_and_beats_meanwhile(engine: Engine) -> None:
    beats: list[None] = []
    engine.serve(threading.Event(), 0.3, lambda: beats.append(None))
    assert beats


def test_it_stops_when_asked(engine: Engine) -> None:
    stop = threading.Event()
    engine.serve(stop, 3600.0, stop.set)
    assert stop.is_set()
