"""Paired differences that no step has stored: between attacks, and between runs."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import pytest

from prunepriv.evaluation import METRICS, Draws, figure_of
from prunepriv.experiment.sweep import make_sweep
from prunepriv.plan import Target, evaluation_name
from prunepriv.store.artifacts import META
from prunepriv.store.differences import between, lead
from prunepriv.store.result import Result
from prunepriv.store.sweep_table import cells_of, summary, sweep_table
from tests.synthetic_run import FEW, write_synthetic_run

PRUNED = Target("pruned")


def rows(values: dict[int, float], **more: Any) -> pd.DataFrame:
    """A row of a sweep's table for each seed."""
    return pd.DataFrame(
        [
            {"seed": seed, "accuracy": value, "attack": "conf", "key": f"{value}", **more}
            for seed, value in values.items()
        ]
    )


def nothing(key: str, attack: str) -> None:
    raise AssertionError("no resamples are needed")


def resampled(key: str, attack: str) -> np.ndarray:
    assert attack == "conf"
    return float(key) + np.linspace(-0.02, 0.02, 101) * (1 if float(key) < 0.6 else 2)


def test_three_seeds_are_paired_by_seed() -> None:
    before, after = rows({1: 0.5, 2: 0.6, 3: 0.7, 9: 0.1}), rows({3: 0.72, 2: 0.621, 1: 0.522})
    found = between(before, after, nothing)
    assert found is not None
    assert found["difference"] == pytest.approx(0.021)
    assert found["clear"], "the differences agree, though the figures of the seeds do not"
    assert found["seeds"] == 3
    two = between(before, after.head(2), nothing)
    assert two is not None
    assert (two["clear"], two["why"], two["seeds"]) == (False, "two seeds", 2)
    assert between(before.tail(1), after, nothing) is None


def test_one_seed_is_paired_by_its_records() -> None:
    found = between(rows({1: 0.55}), rows({1: 0.65}), resampled)
    assert found is not None
    assert found["difference"] == pytest.approx(0.1)
    # the same draws on both sides: what they share cancels out
    assert found["ci95"] == pytest.approx((0.081, 0.119))
    assert found["clear"]


@pytest.mark.parametrize("give", [lambda key, attack: None, resampled])
def test_one_seed_without_shared_records_decides_nothing(give: Any) -> None:
    data = {} if give is not resampled else {"data.limit": 100}
    found = between(rows({1: 0.55}, **data), rows({1: 0.65}, **{"data.limit": 200}), give)
    assert found is not None
    assert (found["clear"], found["ci95"], found["why"]) == (False, None, "one seed")


def test_by_a_column_both_sides_are_of_the_same_targets() -> None:
    knows = pd.concat([rows({1: 0.7}, row="a"), rows({1: 0.9}, row="b"), rows({1: 0.1}, row="c")])
    errs = pd.concat([rows({1: 0.6}, row="a"), rows({1: 0.5}, row="a"), rows({1: 0.8}, row="b")])
    found = between(knows, errs, resampled, by="row")
    assert found is not None
    assert found["difference"] == pytest.approx(((0.55 - 0.7) + (0.8 - 0.9)) / 2)
    assert between(knows.tail(1), errs, resampled, by="row") is None


@pytest.mark.parametrize("metric", METRICS)
def test_the_lead_of_the_best_attack_is_paired(finished: Result, metric: str) -> None:
    found = lead(finished, PRUNED, metric)
    assert found is not None
    figures = {row["attack"]: figure_of(row, metric) for row in finished.evaluation(PRUNED) or ()}
    first, second = sorted(figures.values(), reverse=True)[:2]
    assert (figures[found["attack"]], figures[found["next"]]) == (first, second)
    assert found["difference"] == pytest.approx(first - second)
    drawn = finished.resampled(PRUNED, metric, [found["attack"], found["next"]])
    assert drawn is not None
    change = drawn[found["attack"]] - drawn[found["next"]]
    assert len(change) == FEW
    assert found["ci95"] == pytest.approx(tuple(np.percentile(change, [2.5, 97.5])))


def test_resamples_that_were_left_out_are_drawn_again(
    finished: Result, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ["conf", "lira"]
    stored = finished.resampled(PRUNED, "accuracy", names)
    assert stored is not None
    folder = finished.store.path(finished.plan.key(evaluation_name(PRUNED)))
    meta = json.loads((folder / META).read_text())
    del meta["files"]["resamples.safetensors"]  # as a bundled example has it
    (folder / META).write_text(json.dumps(meta))
    few = partial(Draws.of_run, resamples=FEW)
    monkeypatch.setattr("prunepriv.store.result.Draws.of_run", few)
    again = finished.resampled(PRUNED, "accuracy", names)
    assert again is not None
    for name in names:
        np.testing.assert_array_equal(again[name], stored[name])


def test_rows_know_their_row_of_the_means(store: Any) -> None:
    base = {
        "data": {"limit": 200},
        "shadows": 2,
        "models": ["pruned"],
        "attacks": {"names": ["conf", "top1_conf"]},
    }
    grid = {"pruning.sparsity": [0.5, 0.9], "seed": [1, 2]}
    sweep = make_sweep({"name": "two by two", "base": base, "grid": grid})
    for experiment in sweep.experiments:
        write_synthetic_run(store, experiment, np.random.default_rng(experiment.seed))
    table = sweep_table(store, sweep)
    means, cells = summary(table, sweep), cells_of(table, sweep)
    for place, mean in means.iterrows():
        ours = table[cells == place]
        assert ours["seed"].tolist() == [1, 2]
        assert ours["accuracy"].mean() == pytest.approx(mean["accuracy"])
        assert (ours["p"] >= 0.05).sum() == mean["guessing"]
    assert len(means) == 4
