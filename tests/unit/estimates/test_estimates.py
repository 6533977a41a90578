from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from prunepriv.estimates.run import (
    Throughput,
    estimate,
    makespan,
    measure,
    seconds_left,
    sort_of,
    units,
)
from prunepriv.experiment import Experiment, make_experiment
from prunepriv.plan import plan
from prunepriv.store.artifacts import ArtifactStore
from prunepriv.store.catalog import Catalog
from prunepriv.store.step_rows import step_rows
from tests.synthetic_run import write_synthetic_run

SETTINGS = {
    "data": {"name": "checkins", "limit": 400},
    "models": ["pruned"],
    "attacks": {"names": ["conf", "nn"]},
    "shadows": 2,
}
EXPERIMENT = make_experiment(SETTINGS)


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    made = Catalog(tmp_path / "store")
    yield made
    made.close()


def run(catalog: Catalog, experiment: Experiment) -> None:
    """A finished run with made-up artifacts."""
    store = ArtifactStore(catalog.store)
    write_synthetic_run(store, experiment, np.random.default_rng(experiment.seed))
    catalog.submit(experiment)
    catalog.begin(experiment.run_id, "", step_rows(store, experiment))
    catalog.end(experiment.run_id, "done")


def test_nothing_measured_nothing_claimed(catalog: Catalog, tmp_path: Path) -> None:
    throughput = measure(catalog, examples=tmp_path / "no examples")
    assert throughput.seconds(plan(EXPERIMENT).by_name["train"], EXPERIMENT) is None
    assert makespan(plan(EXPERIMENT), {}, workers=2) is None


def test_a_finished_run_costs_nothing_more(catalog: Catalog) -> None:
    run(catalog, EXPERIMENT)
    expected = estimate(EXPERIMENT, catalog, workers=2)
    assert expected.total_seconds == 0.0
    assert expected.cached_steps == len(expected.steps) == len(plan(EXPERIMENT).steps)


def test_the_same_work_again_takes_as_long_as_it_took(catalog: Catalog) -> None:
    run(catalog, EXPERIMENT)
    took = {step.name: step.seconds for step in catalog.steps(EXPERIMENT.run_id)}
    again = make_experiment({**SETTINGS, "seed": 8})
    expected = estimate(again, catalog, workers=1)
    cached = [e.step.name for e in expected.steps if e.cached]
    assert cached == ["data"]
    # kinds of which the run had one step: their estimate is that step's own time
    alone = {"train", "fine_tune:pruned", "signals:pruned", "fit:nn:pruned"}
    for e in expected.steps:
        if e.step.name in alone:
            assert e.seconds == pytest.approx(took[e.step.name])
    total = sum(e.seconds or 0.0 for e in expected.steps if not e.cached)
    assert expected.total_seconds == pytest.approx(total)


@pytest.mark.parametrize(
    ("step", "changes", "factor"),
    [
        ("train", {"training": {"epochs": 100, "fine_tune_epochs": 25}}, 2.0),
        ("train", {"data": {"name": "checkins", "limit": 800}}, 2.0),
        ("train", {"shadows": 5}, 2.0),
        ("fine_tune:pruned", {"training": {"epochs": 50, "fine_tune_epochs": 50}}, 2.0),
        ("fit:nn:pruned", {"shadows": 4}, 2.0),
        ("train", {"pruning": {"sparsity": 0.5}}, 1.0),
    ],
)
def test_work_grows_as_it_should(step: str, changes: dict[str, object], factor: float) -> None:
    changed = make_experiment({**SETTINGS, **changes})
    before = units(plan(EXPERIMENT).by_name[step], EXPERIMENT)
    assert units(plan(changed).by_name[step], changed) == pytest.approx(factor * before)


def test_a_sort_never_seen_is_taken_for_others_of_its_kind() -> None:
    the_plan = plan(EXPERIMENT)
    nn, conf = the_plan.by_name["fit:nn:pruned"], the_plan.by_name["fit:conf:pruned"]
    throughput = Throughput([(sort_of(nn, EXPERIMENT), 2.0), (("fit", "samia", "fast"), 4.0)])
    assert throughput.seconds(nn, EXPERIMENT) == 2.0 * units(nn, EXPERIMENT)
    assert throughput.seconds(conf, EXPERIMENT) == 3.0 * units(conf, EXPERIMENT)
    assert throughput.seconds(the_plan.by_name["train"], EXPERIMENT) is None


def test_the_bundled_examples_stand_in_for_runs_of_one_s_own(
    catalog: Catalog, tmp_path: Path
) -> None:
    folder = tmp_path / "examples" / "one"
    folder.mkdir(parents=True)
    steps = [{"step": step.name, "seconds": 2.0} for step in plan(EXPERIMENT).steps]
    record = {"experiment": EXPERIMENT.model_dump(mode="json"), "steps": steps}
    (folder / "run.json").write_text(json.dumps(record))
    throughput = measure(catalog, examples=folder.parent)
    assert throughput.seconds(plan(EXPERIMENT).by_name["train"], EXPERIMENT) == pytest.approx(2.0)


def test_workers_share_what_can_be_done_side_by_side() -> None:
    experiment = make_experiment({**SETTINGS, "models": ["original", "pruned"]})
    the_plan = plan(experiment)
    seconds: dict[str, float | None] = {step.key: 0.0 for step in the_plan.steps}
    fits = [step.key for step in the_plan.steps if step.kind == "fit"]
    seconds |= dict.fromkeys(fits, 10.0) | {the_plan.key("train"): 5.0}
    assert len(fits) == 4
    assert makespan(the_plan, seconds, workers=1) == 45.0
    assert makespan(the_plan, seconds, workers=2) == 25.0
    assert makespan(the_plan, seconds, workers=8) == 15.0


def test_the_time_left_shrinks_as_steps_get_on(catalog: Catalog) -> None:
    run(catalog, EXPERIMENT)
    throughput = measure(catalog, examples=Path("none"))
    again = make_experiment({**SETTINGS, "seed": 8})
    catalog.submit(again)
    rows = step_rows(ArtifactStore(catalog.store), again)
    catalog.begin(again.run_id, "", rows)
    before = seconds_left(plan(again), catalog.steps(again.run_id), throughput, workers=1)
    train = plan(again).key("train")
    row = {name: value for name, value in rows[0].items() if name in _COLUMNS}
    catalog.update_steps(
        [{**row, "run_id": again.run_id, "key": train, "status": "running", "fraction": 0.5}]
    )
    after = seconds_left(plan(again), catalog.steps(again.run_id), throughput, workers=1)
    assert before is not None
    assert after is not None
    half = (throughput.seconds(plan(again).by_name["train"], again) or 0.0) / 2
    assert before - after == pytest.approx(half)


_COLUMNS = ("status", "fraction", "message", "curve", "started", "seconds", "pid")
