"""Marks for each seed, the mean and its interval; and the sentence about them."""

from __future__ import annotations

from typing import Any

import pytest

from prunepriv.figures import findings
from prunepriv.figures.palette import LIGHT
from prunepriv.figures.seeds import seed_dots, seed_table


def row(mean: float, half: float | None, clear: bool, **more: Any) -> dict[str, Any]:
    ci95 = None if half is None else [mean - half, mean + half]
    given = {"attack": "lira", "from_attack": "lira", "to_attack": "lira", "seeds": 3}
    differences = [mean - 0.01, mean, mean + 0.01]
    return {**given, "mean": mean, "ci95": ci95, "clear": clear, "differences": differences, **more}


CHOSEN = row(0.03, 0.02, True, attack="chosen", to_attack="samia")
ROWS = {"Retraining": CHOSEN, "Removing weights": row(-0.01, 0.02, False)}


def test_every_seed_has_a_mark_and_this_runs_is_filled() -> None:
    figure, table = seed_dots(ROWS, (5, 7, 9), 7, "change", LIGHT)
    marks = {trace.name: trace for trace in figure.data}
    assert list(marks["this run"].x) == [0.03, -0.01]
    assert marks["this run"].marker.symbol == "circle"
    others = [trace for trace in figure.data if trace.name == "another seed"]
    assert [trace.marker.symbol for trace in others] == ["circle-open"] * 2
    assert [trace.showlegend for trace in others] == [True, False]
    assert list(table["seed 9"]) == pytest.approx([0.04, 0.0])


def test_only_clear_means_are_filled() -> None:
    figure, _ = seed_dots(ROWS, (5, 7, 9), 7, "change", LIGHT)
    marks = {trace.name: trace for trace in figure.data}
    assert marks["mean, clear"].marker.symbol == "diamond"
    assert marks["mean, undecided"].marker.symbol == "diamond-open"
    assert list(marks["mean, clear"].error_x.array) == pytest.approx([0.02])


def test_the_axis_holds_every_mark_and_interval() -> None:
    wide = {"a": row(0.2, 0.5, False)}
    figure, _ = seed_dots(wide, (1, 2, 3), 1, "change", LIGHT)
    low, high = figure.layout.xaxis.range
    assert low < -0.3 < 0.7 < high


def test_without_an_interval_there_are_no_bars() -> None:
    alone = {"a": row(0.2, None, False)}
    table = seed_table(alone, (1, 2, 3))
    assert table[["low", "high"]].isna().all(axis=None)
    figure, _ = seed_dots(alone, (1, 2, 3), 1, "change", LIGHT)
    assert all(trace.error_x.array is None for trace in figure.data)


def test_few_differences_are_told_one_by_one() -> None:
    assert findings.over_seeds(ROWS) == (
        "Mean over 3 seeds: Retraining (LiRA, then SAMIA) +3.0 points (+1.0 to +5.0, clear); "
        "Removing weights (LiRA) \N{MINUS SIGN}1.0 points (\N{MINUS SIGN}3.0 to +1.0, undecided)."
    )


def test_gaps_are_no_points_and_have_no_attack() -> None:
    gap = row(0.03, 0.02, True, attack=None, from_attack=None, to_attack=None)
    assert findings.over_seeds({"Retraining": gap}, fractions=False) == (
        "Mean over 3 seeds: Retraining +0.030 (+0.010 to +0.050, clear)."
    )


def test_of_many_differences_the_clear_ones_are_named() -> None:
    many = {f"Class {n}": row(0.03 * (n < 2), 0.02, n < 2) for n in range(6)}
    assert findings.over_seeds(many) == (
        "Mean over 3 seeds: clear for 2 of 6 (Class 0 +3.0 points and Class 1 +3.0 points); the "
        "other 4 are undecided."
    )
    none = {name: {**one, "clear": False} for name, one in many.items()}
    assert findings.over_seeds(none) == "Mean over 3 seeds: all 6 differences are undecided."


def test_two_seeds_say_that_they_do_not_decide() -> None:
    two = {"Retraining": {**CHOSEN, "clear": False, "seeds": 2}}
    assert findings.over_seeds(two).endswith("undecided). Three seeds or more decide.")
