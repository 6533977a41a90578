"""When two recipes are equal, and that they are compared on the same signals only."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from scipy import stats

from benchmarks.recipes import check_signals, compared
from benchmarks.running import stop_engine


def test_the_difference_is_that_of_a_paired_t_test() -> None:
    fast, paper = [78.1, 79.0, 77.4, 78.8, 80.2], [77.9, 79.3, 77.0, 78.1, 80.4]
    difference, _ = compared(fast, paper)
    low, high = stats.ttest_rel(fast, paper).confidence_interval(0.95)
    assert (difference.low, difference.high) == pytest.approx((low, high))
    assert difference.mean == pytest.approx((low + high) / 2)


@pytest.mark.parametrize(
    ("low", "high", "equal"),
    [
        (-0.99, 0.99, True),
        (0.2, 0.9, True),  # clearly better, by less than a point
        (-1.01, 0.5, False),
        (-0.5, 1.01, False),  # a better recipe is not an equal one
        (1.1, 1.3, False),
        (-3.0, 3.0, False),  # too few seeds to say
    ],
)
def test_recipes_are_equal_within_a_point_either_way(low: float, high: float, equal: bool) -> None:
    # two values whose 95 % t-interval, with one degree of freedom, is [low, high]
    half = (high - low) / 2 / stats.t.ppf(0.975, 1)
    middle = (low + high) / 2
    difference, found = compared([70 + middle - half, 70 + middle + half], [70.0, 70.0])
    assert (difference.low, difference.high) == pytest.approx((low, high))
    assert found is equal


def test_one_seed_has_no_interval() -> None:
    with pytest.raises(ValueError, match="two seeds"):
        compared([70.0], [70.0])


def run_of(key: str) -> dict[str, Any]:
    steps = [{"step": "signals:pruned:0", "key": key}, {"step": "fit:nn:pruned", "key": "other"}]
    return {"experiment": {"seed": 3}, "steps": steps}


def test_recipes_are_compared_on_the_same_signals_only() -> None:
    check_signals({"fast": [run_of("a"), run_of("b")], "paper": [run_of("a"), run_of("b")]})
    with pytest.raises(RuntimeError, match="different signals with seed 3"):
        check_signals({"fast": [run_of("a"), run_of("b")], "paper": [run_of("a"), run_of("c")]})


def test_no_engine_is_stopped_where_all_runs_were_in_the_store(tmp_path: Path) -> None:
    stop_engine(tmp_path)
