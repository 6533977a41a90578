"""Groups that fail in part, or that two runs share; the workers are fake."""

from __future__ import annotations

from typing import Any

import pytest

from prunepriv.engine import service
from prunepriv.engine.service import RESTARTS, Engine
from prunepriv.engine.workers import WorkerDied
from prunepriv.errors import Cancelled, DataError, MissingArtifactError
from prunepriv.experiment import Experiment
from prunepriv.plan import plan
from prunepriv.store.catalog import Catalog
from prunepriv.store.step_logs import add_to_log, log_path, read_log
from tests.unit.engine.fake_workers import FakeWorkers, other, status, steps


@pytest.fixture
def workers(workers: FakeWorkers) -> FakeWorkers:
    """One, so that a family is one group."""
    workers.capacity = 1
    return workers


@pytest.fixture
def fewer(experiment: Experiment) -> Experiment:
    """The same run with one shadow of the two."""
    return other(experiment, shadows=1)


def both_want_the_first(
    engine: Engine, catalog: Catalog, workers: FakeWorkers, *runs: Experiment
) -> None:
    """Until the worker has train:1 and train:2; the first run wants both, the second train:1.

    There is a second worker for a moment: the second run is begun only while one is idle.
    """
    catalog.submit(runs[0])
    workers.do_until(engine, "train:1", "train:2")
    workers.capacity = 2
    engine.turn()
    workers.do("size:pruned")  # which waits for no shadow
    catalog.submit(runs[1])
    engine.turn()
    assert [status(catalog, one) for one in runs] == ["running", "running"]
    workers.capacity = 1
    workers.submitted.clear()


def test_a_failed_group_keeps_the_steps_that_were_done_before(
    engine: Engine, catalog: Catalog, workers: FakeWorkers, experiment: Experiment
) -> None:
    catalog.submit(experiment)
    workers.do_until(engine, "signals:pruned:1", "signals:pruned:2")
    workers.do("signals:pruned:2", DataError("no records"), before=["signals:pruned:1"])
    engine.turn()
    run = catalog.run(experiment.run_id)
    assert (run.status, run.error) == ("failed", "no records")
    told = steps(catalog, experiment)
    assert (told["signals:pruned:1"], told["signals:pruned:2"]) == ("done", "failed")
    workers.submitted.clear()
    catalog.submit(experiment)
    engine.turn()
    assert workers.submitted == [["signals:pruned:2"]]
    workers.do_until(engine)
    assert status(catalog, experiment) == "done"


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (ZeroDivisionError("a mistake"), "failed unexpectedly (ZeroDivisionError: a mistake)"),
        (WorkerDied("ended its worker process 4 times"), "ended its worker process 4 times"),
    ],
    ids=["mistake", "death"],
)
def test_it_is_not_claimed_which_step_of_a_group_failed(
    engine: Engine,
    catalog: Catalog,
    workers: FakeWorkers,
    experiment: Experiment,
    error: Exception,
    sentence: str,
) -> None:
    catalog.submit(experiment)
    workers.do_until(engine, "train:1")
    workers.do("train:1", error)
    engine.turn()
    log = log_path(catalog.store, plan(experiment).key("train:1"))
    told = f"one of the steps train:1 to train:2 {sentence}: see {log}"
    assert catalog.run(experiment.run_id).error == told


def test_the_log_of_a_group_is_that_of_its_first_step_that_was_not_done(
    engine: Engine, catalog: Catalog, workers: FakeWorkers, experiment: Experiment
) -> None:
    catalog.submit(experiment)
    workers.do_until(engine, "train:1")
    first, second = (plan(experiment).key(f"train:{number}") for number in (1, 2))
    add_to_log(catalog.store, first, "printed")
    workers.do("train:1", WorkerDied("ended its worker process 4 times"), before=["train:1"])
    engine.turn()
    assert steps(catalog, experiment)["train:2"] == "failed"
    assert catalog.run(experiment.run_id).error == (
        f"step train:2 ended its worker process 4 times: see {log_path(catalog.store, second)}"
    )
    told = "printed\nIt ended its worker process 4 times.\n"
    assert (read_log(catalog.store, first), read_log(catalog.store, second)) == ("", told)


def test_a_run_outlives_the_failure_of_a_step_that_it_does_not_need(
    engine: Engine,
    catalog: Catalog,
    workers: FakeWorkers,
    experiment: Experiment,
    fewer: Experiment,
) -> None:
    """Which of the two failed is not known: the other run tries its own alone."""
    both_want_the_first(engine, catalog, workers, experiment, fewer)
    workers.do("train:1", DataError("the loss is not finite"))
    engine.turn()
    assert (status(catalog, experiment), status(catalog, fewer)) == ("failed", "running")
    assert workers.submitted == [["train:1"]]
    workers.do_until(engine)
    assert status(catalog, fewer) == "done"


def test_a_run_ends_with_the_failure_of_its_own_step(
    engine: Engine,
    catalog: Catalog,
    workers: FakeWorkers,
    experiment: Experiment,
    fewer: Experiment,
) -> None:
    both_want_the_first(engine, catalog, workers, experiment, fewer)
    for _ in range(2):
        workers.do("train:1", DataError("the loss is not finite"))
        engine.turn()
    run = catalog.run(fewer.run_id)
    assert (run.status, run.error) == ("failed", "the loss is not finite")
    assert workers.submitted == [["train:1"]], "it was tried alone, once"


def test_a_shared_group_goes_on_when_one_run_is_cancelled(
    engine: Engine,
    catalog: Catalog,
    workers: FakeWorkers,
    experiment: Experiment,
    fewer: Experiment,
) -> None:
    both_want_the_first(engine, catalog, workers, experiment, fewer)
    first, second = plan(experiment).key("train:1"), plan(experiment).key("train:2")
    catalog.request_cancel(experiment.run_id)
    engine.turn()
    assert workers.stopped == [second]
    workers.do("train:1")
    workers.do_until(engine)
    assert status(catalog, fewer) == "done"
    assert workers.store.has(second), "it was trained beside the other"
    assert workers.count("train:1") == 0, "never again"
    assert first not in workers.stopped


def test_a_shared_group_stops_when_both_runs_are_cancelled(
    engine: Engine,
    catalog: Catalog,
    workers: FakeWorkers,
    experiment: Experiment,
    fewer: Experiment,
) -> None:
    both_want_the_first(engine, catalog, workers, experiment, fewer)
    for run in (experiment, fewer):
        catalog.request_cancel(run.run_id)
        engine.turn()
    keys = {plan(experiment).key(name) for name in ("train:1", "train:2")}
    assert set(workers.stopped) == keys
    workers.do("train:1", Cancelled("the run was cancelled"))
    engine.turn()
    assert not engine.busy
    assert workers.groups == []


def test_a_group_that_no_worker_has_begun_is_stopped_too(
    engine: Engine, catalog: Catalog, workers: FakeWorkers, experiment: Experiment
) -> None:
    catalog.submit(experiment)
    workers.do_until(engine, "train:1", "train:2")
    catalog.request_cancel(experiment.run_id)
    engine.turn()
    assert sorted(workers.stopped) == sorted(
        plan(experiment).key(name) for name in ("train:1", "train:2")
    )


def test_a_group_that_stops_is_given_out_again_to_a_run_that_came_meanwhile(
    engine: Engine,
    catalog: Catalog,
    workers: FakeWorkers,
    experiment: Experiment,
    fewer: Experiment,
) -> None:
    both_want_the_first(engine, catalog, workers, experiment, fewer)
    catalog.request_cancel(experiment.run_id)
    workers.do("train:1", Cancelled("the run was cancelled"))
    engine.turn()
    assert status(catalog, fewer) == "running"
    assert workers.submitted == [["train:1"]]
    workers.do_until(engine)
    assert status(catalog, fewer) == "done"


def test_a_group_restarts_its_run_once_whatever_its_size(
    engine: Engine, catalog: Catalog, workers: FakeWorkers, experiment: Experiment
) -> None:
    large = other(experiment, shadows=4)
    catalog.submit(large)
    workers.do_until(engine, "train:4")
    assert len(workers.groups[0]) > RESTARTS
    for _ in range(RESTARTS):
        workers.do("train:4", MissingArtifactError("artifact was damaged and set aside"))
        engine.turn()
        assert status(catalog, large) == "running"
    workers.do("train:4", MissingArtifactError("artifact was damaged and set aside"))
    engine.turn()
    run = catalog.run(large.run_id)
    assert (run.status, run.error) == ("failed", "artifact was damaged and set aside")


def test_a_group_of_which_a_step_wrote_nothing_does_that_one_again(
    engine: Engine, catalog: Catalog, workers: FakeWorkers, experiment: Experiment
) -> None:
    catalog.submit(experiment)
    workers.do_until(engine, "signals:pruned:1")
    workers.do("signals:pruned:1", artifact=False, before=["signals:pruned:2"])
    workers.submitted.clear()
    engine.turn()
    assert workers.submitted == [["signals:pruned:1"]]
    workers.do_until(engine)
    assert status(catalog, experiment) == "done"
    assert workers.count("signals:pruned:2") == 0


def test_a_restart_makes_all_again_that_is_lost_before_it_finds_the_run_done(
    engine: Engine,
    catalog: Catalog,
    workers: FakeWorkers,
    experiment: Experiment,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The last step is done by another process at this moment, and an earlier one's artifact lost."""
    workers.capacity = 2
    catalog.submit(experiment)
    workers.do_until(engine, "divergence:pruned")
    while workers.names() != ["divergence:pruned"]:
        workers.do(next(name for name in workers.names() if name != "divergence:pruned"))
        engine.turn()
    last = plan(experiment).key("divergence:pruned")
    lost = workers.store.path(plan(experiment).key("checks"))
    stored_seconds = service.stored_seconds

    def too_early(*asked: Any) -> float | None:
        found = stored_seconds(*asked)
        if asked[1] == last and found is None:
            with workers.store.write(last, {"seconds": 1.0}) as draft:
                draft.json("value", 1)
        return found

    monkeypatch.setattr(service, "stored_seconds", too_early)
    (lost / "checks.json").unlink()
    workers.do("divergence:pruned", artifact=False)
    workers.submitted.clear()
    engine.turn()
    assert status(catalog, experiment) == "running"
    assert workers.submitted == [["checks"]]
    workers.do_until(engine)
    assert status(catalog, experiment) == "done"
