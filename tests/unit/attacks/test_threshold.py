"""Threshold attacks against hand-computed values and an exhaustive search."""

from __future__ import annotations

import math
from decimal import Decimal, getcontext
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from prunepriv.attacks import FitSettings, PooledShadows, Queries
from prunepriv.attacks.threshold import Conf, Corr, Entr, Mentr, Top1Conf, best_threshold

QUIET = FitSettings()
getcontext().prec = 60


def queries(logits: list[list[float]], label: list[int]) -> Queries:
    z = np.array(logits, dtype=np.float32)
    return Queries(z, np.zeros_like(z), np.array(label))


def from_posteriors(rows: list[list[float]], label: list[int]) -> Queries:
    return queries(np.log(rows).tolist(), label)


def balanced(score: list[int], member: list[bool], threshold: float) -> Fraction:
    said = [value >= threshold for value in score]
    found = sum(s and m for s, m in zip(said, member, strict=True))
    cleared = sum(not s and not m for s, m in zip(said, member, strict=True))
    return Fraction(found, sum(member)) / 2 + Fraction(cleared, len(member) - sum(member)) / 2


@given(
    st.lists(st.tuples(st.integers(-3, 3), st.booleans()), min_size=2, max_size=30).filter(
        lambda rows: 0 < sum(member for _, member in rows) < len(rows)
    )
)
def test_the_threshold_is_the_best_of_all_observed_scores(rows: list[tuple[int, bool]]) -> None:
    score, member = [value for value, _ in rows], [truth for _, truth in rows]
    found = best_threshold(np.array(score, dtype=np.float64), np.array(member))
    assert found in score
    assert balanced(score, member, found) == max(balanced(score, member, t) for t in score)


def test_among_equals_the_lowest_threshold_wins() -> None:
    # the thresholds 1 and 3 have the same balanced accuracy
    score, member = np.array([0.0, 1.0, 2.0, 3.0]), np.array([False, True, False, True])
    assert best_threshold(score, member) == 1.0


def test_a_perfect_score_is_cut_at_its_lowest_member() -> None:
    assert (
        best_threshold(np.array([3.0, 1.0, 2.0, 4.0]), np.array([True, False, False, True])) == 3.0
    )


POSTERIORS = [[0.7, 0.2, 0.1], [0.1, 0.6, 0.3], [0.25, 0.25, 0.5]]


def test_corr_is_correctness() -> None:
    seen = from_posteriors(POSTERIORS, [0, 2, 2])
    assert Corr().score({}, seen).tolist() == [1, 0, 1]
    fitted = Corr().fit(PooledShadows(seen, np.array([False, True, True])), QUIET)
    assert Corr().decide(fitted, seen, Corr().score(fitted, seen)).tolist() == [True, False, True]


def test_conf_is_the_true_labels_posterior() -> None:
    score = Conf().score({}, from_posteriors(POSTERIORS, [0, 2, 1]))
    assert score.tolist() == pytest.approx([0.7, 0.3, 0.25], rel=1e-6)


def test_top1_conf_is_the_largest_posterior() -> None:
    score = Top1Conf().score({}, from_posteriors(POSTERIORS, [2, 2, 2]))
    assert score.tolist() == pytest.approx([0.7, 0.6, 0.5], rel=1e-6)


def test_entr_is_negative_entropy() -> None:
    score = Entr().score({}, from_posteriors(POSTERIORS, [0, 0, 0]))
    expected = [sum(p * math.log(p) for p in row) for row in POSTERIORS]
    assert score.tolist() == pytest.approx(expected, rel=1e-6)
    assert Entr().score({}, queries([[0.0] * 4], [0])).tolist() == pytest.approx([-math.log(4)])
    assert Entr().score({}, queries([[2000.0, 0.0]], [1])).tolist() == [0.0]


def test_mentr_by_hand() -> None:
    # y = 0, p = (0.7, 0.2, 0.1): 0.3 log 0.7 + 0.2 log 0.8 + 0.1 log 0.9
    right = 0.3 * math.log(0.7) + 0.2 * math.log(0.8) + 0.1 * math.log(0.9)
    # y = 2: 0.9 log 0.1 + 0.7 log 0.3 + 0.2 log 0.8
    wrong = 0.9 * math.log(0.1) + 0.7 * math.log(0.3) + 0.2 * math.log(0.8)
    score = Mentr().score({}, from_posteriors([POSTERIORS[0]] * 2, [0, 2]))
    assert score.tolist() == pytest.approx([right, wrong], rel=1e-6)


def mentr_in_60_digits(logits: list[float], label: int) -> float:
    raised = [Decimal(z).exp() for z in logits]
    p = [value / sum(raised) for value in raised]
    rest = [sum(raised[:k] + raised[k + 1 :]) / sum(raised) for k in range(len(p))]
    others = sum(p[k] * rest[k].ln() for k in range(len(p)) if k != label)
    return float(rest[label] * p[label].ln() + others)


@pytest.mark.parametrize("label", [0, 1, 2])
@pytest.mark.parametrize(
    "logits",
    [
        [0.0, 0.0, 0.0],
        [0.5, 0.5, -20.0],
        [20.0, 0.0, -3.0],
        [45.0, 0.0, 1.5],
        [90.0, 0.0, -60.0],
        [300.0, -300.0, 5.0],
    ],
)
def test_mentr_keeps_its_digits(logits: list[float], label: int) -> None:
    score = Mentr().score({}, queries([logits], [label]))
    assert float(score[0]) == pytest.approx(mentr_in_60_digits(logits, label), rel=1e-9)


def test_mentr_separates_right_from_wrong_at_any_confidence() -> None:
    score = Mentr().score(
        {}, queries([[5000.0, 0, 0]] * 2 + [[40.0, 0, 0], [30.0, 0, 0]], [0, 1, 0, 0])
    )
    assert np.isfinite(score).all()
    assert score[0] == pytest.approx(0, abs=1e-300)
    assert score[1] < -1000
    assert score[3] < score[2] < score[0], "more confident and right is more of a member"


@pytest.mark.parametrize("attack", [Conf(), Entr(), Mentr()])
def test_each_class_has_a_threshold_of_its_own(attack: Conf) -> None:
    rng = np.random.default_rng(1)
    label = rng.integers(0, 3, 300)
    member = rng.random(300) < 0.5
    logits = rng.normal(0, 1, (300, 3)).astype(np.float32)
    logits[np.arange(300), label] += 2 * label + 2 * member
    seen = Queries(logits, np.zeros_like(logits), label)
    fitted = attack.fit(PooledShadows(seen, member), QUIET)
    score = attack.statistic(seen)
    assert fitted["thresholds"].shape == (3,)
    for k in range(3):
        of_class = label == k
        assert fitted["thresholds"][k] == best_threshold(score[of_class], member[of_class])
    said = attack.decide(fitted, seen, score)
    assert said.tolist() == [
        s >= fitted["thresholds"][y] for s, y in zip(score, label, strict=True)
    ]


@pytest.mark.parametrize("lone", [True, False])
def test_a_class_without_both_groups_has_the_overall_threshold(lone: bool) -> None:
    p = [[0.9, 0.05, 0.05], [0.8, 0.1, 0.1], [0.6, 0.2, 0.2], [0.3, 0.6, 0.1], [0.1, 0.2, 0.7]]
    seen = from_posteriors(p, [0, 0, 0, 1, 1])
    member = np.array([True, False, False, lone, lone])
    fitted = Conf().fit(PooledShadows(seen, member), QUIET)
    overall = best_threshold(Conf().statistic(seen), member)
    assert fitted["thresholds"][0] == pytest.approx(0.9, rel=1e-6)
    assert fitted["thresholds"][1] == overall, "members only, or non-members only"
    assert fitted["thresholds"][2] == overall, "no record at all"


def test_top1_conf_has_one_threshold_for_all() -> None:
    seen = from_posteriors(POSTERIORS, [0, 1, 2])
    fitted = Top1Conf().fit(PooledShadows(seen, np.array([True, False, False])), QUIET)
    assert fitted["thresholds"].tolist() == pytest.approx([0.7], rel=1e-6)
