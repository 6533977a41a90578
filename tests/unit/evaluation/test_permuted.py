"""The best of several attacks under permuted membership."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import permutation_test

from prunepriv.evaluation import balanced_accuracy, chance, is_guessing, p_value


def test_against_a_slow_loop(rng: np.random.Generator) -> None:
    member = np.arange(60) < 25
    decisions = rng.random((3, 60)) < np.where(member, 0.6, 0.4)
    found = chance(decisions, member, np.random.default_rng(1), 500)
    labels = np.random.default_rng(1).permuted(np.tile(member, (500, 1)), axis=1)
    null = np.array([[balanced_accuracy(d, one) for d in decisions] for one in labels])
    seen = np.array([balanced_accuracy(d, member) for d in decisions])
    assert found.best == pytest.approx(seen.max())
    assert found.null95 == pytest.approx(np.percentile(null.max(axis=1), 95))
    assert found.p == (1 + (null.max(axis=1) >= seen.max() - 1e-9).sum()) / 501
    for attack, value in enumerate(seen):
        reached = (null.max(axis=1) >= value - 1e-9).sum()
        assert found.of_each[attack] == (1 + reached) / 501
        assert found.alone[attack] == (1 + (null[:, attack] >= value - 1e-9).sum()) / 501


def test_one_attack_against_scipys_permutation_test(rng: np.random.Generator) -> None:
    member = np.arange(80) < 40
    decision = rng.random(80) < np.where(member, 0.6, 0.45)
    expected = permutation_test(
        (decision[member].astype(float), decision[~member].astype(float)),
        lambda a, b: a.mean() - b.mean(),
        alternative="greater",
        n_resamples=20_000,
        rng=rng,
    )
    found = chance(decision[None], member, rng, 20_000)
    assert found.p == pytest.approx(expected.pvalue, abs=0.01)
    assert found.p == found.of_each[0] == found.alone[0]


def test_an_attack_that_always_says_the_same_is_guessing(rng: np.random.Generator) -> None:
    member = np.arange(100) < 30
    found = chance(np.ones((1, 100), bool), member, rng, 200)
    assert (found.best, found.null95, found.p) == (0.5, 0.5, 1.0)
    assert is_guessing(found.p)


def test_a_perfect_attack_is_not(rng: np.random.Generator) -> None:
    member = np.arange(100) < 50
    found = chance(np.stack([member, rng.random(100) < 0.5]), member, rng, 999)
    assert found.p == found.of_each[0] == 1 / 1000
    assert not is_guessing(found.p)
    assert found.of_each[1] > found.alone[1] > found.p


def test_chunks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    member = np.arange(50) < 25
    decisions = np.random.default_rng(0).random((2, 50)) < 0.5
    whole = chance(decisions, member, np.random.default_rng(1), 101)
    monkeypatch.setattr("prunepriv.evaluation.permuted._CHUNK", 50 * 10)
    assert chance(decisions, member, np.random.default_rng(1), 101).p == whole.p


@pytest.mark.parametrize(("seen", "p"), [(0.0, 1.0), (2.0, 3 / 5), (9.0, 1 / 5)])
def test_p_counts_draws_at_or_above(seen: float, p: float) -> None:
    assert p_value(np.array([0.0, 1.0, 2.0, 3.0]), seen) == p


def test_the_best_of_twelve_reports_a_leak_in_one_null_run_of_twenty() -> None:
    """At least 4,000 runs are in the benchmark `coverage`; here few, with a wide margin."""
    rng = np.random.default_rng(0)
    member = np.arange(200) < 100
    leaks = 0
    for _ in range(300):
        common = rng.normal(size=200)
        decisions = common + 0.7 * rng.normal(size=(12, 200)) > rng.normal(size=(12, 1)) / 2
        leaks += not is_guessing(chance(decisions, member, rng, 300).p)
    assert 4 <= leaks <= 28
