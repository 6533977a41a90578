"""Paired differences, over all records and by class."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest

from prunepriv.evaluation import Draws, by_class, decisions, paired, resample


def sides(
    rng: np.random.Generator, n: int, before: float, after: float, shared: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Membership, and verdicts of two sides that are right together where records are easy."""
    member = np.arange(n) < n // 2
    easy = rng.random(n)
    noise = [shared * easy + (1 - shared) * rng.random(n) for _ in range(2)]
    right = [
        value < np.quantile(value, rate) for value, rate in zip(noise, (before, after), strict=True)
    ]
    return member, np.where(right[0], member, ~member), np.where(right[1], member, ~member)


def difference(member: np.ndarray, before: np.ndarray, after: np.ndarray, seed: int = 0):
    draws = Draws(member, seed)
    scored = {name: (said.astype(float), said) for name, said in (("a", before), ("b", after))}
    drawn = resample(scored, draws)
    return paired(
        decisions(before, member).accuracy,
        decisions(after, member).accuracy,
        drawn["b"]["accuracy"] - drawn["a"]["accuracy"],
    )


def test_against_a_slow_loop(rng: np.random.Generator) -> None:
    member, before, after = sides(rng, 300, 0.6, 0.7, 0.8)
    found = difference(member, before, after)
    gain = (after == member).astype(float) - (before == member)
    values = []
    for _ in range(4000):
        ours = gain[member][rng.integers(0, 150, 150)].mean()
        theirs = gain[~member][rng.integers(0, 150, 150)].mean()
        values.append((ours + theirs) / 2)
    assert found.value == pytest.approx((gain[member].mean() + gain[~member].mean()) / 2)
    np.testing.assert_allclose(found.ci95, np.percentile(values, [2.5, 97.5]), atol=0.008)


def test_what_both_sides_share_cancels_out(rng: np.random.Generator) -> None:
    alone = difference(*sides(rng, 1000, 0.6, 0.62, 0.0))
    together = difference(*sides(rng, 1000, 0.6, 0.62, 0.95))
    assert np.ptp(together.ci95) < 0.7 * np.ptp(alone.ci95)


def test_never_clear_with_the_opposite_sign_of_mcnemars_test() -> None:
    rng = np.random.default_rng(0)
    both = 0
    for seed in range(150):
        member, before, after = sides(rng, 400, 0.6, 0.6 + 0.1 * rng.random(), 0.5)
        found = difference(member, before, after, seed)
        gained = int(((after == member) & (before != member)).sum())
        lost = int(((after != member) & (before == member)).sum())
        exact = binomtest(gained, gained + lost)
        if found.clear and exact.pvalue < 0.05:
            both += 1
            assert np.sign(found.value) == np.sign(gained - lost)
    assert both > 40


def test_equal_sides_differ_by_nothing(rng: np.random.Generator) -> None:
    member, before, _ = sides(rng, 100, 0.6, 0.7, 0.5)
    found = difference(member, before, before)
    assert (found.value, found.ci95, found.clear) == (0.0, (0.0, 0.0), False)


# --- by class ---


def test_a_class_that_changed_is_named_and_no_other() -> None:
    rng = np.random.default_rng(1)
    n, classes = 1200, 12
    label, member = np.arange(n) % classes, rng.random(n) < 0.5
    effect = rng.normal(size=n) * 0.1
    effect[(label == 4) & member] += 0.3
    called = rng.choice([-1.0, 0.0, 1.0], size=n, p=[0.1, 0.8, 0.1])
    found = by_class({"gap": effect, "conf": called}, {"gap": 1.0, "conf": 0.5}, member, label, 0)
    assert [which for which, one in found["gap"].items() if one.clear] == [4]
    assert not any(one.clear for one in found["conf"].values())
    one = found["gap"][4]
    rows = label == 4
    assert one.value == pytest.approx(effect[rows & member].mean() - effect[rows & ~member].mean())
    assert one.ci95[0] < one.value < one.ci95[1]
    half = called[rows & member].mean() - called[rows & ~member].mean()
    assert found["conf"][4].value == pytest.approx(half / 2)


def test_small_classes_are_left_out() -> None:
    label = np.array([0] * 40 + [1] * 15)
    member = np.arange(55) % 2 == 0
    found = by_class({"gap": np.arange(55.0)}, {"gap": 1.0}, member, label, 0)
    assert list(found["gap"]) == [0]


def test_the_word_comes_from_all_classes_together(rng: np.random.Generator) -> None:
    """An interval that excludes 0 is not enough among many classes."""
    n, classes = 3000, 60
    label, member = np.arange(n) % classes, rng.random(n) < 0.5
    found = by_class({"gap": rng.normal(size=n)}, {"gap": 1.0}, member, label, 0)["gap"]
    excluded = [one for one in found.values() if one.ci95[0] > 0 or one.ci95[1] < 0]
    assert len(excluded) >= 1
    assert not any(one.clear for one in found.values())
