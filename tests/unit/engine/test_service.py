"""The decisions of the engine, with fake workers."""

from __future__ import annotations

import threading

from prunepriv.engine.service import AHEAD, RESTARTS, Engine, WorkerDied
from prunepriv.errors import (
    Cancelled,
    DataError,
    MissingArtifactError,
)
from prunepriv.experiment import Experiment
from prunepriv.plan import plan
from prunepriv.store.catalog import Catalog
from prunepriv.store.step_logs import add_to_log, log_path, read_log
from tests.unit.engine.fake_workers import FakeWorkers, other, status, steps


def test_a_run_from_the_queue_to_its_end(
    engine: Engine, catalog: Catalog, workers: FakeWorkers, experiment: Experiment
) -> None:
    catalog.submit(experiment)
    engine.turn()
    assert status(catalog, experiment) == "running"
    assert engine.busy
    assert workers.submitted == [["data"]], "no other can be done yet"
    workers.do_until(engine)
    assert status(catalog, experiment) == "done"
    assert not engine.busy
    submitted = [name for group in workers.submitted for name in group]
    assert sorted(submitted) == sorted(step.name for step in plan(experiment).steps)


def test_workers_are_given_what_a_page_shows_first_and_share_the_shadows(
    engine: Engine, catalog: Catalog, workers: FakeWorkers, experiment: Experiment
) -> None:
    catalog.submit(other(experiment, shadows=4))
    workers.do_until(engine, "split:0", "split:1")
    assert workers.submitted[1:] == [["split:0"], ["split:1", "split:2", "split:3", "split:4"]]
    workers.do("split:1")
    engine.turn()
    assert workers.submitted[3:] == [["train:1", "train:2"]], "the other two for the other worker"
    workers.do("split:0")
    engine.turn()
    assert workers.submitted[4:] == [["train:0"]]
    workers.do("train:0")
    engine.turn()
    assert workers.submitted[5:] == [["fine_tune:pruned:0"]]


def test_no_more_groups_are_given_out_than_there_are_workers(
    engine: Engine, catalog: Catalog, workers: FakeWorkers, experiment: Experiment
) -> None:
    catalog.submit(experiment)
    most = 0
    engine.turn()
    while workers.groups:
        most = max(most, len(workers.groups))
        workers.do(workers.names()[0])
        engine.turn()
    assert most == workers.capacity == 2
    assert status(catalog, experiment) == "done"


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
    workers.do("data")
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
    workers.do_until(engine)
    assert workers.count("train:0") == workers.count("train:2") == 1
    assert workers.count("fine_tune:pruned:0") == workers.count("fine_tune:pruned:2") == 2
    assert status(catalog, experiment) == status(catalog, second) == "done"


def test_more_shadows_train_only_their_own_models(
    engine: Engine, catalog: Catalog, workers: FakeWorkers, experiment: Experiment
) -> None:
    catalog.submit(other(experiment, shadows=5))
    workers.do_until(engine)
    workers.submitted.clear()
    more = other(experiment, shadows=8)
    catalog.submit(more)
    workers.do_until(engine)
    assert status(catalog, more) == "done"
    trained = [name for group in workers.submitted for name in group if "train" in name]
    assert sorted(trained) == ["train:6", "train:7", "train:8"]


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
    workers.do_until(engine, "checks")
    assert status(catalog, second) == "queued"
    workers.do("checks")
    engine.turn()
    assert (status(catalog, experiment), status(catalog, second)) == ("done", "running")
    assert workers.count("data") == 1, "cached by the first run"


def test_an_earlier_run_goes_first(
    engine: Engine, catalog: Catalog, workers: FakeWorkers, experiment: Experiment
) -> None:
    second = other(experiment, seed=8)
    catalog.submit(experiment)
    catalog.submit(second)
    workers.do_until(engine, "split:0", "split:1")
    assert {step.key for group in workers.groups for step in group} <= set(plan(experiment).by_key)


def test_few_runs_are_begun_at_once(
    engine: Engine, catalog: Catalog, workers: FakeWorkers, experiment: Experiment
) -> None:
    """All of them wait for the data set that one worker is making, and the other has nothing."""
    many = [other(experiment, seed=seed) for seed in range(AHEAD * workers.capacity + 2)]
    for one in many:
        catalog.submit(one)
    engine.turn()
    assert workers.submitted == [["data"]]
    begun = [status(catalog, one) for one in many]
    assert begun == ["running"] * AHEAD * workers.capacity + ["queued"] * 2


def test_a_failure_ends_its_run_alone(
    engine: Engine, catalog: Catalog, workers: FakeWorkers, experiment: Experiment
) -> None:
    second = other(experiment, seed=8)
    catalog.submit(experiment)
    catalog.submit(second)
    workers.do_until(engine, "split:0", "split:1")
    workers.do("split:0", DataError("no records"))
    engine.turn()
    failed = catalog.run(experiment.run_id)
    assert (failed.status, failed.error) == ("failed", "no records")
    assert steps(catalog, experiment)["split:0"] == "failed"
    assert sorted(workers.stopped) == sorted(
        plan(experiment).key(name) for name in ("split:1", "split:2")
    )
    assert status(catalog, second) == "running"
    workers.do_until(engine)
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
    key = plan(experiment).key("data")
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
    key = plan(experiment).key("data")
    second = other(experiment, pruning={"sparsity": 0.3})
    catalog.submit(second)
    engine.turn()
    add_to_log(catalog.store, key, "printed")
    workers.do("data", WorkerDied("ended its worker process 4 times"))
    engine.turn()
    log = log_path(catalog.store, key)
    told = f"step data ended its worker process 4 times: see {log}"
    assert catalog.run(experiment.run_id).error == catalog.run(second.run_id).error == told
    assert log.read_text() == "printed\nIt ended its worker process 4 times.\n"


def test_cancelling_stops_running_steps_and_gives_out_no_more(
    engine: Engine, catalog: Catalog, workers: FakeWorkers, experiment: Experiment
) -> None:
    second = other(experiment, seed=8)
    catalog.submit(experiment)
    workers.do_until(engine, "split:0", "split:1")
    running = [workers.begin("split:0"), workers.begin("split:1"), workers.begin("split:2")]
    engine.turn()
    catalog.submit(second)
    catalog.request_cancel(experiment.run_id)
    engine.turn()
    assert status(catalog, experiment) == "cancelled"
    assert steps(catalog, experiment)["split:0"] == "waiting"
    assert sorted(workers.stopped) == sorted(running)
    for name in ("split:0", "split:1"):
        workers.do(name, Cancelled("the run was cancelled"))
    engine.turn()
    assert status(catalog, second) == "running"
    given = {step.key for group in workers.groups for step in group}
    assert given
    assert given <= set(plan(second).by_key)


def test_a_step_that_another_run_waits_for_continues(
    engine: Engine, catalog: Catalog, workers: FakeWorkers, experiment: Experiment
) -> None:
    second = other(experiment, pruning={"sparsity": 0.5})
    catalog.submit(experiment)
    catalog.submit(second)
    workers.do_until(engine, "train:0")
    train = workers.begin("train:0")
    engine.turn()
    catalog.request_cancel(experiment.run_id)
    engine.turn()
    assert train not in workers.stopped
    assert workers.has(train)
    assert steps(catalog, second)["train:0"] == "running"
    workers.do_until(engine)
    assert status(catalog, second) == "done"
    assert workers.count("train:0") == 1


def test_a_run_submitted_again_while_its_step_stops_is_restarted(
    engine: Engine, catalog: Catalog, workers: FakeWorkers, experiment: Experiment
) -> None:
    catalog.submit(experiment)
    engine.turn()
    data = workers.begin("data")
    engine.turn()
    catalog.request_cancel(experiment.run_id)
    engine.turn()
    assert workers.stopped == [data]
    catalog.submit(experiment)
    engine.turn()
    assert workers.wanted == [data], "perhaps it has not noticed yet"
    workers.do("data", Cancelled("the run was cancelled"))
    engine.turn()
    assert status(catalog, experiment) == "running"
    workers.do_until(engine)
    assert status(catalog, experiment) == "done"


def test_a_damaged_input_is_made_again(
    engine: Engine, catalog: Catalog, workers: FakeWorkers, experiment: Experiment
) -> None:
    catalog.submit(experiment)
    workers.do_until(engine, "train:0")
    split = workers.store.path(plan(experiment).key("split:0"))
    (split / "split.safetensors").write_text("0")
    workers.do("train:0", MissingArtifactError("artifact was damaged and set aside"))
    workers.submitted.clear()
    engine.turn()
    assert ["split:0"] in workers.submitted
    assert steps(catalog, experiment)["train:0"] == "waiting"
    workers.do_until(engine)
    assert status(catalog, experiment) == "done"
    assert workers.count("train:0") == 1


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


def test_it_serves_until_idle_and_beats_meanwhile(engine: Engine) -> None:
    beats: list[None] = []
    engine.serve(threading.Event(), 0.3, lambda: beats.append(None))
    assert beats


def test_it_stops_when_asked(engine: Engine) -> None:
    stop = threading.Event()
    engine.serve(stop, 3600.0, stop.set)
    assert stop.is_set()
