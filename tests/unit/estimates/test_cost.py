"""How long runs and sweeps will take; the sums use SECONDS of small_runs.py."""

from __future__ import annotations

import pytest

from prunepriv.estimates.cost import cost_of, step_costs, waits_of, wall_seconds
from prunepriv.estimates.throughput import Throughput
from prunepriv.experiment import Experiment, make_experiment
from prunepriv.options import MODELS
from prunepriv.plan import plan
from prunepriv.store.artifacts import ArtifactStore
from prunepriv.store.catalog import Catalog
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


def cache(catalog: Catalog, experiment: Experiment, *names: str) -> None:
    """Put artifacts of steps into the store."""
    store = ArtifactStore(catalog.store)
    for name in names:
        with store.write(plan(experiment).key(name), {"step": name}) as draft:
            draft.json("value", 1)


def test_a_finished_run_costs_nothing_more(catalog: Catalog) -> None:
    run(catalog, EXPERIMENT)
    expected = cost_of([EXPERIMENT], catalog, workers=2)
    assert expected.seconds == 0.0
    assert expected.cached_steps == expected.steps == len(plan(EXPERIMENT).steps)


def test_the_same_work_again_takes_as_long_as_it_took(catalog: Catalog) -> None:
    run(catalog, EXPERIMENT)
    took = {step.name: step.seconds for step in catalog.steps(EXPERIMENT.run_id)}
    again = make_experiment({**SETTINGS, "seed": 8})
    expected = step_costs([plan(again)], catalog)
    cached = [e.step.name for e in expected if e.cached]
    assert cached == ["data"]
    # kinds of which the run had one step: their estimate is that step's own time
    alone = {"train", "fine_tune:pruned", "signals:pruned", "fit:nn:pruned"}
    for e in expected:
        if e.step.name in alone:
            assert e.seconds == pytest.approx(took[e.step.name])
    total = sum(e.seconds or 0.0 for e in expected if not e.cached)
    assert cost_of([again], catalog, workers=1).seconds == pytest.approx(total)


def test_workers_share_what_can_be_done_side_by_side() -> None:
    experiment = make_experiment({**SETTINGS, "models": ["original", "pruned"]})
    the_plan = plan(experiment)
    seconds: dict[str, float | None] = {step.key: 0.0 for step in the_plan.steps}
    fits = [step.key for step in the_plan.steps if step.kind == "fit"]
    seconds |= dict.fromkeys(fits, 10.0) | {the_plan.key("train:1"): 5.0}
    waits = waits_of(the_plan.steps)
    assert len(fits) == 4
    assert wall_seconds(waits, seconds, workers=1) == 45.0
    assert wall_seconds(waits, seconds, workers=2) == 25.0
    assert wall_seconds(waits, seconds, workers=8) == 15.0


TWO, THREE = STEPS + PRUNED_STEPS, STEPS + 2 * PRUNED_STEPS
"""Steps of two and of three runs that differ in their sparsity."""


@pytest.mark.usefixtures("measured")
class TestSums:
    """Each expected value is worked out by hand."""

    @pytest.mark.parametrize(
        ("experiments", "workers", "steps", "seconds"),
        [
            ([small()], 1, STEPS, 28),  # all its work
            ([small()], 2, STEPS, 24),  # its longest chain: the fit goes beside the training
            (sparsities(0.5, 0.7), 1, TWO, 28 + 15),  # data, split and train once
            (sparsities(0.5, 0.7), 2, TWO, 13 + 13),  # a worker for each run after training
            (sparsities(0.5, 0.6, 0.7), 2, THREE, 13 + 13 + 11),  # then the third's own chain
            (sparsities(0.5, 0.6, 0.7), 8, THREE, 24),
            ([small(seed=1), small(seed=2)], 1, 2 * STEPS - 1, 28 + 26),  # data once
            # a worker for each run after data; the fit of the first goes before the second's steps
            ([small(seed=1), small(seed=2)], 2, 2 * STEPS - 1, 2 + 27),
            ([small(), small()], 1, STEPS, 28),  # the same twice
        ],
        ids=lambda value: str(len(value)) if isinstance(value, list) else None,
    )
    def test_shared_steps_count_once_and_workers_share_the_rest(
        self,
        catalog: Catalog,
        experiments: list[Experiment],
        workers: int,
        steps: int,
        seconds: float,
    ) -> None:
        cost = cost_of(experiments, catalog, workers)
        assert (cost.runs, cost.steps, cost.seconds) == (len(experiments), steps, seconds)

    def test_what_the_store_holds_costs_nothing(self, catalog: Catalog) -> None:
        both = sparsities(0.5, 0.7)
        cache(catalog, both[0], "data", "split:0", "train:0", "fine_tune:pruned:0")
        cost = cost_of(both, catalog, workers=1)
        assert (cost.steps, cost.cached_steps) == (TWO, 4)
        assert cost.seconds == 43 - 2 - 1 - 10 - 6
        assert cost_of(both, catalog, workers=2).seconds == 13, "the second run's own chain"
        assert cost.pruned_models == 2

    def test_what_the_store_holds_waits_for_nothing(self, catalog: Catalog) -> None:
        """Its inputs were deleted: they are made again, beside the steps that read it."""
        cache(catalog, small(), "data", "split:0", "signals:pruned:0")
        again = SECONDS["train"] + SECONDS["fine_tune"]
        assert cost_of([small()], catalog, workers=2).seconds == again + SECONDS["checks"]

    def test_kinds_add_up_to_the_whole(self, catalog: Catalog) -> None:
        both = sparsities(0.5, 0.7)
        cache(catalog, both[0], "data", "fine_tune:pruned:0")
        kinds = cost_of(both, catalog, workers=1).kinds
        told = {kind: (one.steps, one.cached, one.seconds) for kind, one in kinds.items()}
        assert told["data"] == (1, 1, 0)
        assert told["train"] == (3, 0, 10)
        assert told["fine_tune"] == (6, 1, 6)
        assert told["signals"] == (6, 0, 6)

    def test_what_was_never_measured_is_left_out_and_named(
        self, catalog: Catalog, measured: Measured
    ) -> None:
        some = {kind: s for kind, s in SECONDS.items() if kind not in ("train", "fine_tune")}
        measured(Fixed(some))
        both = sparsities(0.5, 0.7)
        cost = cost_of(both, catalog, workers=1)
        assert cost.unmeasured == ("train", "fine_tune")
        assert cost.kinds["fine_tune"].seconds is None
        assert cost.seconds == 43 - 10 - 2 * 6
        assert cost.time_words(1) == (
            "more than 21 s with one worker; "
            "steps of the kind train and fine tune have never been measured here"
        )
        tuned = [f"fine_tune:pruned:{number}" for number in range(3)]
        cache(catalog, both[0], *(f"train:{number}" for number in range(3)), *tuned)
        cache(catalog, both[1], *tuned)
        assert cost_of(both, catalog, workers=1).unmeasured == (), "they are done"

    def test_time_is_told_with_its_reasons(self, catalog: Catalog, measured: Measured) -> None:
        measured(Fixed(dict.fromkeys(SECONDS, 0.0) | {"train": 4 * 3600.0}))
        both = [small(seed=1), small(seed=2)]
        assert cost_of(both, catalog, 2).time_words(2) == (
            "about 4 h with 2 workers, estimated from earlier runs"
        )
        cache(catalog, both[0], *(step.name for step in plan(both[0]).steps))
        alone = cost_of(both[:1], catalog, 2)
        assert alone.time_words(2) == "none, all its steps are in the store"


def test_a_network_that_never_ran_is_judged_by_others(catalog: Catalog, measured: Measured) -> None:
    kinds = [kind for kind in SECONDS if kind not in ("train", "fine_tune", "signals")]
    networks = [("train", "fc"), ("fine_tune", "fc"), ("signals", "fc")]
    known: list[tuple[str, ...]] = [*networks, *((kind,) for kind in kinds)]
    measured(Throughput([(sort, 1.0) for sort in known]))
    pictures = small(data={"name": "shapes", "limit": 400}, model={"name": "cnn"})
    cost = cost_of([small(), pictures], catalog, workers=1)
    assert cost.guessed == (MODELS["cnn"].label,)
    assert "estimated from other networks' steps" in cost.time_words(1)
    assert cost_of([small()], catalog, workers=1).guessed == ()
    kinds_of_models = ("train", "fine_tune:pruned", "signals:pruned")
    cache(catalog, pictures, *(f"{kind}:{n}" for kind in kinds_of_models for n in range(3)))
    assert cost_of([pictures], catalog, workers=1).guessed == (), "nothing is left to guess"


def test_a_run_is_a_sweep_of_one(catalog: Catalog, measured: Measured) -> None:
    first, second = sparsities(0.5, 0.7)
    one = cost_of([first], catalog, workers=1)
    both = cost_of([first, second], catalog, workers=1)
    shared = SECONDS["data"] + SECONDS["split"] + SECONDS["train"]
    assert both.seconds == 2 * one.seconds - shared
