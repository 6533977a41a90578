from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from prunepriv.errors import StoreError, StoreFullError, UnknownRunError
from prunepriv.experiment import Experiment, make_experiment
from prunepriv.plan import plan
from prunepriv.store import run_files
from prunepriv.store.artifacts import ArtifactStore
from prunepriv.store.catalog import Catalog, check_run_id
from prunepriv.store.database import FILE
from prunepriv.store.locks import claim
from prunepriv.store.result import Result
from prunepriv.store.step_rows import step_rows

OWNER = "worker.lock"


def experiment(seed: int = 7) -> Experiment:
    return make_experiment({"seed": seed, "attacks": {"names": ["conf"]}, "models": ["pruned"]})


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    made = Catalog(tmp_path / "store")
    yield made
    made.close()


def begin(catalog: Catalog, which: Experiment) -> bool:
    rows = step_rows(ArtifactStore(catalog.store), which)
    return catalog.begin(which.run_id, OWNER, rows)


def test_a_run_from_submission_to_its_end(catalog: Catalog) -> None:
    one = experiment()
    run_id = catalog.submit(one)
    assert run_id == one.run_id
    assert catalog.run(run_id).status == "queued"
    assert catalog.run(run_id).experiment == one
    assert catalog.steps(run_id) == []
    held = claim(catalog.store / OWNER)
    assert held is not None
    assert begin(catalog, one)
    assert not begin(catalog, one), "a run is taken once"
    assert catalog.run(run_id).status == "running"
    assert [s.name for s in catalog.steps(run_id)] == [s.name for s in plan(one).steps]
    catalog.end(run_id, "failed", "there was no data")
    ended = catalog.run(run_id)
    assert (ended.status, ended.error) == ("failed", "there was no data")
    assert ended.started is not None
    assert ended.finished is not None
    assert ended.created <= ended.started <= ended.finished
    held.release()


def test_steps_keep_what_is_written(catalog: Catalog) -> None:
    one = experiment()
    run_id = catalog.submit(one)
    begin(catalog, one)
    key = plan(one).key("train:0")
    row: dict[str, Any] = {
        "run_id": run_id,
        "key": key,
        "status": "running",
        "fraction": 0.5,
        "message": "epoch 1 of 2",
        "curve": json.dumps([{"epoch": 1, "loss": 0.25}]),
        "started": 12.5,
        "seconds": None,
        "pid": 4,
    }
    catalog.update_steps([row])
    steps = {step.name: step for step in catalog.steps(run_id)}
    train = steps["train:0"]
    assert (train.status, train.fraction, train.message) == ("running", 0.5, "epoch 1 of 2")
    assert train.curve == ({"epoch": 1, "loss": 0.25},)
    assert train.started is not None
    assert train.started.timestamp() == 12.5
    assert (train.seconds, train.pid, train.cached) == (None, 4, False)
    assert steps["split:0"].status == "waiting"


def test_a_running_run_without_its_worker_is_interrupted_and_resumed(catalog: Catalog) -> None:
    one = experiment()
    run_id = catalog.submit(one)
    held = claim(catalog.store / OWNER)
    assert held is not None
    begin(catalog, one)
    assert catalog.requeue_abandoned("another.lock") == 0
    held.release()
    assert catalog.run(run_id).status == "interrupted"
    assert catalog.requeue_abandoned("another.lock") == 1
    assert catalog.run(run_id).status == "queued"


def test_the_next_holder_of_a_lock_queues_the_runs_of_the_previous_one(catalog: Catalog) -> None:
    run_id = catalog.submit(experiment())
    begin(catalog, experiment())
    held = claim(catalog.store / OWNER)
    assert held is not None
    assert catalog.requeue_abandoned(OWNER) == 1
    assert catalog.run(run_id).status == "queued"
    held.release()


def test_an_active_run_is_not_queued_twice_and_an_ended_one_is_queued_again(
    catalog: Catalog,
) -> None:
    first, second = experiment(1), experiment(2)
    catalog.submit(first)
    catalog.submit(second)
    catalog.submit(first)
    assert [run.run_id for run in catalog.queued()] == [first.run_id, second.run_id]
    begin(catalog, first)
    catalog.end(first.run_id, "failed", "no")
    catalog.submit(first)
    assert [run.run_id for run in catalog.queued()] == [second.run_id, first.run_id]
    assert catalog.run(first.run_id).error == ""
    assert [run.run_id for run in catalog.runs()] == [first.run_id, second.run_id]


def test_queue_positions(catalog: Catalog) -> None:
    first, second = experiment(1), experiment(2)
    catalog.submit(first)
    catalog.submit(second)
    assert catalog.queue_position(first.run_id) == 1
    assert catalog.queue_position(second.run_id) == 2
    begin(catalog, first)
    assert catalog.queue_position(first.run_id) is None
    assert catalog.queue_position(second.run_id) == 1


def test_runs_can_be_asked_for_by_their_ids(catalog: Catalog) -> None:
    ids = [catalog.submit(experiment(seed)) for seed in (1, 2, 3)]
    assert [run.run_id for run in catalog.runs()] == ids[::-1]
    assert [run.run_id for run in catalog.runs([ids[0], ids[2], "no-such-run"])] == [ids[2], ids[0]]
    assert catalog.runs([]) == []


def test_a_waiting_run_is_cancelled_at_once(catalog: Catalog) -> None:
    run_id = catalog.submit(experiment())
    catalog.request_cancel(run_id)
    assert catalog.run(run_id).status == "cancelled"
    assert not begin(catalog, experiment())
    with pytest.raises(StoreError, match="is cancelled: only a run that waits or runs"):
        catalog.request_cancel(run_id)


def test_a_running_run_is_asked_to_stop_and_an_interrupted_one_is_discarded(
    catalog: Catalog,
) -> None:
    run_id = catalog.submit(experiment())
    held = claim(catalog.store / OWNER)
    assert held is not None
    begin(catalog, experiment())
    catalog.request_cancel(run_id)
    assert catalog.run(run_id).status == "running"
    assert catalog.run(run_id).cancel_requested
    assert catalog.cancel_requests() == {run_id}
    held.release()
    catalog.request_cancel(run_id)
    assert catalog.run(run_id).status == "cancelled"


def test_a_deleted_run_is_gone_and_its_artifacts_stay(catalog: Catalog, finished: Result) -> None:
    run_id = catalog.submit(finished.experiment)
    with pytest.raises(StoreError, match="cancel it first"):
        catalog.delete(run_id)
    catalog.request_cancel(run_id)
    catalog.delete(run_id)
    assert catalog.runs() == []
    assert catalog.rebuild() == 0
    assert finished.complete
    with pytest.raises(UnknownRunError, match="lists all runs"):
        catalog.run(run_id)


def test_the_catalogue_is_rebuilt_from_the_store(finished: Result) -> None:
    store = finished.store.root
    catalog = Catalog(store)
    done, left = finished.experiment, experiment()
    catalog.submit(done)
    begin(catalog, done)
    catalog.end(done.run_id, "done")
    catalog.submit(left)
    catalog.close()
    for file in store.glob(f"{FILE}*"):
        file.unlink()
    rebuilt = Catalog(store)
    assert {run.run_id: run.status for run in rebuilt.runs()} == {
        done.run_id: "done",
        left.run_id: "interrupted",
    }
    assert rebuilt.run(done.run_id).experiment == done
    assert all(step.cached and step.seconds for step in rebuilt.steps(done.run_id))
    assert {s.name for s in rebuilt.steps(left.run_id) if s.status == "done"} == {"data"}
    rebuilt.submit(left)
    assert rebuilt.run(left.run_id).status == "queued"
    rebuilt.close()


def test_a_damaged_catalogue_is_set_aside_and_rebuilt(catalog: Catalog) -> None:
    run_id = catalog.submit(experiment())
    catalog.close()
    file = catalog.store / FILE
    file.write_bytes(b"this is not a database, " * 100)
    again = Catalog(catalog.store)
    assert [run.run_id for run in again.runs()] == [run_id]
    assert len(list(catalog.store.glob(f"{FILE}.damaged-*"))) == 1
    again.close()


@pytest.mark.parametrize(
    "text", ["../../etc/passwd", "/etc/passwd", "a", "x" * 65, "UPPERCASE-run", "run\0run-run", "äöüäöüäöü", ""]
)  # fmt: skip
def test_a_text_that_is_not_a_run_id_is_refused(catalog: Catalog, text: str) -> None:
    for use in (catalog.run, catalog.steps, catalog.request_cancel, catalog.delete, check_run_id):
        with pytest.raises(UnknownRunError, match="is not a run"):
            use(text)


def test_a_full_disk_is_reported_in_one_sentence(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(source: object, target: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(run_files.os, "replace", full)
    with pytest.raises(StoreFullError, match="No space left"):
        catalog.submit(experiment())
    assert catalog.runs() == []
    assert list((catalog.store / "runs").iterdir()) == []


@pytest.fixture
def locked(catalog: Catalog) -> Iterator[Catalog]:
    """The catalogue while another process writes, opened by one who waits 50 ms for it."""
    catalog.submit(experiment())
    other = sqlite3.connect(catalog.store / FILE, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    made = Catalog(catalog.store, patience=0.05)
    yield made
    made.close()
    other.close()


def test_who_writes_to_a_locked_catalogue_learns_it_in_one_sentence(locked: Catalog) -> None:
    with pytest.raises(StoreError, match=r"has kept the catalogue of .* locked for 0.05 s: end"):
        locked.end(experiment().run_id, "done")


def test_a_locked_catalogue_can_be_opened_and_read(locked: Catalog) -> None:
    assert [run.status for run in locked.runs()] == ["queued"]


def test_a_catalogue_that_may_only_be_read(catalog: Catalog) -> None:
    with catalog._database.read() as connection:
        connection.exec_driver_sql("PRAGMA query_only=ON")
    with pytest.raises(StoreError, match="cannot be written to: make its files writable"):
        catalog.submit(experiment())
    assert catalog.runs() == []


def test_a_store_that_was_removed_is_told(catalog: Catalog) -> None:
    catalog.close()
    shutil.rmtree(catalog.store)
    with pytest.raises(StoreError, match="was removed: submit its runs again"):
        catalog.runs()


def test_a_database_that_is_damaged_while_it_is_open_is_told(catalog: Catalog) -> None:
    catalog.submit(experiment())
    catalog.close()
    (catalog.store / FILE).write_bytes(b"no database" * 1000)
    with pytest.raises(StoreError, match=r"cannot be used .*not a database"):
        catalog.runs()


def test_a_store_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="choose another with --store"):
        Catalog(tmp_path / "file" / "store")


def test_another_database_can_be_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRUNEPRIV_CATALOG", f"sqlite:///{tmp_path / 'team.db'}")
    catalog = Catalog(tmp_path / "store")
    catalog.submit(experiment())
    catalog.close()
    assert (tmp_path / "team.db").exists()
    assert not (tmp_path / "store" / FILE).exists()


def test_processes_may_open_and_submit_at_the_same_time(
    tmp_path: Path,
) -> None:
    submit = (
        "import pathlib, sys\n"
        "from prunepriv.experiment import make_experiment\n"
        "from prunepriv.store.catalog import Catalog\n"
        "catalog = Catalog(pathlib.Path(sys.argv[1]))\n"
        "for seed in range(5): catalog.submit(make_experiment({'seed': int(sys.argv[2]) + seed}))\n"
    )
    store = tmp_path / "store"
    processes = [
        subprocess.Popen([sys.executable, "-c", submit, str(store), str(100 * number)])
        for number in range(4)
    ]
    assert [process.wait() for process in processes] == [0, 0, 0, 0]
    catalog = Catalog(store)
    runs = catalog.runs()
    assert len({run.run_id for run in runs}) == len({run.position for run in runs}) == 20
    assert {run.status for run in runs} == {"queued"}
    catalog.close()
