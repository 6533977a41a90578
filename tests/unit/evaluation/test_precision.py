"""Precision where members are few."""

from __future__ import annotations

import numpy as np
import pytest

from prunepriv.evaluation import Confusion, precision_at


@pytest.mark.parametrize("prior", [0.01, 0.1, 0.5])
def test_against_a_count(prior: float, rng: np.random.Generator) -> None:
    """Of a million people asked, those accused are counted."""
    counts = Confusion(600, 100, 400, 900)
    asked = 1_000_000
    member = rng.random(asked) < prior
    accused = rng.random(asked) < np.where(member, 0.6, 0.1)
    expected = (member & accused).sum() / accused.sum()
    found = precision_at(prior, counts, rng)
    assert found.value == pytest.approx(expected, abs=0.01)
    low, high = found.ci95
    assert low < found.value < high


def test_without_a_false_positive_the_interval_does_not_shrink(rng: np.random.Generator) -> None:
    found = precision_at(0.01, Confusion(50, 0, 950, 1000), rng)
    assert found.value == 1.0
    assert found.ci95[0] < 0.7


def test_nobody_accused(rng: np.random.Generator) -> None:
    found = precision_at(0.5, Confusion(0, 0, 10, 10), rng)
    assert found.value is None
    assert 0 <= found.ci95[0] < found.ci95[1] <= 1


def test_the_interval_is_that_of_beta_draws() -> None:
    found = precision_at(0.1, Confusion(30, 5, 70, 95), np.random.default_rng(3), 1000)
    rng = np.random.default_rng(3)
    tpr, fpr = rng.beta(30.5, 70.5, 1000), rng.beta(5.5, 95.5, 1000)
    expected = np.percentile(0.1 * tpr / (0.1 * tpr + 0.9 * fpr), [2.5, 97.5])
    np.testing.assert_allclose(found.ci95, expected)
