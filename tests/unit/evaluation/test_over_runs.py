"""Differences between runs: seeds decide from three on, records where there is one seed."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import ttest_1samp

from prunepriv.evaluation import over_runs


def test_three_seeds_decide_as_the_t_test_does() -> None:
    for values in ([0.03, 0.05, 0.04], [0.03, -0.05, 0.04], [-0.02, -0.03, -0.025, -0.04]):
        found = over_runs(values)
        test = ttest_1samp(values, 0)
        assert found.value == pytest.approx(np.mean(values))
        assert found.ci95 == pytest.approx(tuple(test.confidence_interval()))
        assert found.clear == (test.pvalue < 0.05)
        assert (found.seeds, found.why) == (len(values), "")


def test_two_seeds_show_an_interval_and_decide_nothing() -> None:
    found = over_runs([0.0300, 0.0301])
    assert found.ci95 is not None
    assert found.ci95[0] > 0
    assert (found.clear, found.why) == (False, "two seeds")


def test_one_seed_is_decided_by_records_that_both_runs_share() -> None:
    drawn = np.linspace(0.01, 0.09, 101)
    found = over_runs([0.05], drawn)
    assert found.clear
    assert found.ci95 == pytest.approx((0.012, 0.088))
    assert not over_runs([0.05], drawn - 0.05).clear
    alone = over_runs([0.05])
    assert (alone.value, alone.ci95, alone.clear, alone.why) == (0.05, None, False, "one seed")


def test_no_seed_is_an_error() -> None:
    with pytest.raises(ValueError, match="at least one"):
        over_runs([])
