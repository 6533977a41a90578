"""How much of runs and sweeps is done; the sums use SECONDS of small_runs.py."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from prunepriv.estimates.progress import Watch, share_done
from prunepriv.estimates.throughput import measure
from prunepriv.experiment import Experiment, make_experiment
from prunepriv.plan import plan
from prunepriv.store.artifacts import ArtifactStore
from prunepriv.store.catalog import Catalog
from prunepriv.store.locks import claim
from prunepriv.store.step_rows import step_rows
from tests.unit.estimates.small_runs import (
    EXPERIMENT,
    PRUNED_STEPS,
    SECONDS,
    SETTINGS,
    STEPS,
    Fixed,
    Measured,
    run,
    small,
    sparsities,
)

OWNER = "some.lock"
SHARED = ("data", *(f"{kind}:{number}" for kind in ("split", "train") for number in range(3)))
"""Steps that runs of different sparsity share."""

Begin = Callable[..., None]


@pytest.fixture
def begin(catalog: Catalog) -> Iterator[Begin]:
    """Starts a run: ``begin(experiment, "data", "split:0", train__0=0.5)`` is two steps done, one at work."""
    held = claim(catalog.store / OWNER)
    assert held is not None

    def begin_(experiment: Experiment, *done: str, **at_work: float) -> None:
        catalog.submit(experiment)
        catalog.begin(experiment.run_id, OWNER, step_rows(ArtifactStore(catalog.store), experiment))
        for name in done:
            set_step(catalog, experiment, name, "done", 1.0)
        for name, fraction in at_work.items():
            set_step(catalog, experiment, name.replace("__", ":"), "running", fraction)

    yield begin_
    held.release()


def set_step(
    catalog: Catalog, experiment: Experiment, name: str, status: str, fraction: float
) -> None:
    row = {"status": status, "fraction": fraction, "message": "epoch 3", "curve": "[]"}
    ids = {"run_id": experiment.run_id, "key": plan(experiment).key(name)}
    catalog.update_steps([{**row, **ids, "started": None, "seconds": None, "pid": None}])


@pytest.mark.parametrize(
    ("seconds", "fractions", "share"),
    [
        ({"a": 30, "b": 10}, {}, 0.0),
        ({"a": 30, "b": 10}, {"b": 1.0}, 0.25),
        ({"a": 30, "b": 10}, {"a": 0.5, "b": 1.0}, 0.625),
        ({"a": 30, "b": None}, {"a": 0.5, "b": 1.0}, 0.75),
        ({"a": None, "b": None, "c": None}, {"a": 1.0}, 1 / 3),
        ({"a": 0, "b": 0}, {"a": 1.0}, 0.5),
        ({"a": 30, "b": 10}, {"a": 1.0, "b": 1.0}, 1.0),
        ({"a": 30, "b": 10}, {"c": 1.0}, 0.0),
        ({}, {}, 1.0),
    ],
)
def test_the_share_done_goes_by_seconds_or_else_by_steps(
    seconds: dict[str, float | None], fractions: dict[str, float], share: float
) -> None:
    assert share_done(seconds, fractions) == share


def test_a_run_that_waits(catalog: Catalog, measured: Measured) -> None:
    first, second = sparsities(0.5, 0.7)
    catalog.submit(first)
    catalog.submit(second)
    standing = Watch([second], catalog, workers=1).look()
    assert (standing.active, standing.ended, standing.steps_done) == (1, 0, 0)
    assert (standing.fraction, standing.seconds_left) == (0.0, 28)
    assert standing.queue_position == 2
    assert standing.words == "waits, number 2 in the queue"
    assert standing.time_left == "", "it is unknown when it begins"
    both = Watch([second, first], catalog, workers=1).look()
    assert both.queue_position == 1, "that of the run that is next"


def test_a_run_at_work(catalog: Catalog, measured: Measured, begin: Begin) -> None:
    experiment = small()
    begin(experiment, "data", "split:0", train__0=0.5)
    standing = Watch([experiment], catalog, workers=1).look()
    assert (standing.steps, standing.steps_done, standing.cached) == (STEPS, 2, 0)
    assert standing.fraction == (2 + 1 + 5) / 28
    assert standing.seconds_left == 28 - (2 + 1 + 5)
    assert standing.time_left == "about 20 s left"
    assert standing.words == "train: epoch 3"
    with_two = Watch([experiment], catalog, workers=2).look()
    assert with_two.seconds_left == 16, "the rest of training, then the chain after it"


def test_several_steps_at_work_are_named(
    catalog: Catalog, measured: Measured, begin: Begin
) -> None:
    experiment = small(attacks={"names": ["conf", "corr", "entr"]})
    fits = [step.name for step in plan(experiment).steps if step.kind == "fit"]
    before = [*SHARED, "fine_tune:pruned:0", "signals:pruned:0"]
    at_work = {name.replace(":", "__"): 0.5 for name in fits}
    begin(experiment, *before, **at_work)
    standing = Watch([experiment], catalog, workers=4).look()
    assert standing.words == f"{fits[0]}, {fits[1]} and 1 more"
    assert [step.name for step in standing.at_work] == fits


def test_a_sweep_at_work(catalog: Catalog, measured: Measured, begin: Begin) -> None:
    first, second = sparsities(0.5, 0.7)
    begin(first)
    catalog.end(first.run_id, "done")
    begin(second, *SHARED, fine_tune__pruned__0=0.5)
    standing = Watch([first, second], catalog, workers=1).look()
    assert (standing.runs, standing.done, standing.active) == (2, 1, 1)
    assert (standing.steps, standing.steps_done) == (STEPS + PRUNED_STEPS, STEPS)
    assert standing.cached is None
    assert standing.fraction == (28 + 3) / 43
    assert standing.seconds_left == 43 - (28 + 3)
    assert (
        standing.words == standing.counts == f"1 of 2 runs, {STEPS} of {STEPS + PRUNED_STEPS} steps"
    )
    with_two = Watch([first, second], catalog, workers=2).look()
    assert with_two.seconds_left == 3 + 3 + 1 + 1, "its longest chain is more than half of 12"


def test_a_step_that_two_runs_are_at_counts_once(
    catalog: Catalog, measured: Measured, begin: Begin
) -> None:
    both = sparsities(0.5, 0.7)
    for experiment in both:
        begin(experiment, "data", "split:0", train__0=0.5)
    standing = Watch(both, catalog, workers=1).look()
    assert standing.steps_done == 2
    assert standing.fraction == (2 + 1 + 5) / 43
    assert standing.seconds_left == 43 - (2 + 1 + 5)
    assert len(standing.at_work) == 1


def test_what_failed_and_was_cancelled_is_not_waited_for(
    catalog: Catalog, measured: Measured, begin: Begin
) -> None:
    failed, cancelled, going_on = sparsities(0.5, 0.6, 0.7)
    begin(failed, *SHARED, fine_tune__pruned__0=0.5)
    catalog.end(failed.run_id, "failed", "the disk is full")
    catalog.submit(cancelled)
    catalog.request_cancel(cancelled.run_id)
    begin(going_on, *SHARED)
    watch = Watch([failed, cancelled, going_on], catalog, workers=1)
    standing = watch.look()
    assert standing.failures == ((failed.run_id, "the disk is full"),)
    assert (standing.cancelled, standing.active, standing.ended) == (1, 1, 2)
    assert standing.fraction == 13 / (28 + 15 + 15)
    assert standing.seconds_left == 15, "of the third alone"
    begin(failed, *SHARED, "fine_tune:pruned:0")
    again = watch.look()
    assert (again.failures, again.active) == ((), 2)
    assert again.fraction == (13 + 6) / 58
    assert again.seconds_left == 9 + 15


def test_a_run_whose_engine_has_ended_is_still_to_be_done(
    catalog: Catalog, measured: Measured
) -> None:
    experiment = small()
    catalog.submit(experiment)
    catalog.begin(
        experiment.run_id, "nobody.lock", step_rows(ArtifactStore(catalog.store), experiment)
    )
    set_step(catalog, experiment, "data", "running", 0.5)
    standing = Watch([experiment], catalog, workers=1).look()
    assert standing.interrupted == (experiment.run_id,)
    assert (standing.active, standing.ended) == (0, 0)
    assert standing.at_work == ()
    assert (standing.fraction, standing.seconds_left) == (0.0, 28)


def test_a_run_that_was_never_submitted(catalog: Catalog, measured: Measured) -> None:
    standing = Watch([small()], catalog, workers=1).look()
    assert (standing.runs, standing.active, standing.ended) == (1, 0, 0)
    assert standing.words == ""


def test_the_time_cannot_be_told_while_a_kind_is_unmeasured(
    catalog: Catalog, measured: Measured, begin: Begin
) -> None:
    measured(Fixed({kind: s for kind, s in SECONDS.items() if kind != "train"}))
    experiment = small()
    begin(experiment, "data", "split:0", train__0=0.5)
    standing = Watch([experiment], catalog, workers=1).look()
    assert standing.seconds_left is None
    assert standing.time_left == ""
    assert standing.fraction == 2.5 / STEPS, "by steps"
    begin_again = Watch([experiment], catalog, workers=1)
    for number in range(3):
        set_step(catalog, experiment, f"train:{number}", "done", 1.0)
    assert begin_again.look().seconds_left == 15, "the unknown part is done"


def test_a_finished_run_tells_what_was_cached(catalog: Catalog, measured: Measured) -> None:
    experiment = small()
    run(catalog, experiment)
    standing = Watch([experiment], catalog, workers=1).look()
    assert (standing.done, standing.steps_done, standing.cached) == (1, STEPS, STEPS)
    assert (standing.fraction, standing.seconds_left) == (1.0, 0.0)


def test_the_time_left_shrinks_as_steps_get_on(catalog: Catalog, begin: Begin) -> None:
    run(catalog, EXPERIMENT)
    throughput = measure(catalog, examples=Path("none"))
    again = make_experiment({**SETTINGS, "seed": 8})
    begin(again)
    watch = Watch([again], catalog, workers=1)
    before = watch.look().seconds_left
    set_step(catalog, again, "train:0", "running", 0.5)
    after = watch.look().seconds_left
    assert before is not None
    assert after is not None
    half = (throughput.seconds(plan(again).by_name["train:0"], again) or 0.0) / 2
    assert before - after == pytest.approx(half)


def test_time_left_in_words(catalog: Catalog, measured: Measured) -> None:
    standing = replace(Watch([small()], catalog, workers=1).look(), seconds_left=4 * 3600.0)
    assert standing.time_left == "about 4 h left"
    assert replace(standing, seconds_left=200.4).time_left == "about 3 min 20 s left"


def test_what_active_runs_were_told_of_the_workers_is_passed_on(
    catalog: Catalog, begin: Begin
) -> None:
    watch = Watch([EXPERIMENT], catalog, 1)
    begin(EXPERIMENT)
    assert watch.look().notice == ""
    catalog.tell(OWNER, "the scheduler is lost")
    assert watch.look().notice == "the scheduler is lost"
    catalog.end(EXPERIMENT.run_id, "failed", "a sentence")
    assert watch.look().notice == "", "that is a failure"
