"""How groups of steps become Dask's tasks; what becomes of them with a real scheduler: tests/e2e."""

from __future__ import annotations

from functools import partialmethod
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from dask.utils import key_split
from distributed import Client
from distributed.scheduler import KilledWorker

from prunepriv.engine import dask_workers
from prunepriv.engine.dask_workers import RETURNS, TRIES, DaskWorkers
from prunepriv.engine.service import Outcome
from prunepriv.engine.tries import note_try
from prunepriv.engine.worker import cancel_marker
from prunepriv.errors import DataError
from prunepriv.experiment import Experiment
from prunepriv.plan import Step, plan
from prunepriv.progress import silent
from prunepriv.store.artifacts import ArtifactStore
from tests.fake_runner import RUNNER, run_group


class FakeFuture:
    """A task that ends when the test says so."""

    def __init__(self, key: str, group: tuple[Step, ...]) -> None:
        self.key, self.group = key, group
        self.status = "pending"
        self.released = False
        self.error: Exception | None = None
        self._callbacks: list[Any] = []

    def done(self) -> bool:
        return self.status != "pending"

    def exception(self) -> Exception | None:
        return self.error

    def traceback(self) -> None:
        return None

    def release(self) -> None:
        self.released = True

    def add_done_callback(self, callback: Any) -> None:
        self._callbacks.append(callback)

    def end(self, error: Exception | None = None) -> None:
        self.error = error
        self.status = "finished" if error is None else "error"
        for callback in self._callbacks:
            callback(self)


class Recorder:
    """Takes tasks as Dask's client does, and remembers them."""

    def __init__(self) -> None:
        self.status = "running"
        self.tasks: list[FakeFuture] = []

    def subscribe_topic(self, *_: object) -> None:
        pass

    def ncores(self) -> dict[str, int]:
        return {"one": 1, "two": 1}

    def submit(self, work: object, group: tuple[Step, ...], *_: object, key: str) -> FakeFuture:
        self.tasks.append(FakeFuture(key, group))
        return self.tasks[-1]


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Recorder:
    made = Recorder()
    monkeypatch.setattr(dask_workers, "Client", lambda *_, **__: made)
    return made


@pytest.fixture
def workers(client: Recorder, tmp_path: Path) -> DaskWorkers:
    """Those of a cluster at a given address, of two cores."""
    return DaskWorkers(tmp_path, tmp_path, RUNNER, 1, scheduler="tcp://127.0.0.1:1")


def test_a_step_that_is_given_out_again_is_a_new_task(
    experiment: Experiment, client: Recorder, workers: DaskWorkers
) -> None:
    """Dask would answer with the failure that it remembers of the old one."""
    step = plan(experiment).by_name["fit:conf:pruned"]
    workers.submit([step])
    client.tasks[0].end(DataError("no"))
    workers.outcomes()
    workers.submit([step])
    first, second = (task.key for task in client.tasks)
    assert first != second
    assert key_split(first) == key_split(second) == "fit_conf", "Dask learns how long such take"


def test_a_group_is_one_task_and_keeps_one_worker_busy(
    experiment: Experiment, client: Recorder, workers: DaskWorkers
) -> None:
    by_name = plan(experiment).by_name
    group = by_name["train:1"], by_name["train:2"]
    assert (workers.capacity, workers.idle) == (2, 2)
    workers.submit(group)
    assert [task.group for task in client.tasks] == [group]
    assert (workers.capacity, workers.idle) == (2, 1)
    assert all(workers.has(step.key) for step in group)
    assert not workers.has(by_name["train:0"].key)
    assert workers.outcomes() == []


@pytest.mark.parametrize("error", [None, DataError("no records")])
def test_all_steps_of_a_group_end_as_it_did(
    experiment: Experiment, client: Recorder, workers: DaskWorkers, error: Exception | None
) -> None:
    group = [plan(experiment).by_name[name] for name in ("train:1", "train:2")]
    workers.submit(group)
    workers.wait(0.0)
    client.tasks[0].end(error)
    outcomes = workers.outcomes()
    ended = [(key, one.error) for one in outcomes for key in one.keys]
    assert ended == [(step.key, error) for step in group]
    assert workers.idle == 2
    assert client.tasks[0].released
    assert not any(workers.has(step.key) for step in group)
    assert workers.outcomes() == [], "each is told once"


def killed() -> KilledWorker:
    """What Dask says of every task that a worker had which was lost for the fourth time."""
    lost = SimpleNamespace(address="tls://127.0.0.1:1")
    return KilledWorker("task", lost, 3)  # type: ignore[arg-type]


def test_a_group_that_waited_while_another_ended_its_workers_is_given_out_again(
    experiment: Experiment, client: Recorder, workers: DaskWorkers, tmp_path: Path
) -> None:
    by_name = plan(experiment).by_name
    deadly, innocent = by_name["train:0"], by_name["train:1"]
    workers.submit([deadly])
    workers.submit([innocent])
    for _ in range(4):
        note_try(tmp_path, deadly.key)
    for task in client.tasks:
        task.end(killed())
    (outcome,) = workers.outcomes()
    assert outcome.keys == (deadly.key,)
    assert str(outcome.error).startswith("ended its worker process 4 times, at last by ")
    assert (workers.has(deadly.key), workers.has(innocent.key)) == (False, True)
    client.tasks[2].end()
    assert workers.outcomes() == [Outcome((innocent.key,))]


def test_tries_count_from_when_a_group_is_given_out(
    experiment: Experiment, client: Recorder, workers: DaskWorkers, tmp_path: Path
) -> None:
    step = plan(experiment).by_name["train:0"]
    for _ in range(4):
        note_try(tmp_path, step.key)
    workers.submit([step])
    for number in range(2):  # two begin before Dask blames it, two after
        note_try(tmp_path, step.key)
        note_try(tmp_path, step.key)
        client.tasks[number].end(killed())
        assert len(workers.outcomes()) == number
    assert not (tmp_path / TRIES / step.key).exists()


def test_a_group_whose_tries_nobody_can_note_is_not_given_out_for_ever(
    experiment: Experiment, client: Recorder, workers: DaskWorkers, tmp_path: Path
) -> None:
    (tmp_path / TRIES).write_text("a file where the folder should be")
    step = plan(experiment).by_name["train:0"]
    note_try(tmp_path, step.key)
    workers.submit([step])
    for number in range(RETURNS + 1):
        client.tasks[number].end(killed())
        assert len(workers.outcomes()) == number // RETURNS
    assert not workers.has(step.key)


def test_on_real_workers_a_deadly_group_leaves_the_one_behind_it_alone(
    experiment: Experiment, steering: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both on one worker: Dask counts the deaths of the first against the second as well."""
    # what is submitted first comes first, also within 100 ms: else the second may slip through
    in_order = partialmethod(Client.submit, fifo_timeout="0 s")
    monkeypatch.setattr(Client, "submit", in_order)
    by_name = plan(experiment).by_name
    data, deadly, innocent = (by_name[name] for name in ("data", "split:0", "split:1"))
    (steering / "crash" / "split+0").touch()
    store = tmp_path / "store"
    run_group([data], ArtifactStore(store), tmp_path, [silent])
    workers = DaskWorkers(store, tmp_path, RUNNER, 1)
    try:
        workers.submit([deadly])
        workers.submit([innocent])
        ended: dict[str, Exception | None] = {}
        while len(ended) < 2:
            workers.wait(60.0)
            for outcome in workers.outcomes():
                ended |= dict.fromkeys(outcome.keys, outcome.error)  # type: ignore[arg-type]
    finally:
        workers.close()
    assert ended[innocent.key] is None
    assert "at last by a kill from outside (SIGKILL)" in str(ended[deadly.key])
    assert list((store / TRIES).iterdir()) == []


def test_the_end_of_a_group_ends_the_wait(
    experiment: Experiment, client: Recorder, workers: DaskWorkers
) -> None:
    workers.submit([plan(experiment).by_name["data"]])
    client.tasks[0].end()
    workers.wait(3600.0)


def test_a_step_is_asked_to_stop_until_somebody_wants_it(
    experiment: Experiment, client: Recorder, workers: DaskWorkers, tmp_path: Path
) -> None:
    step = plan(experiment).by_name["data"]
    marker = cancel_marker(tmp_path, step.key)
    workers.submit([step])
    workers.stop(step.key)
    assert marker.exists()
    workers.want(step.key)
    assert not marker.exists()
    workers.stop(step.key)
    client.tasks[0].end()
    workers.outcomes()
    workers.submit([step])
    assert not marker.exists(), "the request was for the task before"
