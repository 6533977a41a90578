"""Groups on a cluster that was started elsewhere; with a real scheduler: tests/e2e."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from distributed.scheduler import KilledWorker

from prunepriv.engine import cluster as module
from prunepriv.engine.cluster import MOST_LOSSES, ClusterWorkers
from prunepriv.engine.dask_workers import RETURNS
from prunepriv.engine.identity import IDENTITY
from prunepriv.engine.tries import note_try
from prunepriv.engine.worker import cancel_marker
from prunepriv.engine.worker_setup import TOKEN
from prunepriv.engine.workers import Outcome, WorkerDied
from prunepriv.errors import EngineError, StoreError
from prunepriv.experiment import Experiment
from prunepriv.plan import Step, plan
from prunepriv.store.step_logs import add_to_log
from tests.fake_runner import RUNNER
from tests.unit.engine.fake_cluster import FakeClient, FakeTask

ADDRESS = "tcp://127.0.0.1:1"


@pytest.fixture(autouse=True)
def _always(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOOK_EVERY", 0.0)


@pytest.fixture
def client() -> FakeClient:
    return FakeClient(one=1, two=2)


@pytest.fixture
def workers(client: FakeClient, tmp_path: Path) -> ClusterWorkers:
    """All workers have joined."""
    made = ClusterWorkers(tmp_path, tmp_path, RUNNER, ADDRESS, client)
    join(made, client)
    return made


def join(workers: ClusterWorkers, client: FakeClient) -> None:
    """All workers that are asked say that they can do our steps."""
    workers.outcomes()
    while asked := [task for task in client.pending() if not _is_group(task)]:
        for task in asked:
            task.end(IDENTITY if len(task.arguments) == 1 else "")
        workers.outcomes()


def _is_group(task: FakeTask) -> bool:
    return isinstance(task.arguments[0], tuple)


def groups(client: FakeClient) -> list[FakeTask]:
    return [task for task in client.pending() if _is_group(task)]


@pytest.fixture
def steps(experiment: Experiment) -> list[Step]:
    by_name = plan(experiment).by_name
    return [by_name[name] for name in ("train:0", "train:1", "train:2", "data")]


def test_each_worker_gets_as_many_groups_as_it_has_threads(
    workers: ClusterWorkers, client: FakeClient, steps: list[Step]
) -> None:
    assert (workers.capacity, workers.idle) == (3, 3)
    for step in steps[:3]:
        workers.submit([step])
    assert sorted(task.place for task in groups(client)) == ["one", "two", "two"]
    assert (workers.capacity, workers.idle) == (3, 0)
    groups(client)[0].end()
    (outcome,) = workers.outcomes()
    assert (outcome.keys, outcome.error) == ((steps[0].key,), None)
    assert workers.idle == 1


def test_a_cluster_without_workers_says_so(tmp_path: Path) -> None:
    workers = ClusterWorkers(tmp_path, tmp_path, RUNNER, ADDRESS, FakeClient())
    assert workers.outcomes() == []
    assert (workers.capacity, workers.idle) == (0, 0)
    assert workers.notice == (
        f"no worker has joined the Dask scheduler at {ADDRESS}: start one, for example with "
        f"`python -m dask worker {ADDRESS}`"
    )


def test_a_group_of_a_lost_worker_goes_to_another_one(
    workers: ClusterWorkers, client: FakeClient, steps: list[Step], tmp_path: Path
) -> None:
    workers.submit(steps[:2])
    (lost,) = groups(client)
    client.threads.pop(lost.place)
    workers.stop(steps[0].key)
    assert workers.outcomes() == []
    assert lost.released
    (again,) = groups(client)
    assert again.place != lost.place
    assert again.arguments == lost.arguments
    assert workers.has(steps[0].key)
    assert cancel_marker(tmp_path, steps[0].key).exists(), "it is still asked to stop"
    again.end()
    (outcome,) = workers.outcomes()
    assert outcome.keys == tuple(step.key for step in steps[:2])


def test_a_group_that_waits_for_a_worker_keeps_its_place(
    workers: ClusterWorkers, client: FakeClient, steps: list[Step]
) -> None:
    workers.submit(steps[:1])
    client.threads = {}
    workers.outcomes()
    assert groups(client) == []
    client.threads = {"three": 1}
    workers.outcomes()
    assert workers.has(steps[0].key)
    join(workers, client)
    assert [task.place for task in groups(client)] == ["three"]
    assert workers.idle == 0


def lose_workers(
    workers: ClusterWorkers, client: FakeClient, step: Step, store: Path, begun: bool
) -> list[Outcome]:
    """One after another is lost, which had begun a group or had not; until the group fails."""
    for number in range(MOST_LOSSES + RETURNS + 2):
        if begun:
            note_try(store, step.key)
        client.threads = {f"number {number}": 1}
        if outcomes := workers.outcomes():
            return outcomes
        join(workers, client)
    return []


def test_a_group_that_loses_every_worker_fails(
    workers: ClusterWorkers, client: FakeClient, steps: list[Step], tmp_path: Path
) -> None:
    for _ in range(2):  # it may be submitted again, and is counted anew
        workers.submit(steps[:2])
        add_to_log(tmp_path, steps[0].key, "Fatal Python error: Bus error")
        (outcome,) = lose_workers(workers, client, steps[0], tmp_path, begun=True)
        assert outcome.keys == tuple(step.key for step in steps[:2])
        assert isinstance(outcome.error, WorkerDied)
        assert str(outcome.error) == (
            "has lost 4 workers, at last number 2 by a fault in a library's code (Bus error)"
        )
        assert not workers.has(steps[0].key)
        client.threads = {"one": 1, "two": 2}
        join(workers, client)
        assert workers.idle == 3


def test_a_group_is_not_blamed_for_workers_that_had_not_begun_it(
    workers: ClusterWorkers, client: FakeClient, steps: list[Step], tmp_path: Path
) -> None:
    """But not for ever: a store that cannot be written to keeps no tries. The first had begun it."""
    workers.submit(steps[:1])
    note_try(tmp_path, steps[0].key)
    (outcome,) = lose_workers(workers, client, steps[0], tmp_path, begun=False)
    assert f"at last number {RETURNS + MOST_LOSSES - 1} by" in str(outcome.error)


def test_a_group_that_dask_blames_in_vain_is_given_out_again(
    workers: ClusterWorkers, client: FakeClient, steps: list[Step], tmp_path: Path
) -> None:
    """Also where its worker is lost for good at that time, and no other is there."""
    blame = KilledWorker("task", SimpleNamespace(address="one"), 3)  # type: ignore[arg-type]
    workers.submit(steps[:1])
    groups(client)[0].end(error=blame)
    assert workers.outcomes() == []
    client.threads = {}
    groups(client)[0].end(error=blame)
    assert workers.outcomes() == []
    assert workers.has(steps[0].key)
    client.threads = {"three": 1}
    join(workers, client)
    (again,) = groups(client)
    for _ in range(4):
        note_try(tmp_path, steps[0].key)
    again.end(error=blame)
    (outcome,) = workers.outcomes()
    assert str(outcome.error).startswith("ended its worker process 4 times, at last by ")
    assert not workers.has(steps[0].key)


def the_connection_ends(client: FakeClient) -> None:
    client.status = "connecting"


def dask_drops_the_tasks(client: FakeClient) -> None:
    for task in groups(client):
        task.status = "cancelled"


def another_scheduler_answers(client: FakeClient) -> None:
    client.id = "the second"


@pytest.mark.parametrize(
    "happen",
    [the_connection_ends, dask_drops_the_tasks, another_scheduler_answers],
    ids=lambda one: one.__name__,
)
def test_a_lost_scheduler_loses_no_group(
    workers: ClusterWorkers,
    client: FakeClient,
    steps: list[Step],
    monkeypatch: pytest.MonkeyPatch,
    happen: Callable[[FakeClient], None],
) -> None:
    """However it shows; the groups wait, and then go to the workers that join the next one."""
    back: list[FakeClient] = []

    def reconnect(address: str, patience: float) -> FakeClient:
        assert address == ADDRESS
        if not back:
            raise EngineError("no scheduler")
        return back[0]

    monkeypatch.setattr(module, "connect", reconnect)
    workers.submit(steps[:2])
    happen(client)
    for _ in range(MOST_LOSSES + 2):
        assert workers.outcomes() == []
    assert client.closed
    assert (workers.capacity, workers.has(steps[0].key)) == (0, True)
    assert workers.notice == (
        f"the Dask scheduler at {ADDRESS} is lost: the run goes on from its finished steps when "
        "the scheduler is back"
    )
    back.append(FakeClient(three=1))
    join(workers, back[0])
    assert workers.notice == ""
    (again,) = groups(back[0])
    assert again.place == "three"
    assert again.arguments[0] == tuple(steps[:2])


def test_a_group_that_dask_drops_at_the_last_moment_has_not_ended(
    workers: ClusterWorkers, client: FakeClient, steps: list[Step], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection is lost after the look at it and before the look at the groups."""
    workers.submit(steps[:1])
    monkeypatch.setattr(workers, "_watch", lambda: dask_drops_the_tasks(client))
    assert workers.outcomes() == []
    assert workers.has(steps[0].key)


def test_a_scheduler_that_does_not_answer_is_told(
    workers: ClusterWorkers, client: FakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wait_in_vain(n_workers: int) -> None:
        raise TimeoutError

    with monkeypatch.context() as patch:
        patch.setattr(client, "identity", wait_in_vain)
        workers.outcomes()
        assert workers.notice.startswith(f"the Dask scheduler at {ADDRESS} does not answer: ")
    workers.outcomes()
    assert workers.notice == ""


def test_only_some_of_many_refused_workers_are_told(tmp_path: Path) -> None:
    client = FakeClient(**dict.fromkeys("abcde", 1))
    workers = ClusterWorkers(tmp_path, tmp_path, RUNNER, ADDRESS, client)
    workers.outcomes()
    for asked in client.pending():
        asked.end("0.0.1")
    workers.outcomes()
    *told, more = workers.notice.split("; ")
    assert [sentence[:32] for sentence in told] == [
        f"the worker {name} runs prunepriv 0.0." for name in "abc"
    ]
    assert more == "and 2 more"


def test_the_workers_know_the_store_by_what_is_written_in_it(
    client: FakeClient, workers: ClusterWorkers, tmp_path: Path
) -> None:
    asked = [task.arguments for task in client.tasks if len(task.arguments) > 1]
    assert asked == [(tmp_path, (tmp_path / TOKEN).read_text(), RUNNER)] * 2


def test_a_store_that_cannot_be_written_to_is_told(client: FakeClient, tmp_path: Path) -> None:
    (tmp_path / TOKEN).mkdir()
    with pytest.raises(StoreError, match=f"{TOKEN} cannot be written"):
        ClusterWorkers(tmp_path, tmp_path, RUNNER, ADDRESS, client)
