"""Tests for each class, and the rule for all of them."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import false_discovery_control, permutation_test

from prunepriv.evaluation import benjamini_hochberg, can_be_tested, class_p_values


def statistic(ours: np.ndarray, theirs: np.ndarray) -> float:
    spread = ours.var(ddof=1) / len(ours) + theirs.var(ddof=1) / len(theirs)
    difference = ours.mean() - theirs.mean()
    return 0.0 if difference == 0 else abs(difference) / np.sqrt(max(spread, 1e-12))


@pytest.mark.parametrize("kind", ["verdicts", "signals"])
def test_p_values_are_scipys(kind: str, rng: np.random.Generator) -> None:
    member = np.arange(50) < 22
    effects = rng.normal(size=(50, 3)) + np.array([0, 0.4, 0.9]) * member[:, None]
    if kind == "verdicts":
        effects = np.round(effects).clip(-1, 1)
    ours = class_p_values(effects, member, rng)
    for column, p in enumerate(ours):
        one = effects[:, column]
        expected = permutation_test(
            (one[member], one[~member]),
            statistic,
            alternative="greater",
            n_resamples=10_000,
            rng=rng,
        )
        assert p == pytest.approx(expected.pvalue, abs=0.02)


def test_effects_that_are_alike_are_no_change(rng: np.random.Generator) -> None:
    member = np.arange(30) < 15
    effects = np.stack([np.zeros(30), np.ones(30), np.full(30, -0.1)], axis=1)
    np.testing.assert_array_equal(class_p_values(effects, member, rng, 100), 1.0)


def test_effects_that_only_members_have_are_a_change(rng: np.random.Generator) -> None:
    """Neither group varies: T is infinite."""
    member = np.arange(30) < 15
    assert class_p_values(member[:, None].astype(float), member, rng, 999)[0] == 1 / 1000


def test_all_statements_meet_the_same_permutations() -> None:
    member = np.arange(40) < 20
    one = np.random.default_rng(0).normal(size=40)
    p = class_p_values(np.stack([one, 3 * one + 1], axis=1), member, np.random.default_rng(1), 300)
    assert p[0] == p[1]


def test_chunks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    member = np.arange(40) < 20
    effects = np.random.default_rng(0).normal(size=(40, 2))
    whole = class_p_values(effects, member, np.random.default_rng(1), 101)
    monkeypatch.setattr("prunepriv.evaluation.classes._CHUNK", 40 * 10)
    again = class_p_values(effects, member, np.random.default_rng(1), 101)
    np.testing.assert_array_equal(whole, again)


@pytest.mark.parametrize(
    ("members", "others", "expected"), [(10, 10, True), (9, 40, False), (40, 9, False)]
)
def test_small_classes_are_not_tested(members: int, others: int, expected: bool) -> None:
    assert can_be_tested(np.arange(members + others) < members) is expected


def test_benjamini_hochberg_is_scipys(rng: np.random.Generator) -> None:
    for _ in range(50):
        p = rng.random(30) ** rng.integers(1, 5)
        expected = false_discovery_control(p) <= 0.05
        np.testing.assert_array_equal(benjamini_hochberg(p), expected)
    assert benjamini_hochberg([]).tolist() == []


def test_false_names_among_thirty_null_classes_are_few() -> None:
    """At least 4,000 runs are in the benchmark `coverage`; here few, with a wide margin."""
    rng = np.random.default_rng(0)
    named = 0
    for _ in range(60):
        p = []
        for _ in range(30):
            size = int(rng.integers(20, 60))
            effects = rng.choice([-1.0, 0.0, 1.0], size=(size, 1), p=[0.05, 0.85, 0.1])
            p.append(class_p_values(effects, np.arange(size) < size // 2, rng, 200)[0])
        named += benjamini_hochberg(p).any()
    assert named <= 7
