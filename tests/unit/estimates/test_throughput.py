"""How long steps took, and how long similar ones will take."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from prunepriv.attacks.neural import FAST
from prunepriv.attacks.samia import fast_recipe
from prunepriv.environment import EXAMPLES
from prunepriv.estimates.cost import waits_of, wall_seconds
from prunepriv.estimates.throughput import (
    BRIEF,
    Throughput,
    fit_units,
    measure,
    rates_of_example,
    sort_of,
    units,
)
from prunepriv.experiment import make_experiment
from prunepriv.options import ATTACKS
from prunepriv.plan import plan
from prunepriv.store.catalog import Catalog
from tests.unit.estimates.small_runs import EXPERIMENT, SETTINGS


def test_nothing_measured_nothing_claimed(catalog: Catalog, tmp_path: Path) -> None:
    throughput = measure(catalog, examples=tmp_path / "no examples")
    assert throughput.seconds(plan(EXPERIMENT).by_name["train:0"], EXPERIMENT) is None
    assert wall_seconds(waits_of(plan(EXPERIMENT).steps), {}, workers=2) is None


def test_a_kind_that_takes_no_time_leaves_no_estimate_open(catalog: Catalog) -> None:
    """The steps of a store, or of the examples, of before lack it."""
    size = plan(EXPERIMENT).by_name["size:pruned"]
    unmeasured = Throughput([])
    assert unmeasured.seconds(size, EXPERIMENT) == BRIEF["size"]
    measured = Throughput([(sort_of(size, EXPERIMENT), 3.0)])
    assert measured.seconds(size, EXPERIMENT) == 3.0 * units(size, EXPERIMENT)


@pytest.mark.parametrize(
    ("step", "changes", "factor"),
    [
        ("train:0", {"training": {"epochs": 100, "fine_tune_epochs": 25}}, 2.0),
        ("train:0", {"data": {"name": "checkins", "limit": 800}}, 2.0),
        ("train:0", {"shadows": 5}, 1.0),
        ("fine_tune:pruned:2", {"training": {"epochs": 50, "fine_tune_epochs": 50}}, 2.0),
        ("fit:nn:pruned", {"shadows": 4}, 2.0),
        ("train:0", {"pruning": {"sparsity": 0.5}}, 1.0),
        ("signals:pruned:0", {"attacks": {"names": ["samia"]}}, 1.0),
        ("signals:pruned:2", {"attacks": {"names": ["samia"]}}, 11.0),
    ],
)
def test_work_grows_as_it_should(step: str, changes: dict[str, object], factor: float) -> None:
    changed = make_experiment({**SETTINGS, **changes})
    before = units(plan(EXPERIMENT).by_name[step], EXPERIMENT)
    assert units(plan(changed).by_name[step], changed) == pytest.approx(factor * before)


@pytest.mark.parametrize(
    ("attack", "before", "after", "factor"),
    [
        ("nn", (5000, 30), (10_000, 30), 2.0),
        ("nn", (5000, 10), (5000, 30), 350 / 330),
        ("top3_nn", (5000, 10), (5000, 30), 1.0),
        ("cls_nn", (5000, 10), (5000, 100), 520 / 340),
        ("nn", (100_000, 30), (400_000, 30), 1.0),
        ("samia", (5000, 10), (10_000, 10), 2.0),
        ("samia", (5000, 10), (5000, 30), 2.0),
        ("samia", (10_000, 100), (440_000, 100), 1.0),
        ("conf", (5000, 10), (5000, 30), 3.0),
    ],
)
def test_the_work_of_a_fit(
    attack: str, before: tuple[int, int], after: tuple[int, int], factor: float
) -> None:
    assert fit_units(attack, *after) == pytest.approx(factor * fit_units(attack, *before))


@pytest.mark.parametrize("classes", [10, 100])
def test_a_fit_is_no_more_work_with_more_records_than_it_uses(classes: int) -> None:
    for attack, most in (("nn", FAST.most), ("samia", fast_recipe(classes).most)):
        full = fit_units(attack, most, classes)
        assert fit_units(attack, 4 * most, classes) == pytest.approx(full)
        assert fit_units(attack, most / 2, classes) == pytest.approx(full / 2)


def test_every_attack_network_has_its_own_work() -> None:
    networks = [name for name, option in ATTACKS.items() if option.kind == "network"]
    assert len({fit_units(name, 5000, 30) for name in (*networks, "conf")}) == len(networks) + 1


def test_the_examples_rates_of_attack_networks_agree() -> None:
    """Measured on data sets of 10 and of 30 classes: a unit takes about as long on each."""
    for attack in ("nn", "top3_nn", "cls_nn", "samia"):
        sort = ("fit", attack, "fast")
        rates = [
            rate
            for file in sorted(EXAMPLES.glob("*/run.json"))
            for found, rate in rates_of_example(file)
            if found == sort
        ]
        assert len(rates) > 3
        assert max(rates) < 2.5 * min(rates), attack


def test_an_unknown_sort_is_estimated_from_its_kind() -> None:
    the_plan = plan(EXPERIMENT)
    nn, conf = the_plan.by_name["fit:nn:pruned"], the_plan.by_name["fit:conf:pruned"]
    throughput = Throughput([(sort_of(nn, EXPERIMENT), 2.0), (("fit", "samia", "fast"), 4.0)])
    assert throughput.seconds(nn, EXPERIMENT) == 2.0 * units(nn, EXPERIMENT)
    assert throughput.seconds(conf, EXPERIMENT) == 3.0 * units(conf, EXPERIMENT)
    assert throughput.seconds(the_plan.by_name["train:0"], EXPERIMENT) is None


def test_the_bundled_examples_replace_missing_runs(catalog: Catalog, tmp_path: Path) -> None:
    folder = tmp_path / "examples" / "one"
    folder.mkdir(parents=True)
    steps = [{"step": step.name, "seconds": 2.0} for step in plan(EXPERIMENT).steps]
    record = {"experiment": EXPERIMENT.model_dump(mode="json"), "steps": steps}
    (folder / "run.json").write_text(json.dumps(record))
    throughput = measure(catalog, examples=folder.parent)
    assert throughput.seconds(plan(EXPERIMENT).by_name["train:0"], EXPERIMENT) == pytest.approx(2.0)
