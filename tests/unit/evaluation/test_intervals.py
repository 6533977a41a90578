"""Over seeds: the t-interval and its p, against scipy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import ttest_1samp

from prunepriv.evaluation import is_clear, mean_and_t_interval, mean_p_value

VALUES = st.lists(st.floats(-1, 1).map(lambda v: round(v, 3)), min_size=2, max_size=8)


@given(VALUES.filter(lambda values: len(set(values)) > 1))
def test_p_and_interval_are_those_of_the_t_test(values: list[float]) -> None:
    result = ttest_1samp(values, 0)
    assert mean_p_value(values) == pytest.approx(result.pvalue, abs=1e-9)
    mean, low, high = mean_and_t_interval(values)
    expected = result.confidence_interval(0.95)
    assert (mean, low, high) == pytest.approx((np.mean(values), *expected), abs=1e-9)


@given(VALUES)
def test_p_is_below_a_twentieth_where_the_interval_excludes_0(values: list[float]) -> None:
    _, low, high = mean_and_t_interval(values)
    p = mean_p_value(values)
    if abs(p - 0.05) > 1e-9:
        assert (p < 0.05) == is_clear((low or 0.0, high or 0.0))


def test_one_seed_decides_nothing() -> None:
    assert mean_p_value([0.5]) == 1.0


def test_equal_values() -> None:
    assert mean_p_value([0.0, 0.0]) == 1.0
    assert mean_p_value([0.25, 0.25]) == 0.0
