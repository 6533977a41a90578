"""Evaluation against scikit-learn, brute force and a bootstrap that draws records."""

from __future__ import annotations

import json
from collections.abc import Iterable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import balanced_accuracy_score, precision_score, roc_auc_score
from sklearn.metrics import roc_curve as sklearn_roc_curve

from prunepriv.evaluation import (
    Confusion,
    Draws,
    ScoreCurve,
    balanced_accuracy,
    confusion,
    decisions,
    evaluate,
    mean_and_t_interval,
    roc_curve,
    tpr_at_fpr,
)

MEMBER = np.arange(400) < 200


def labeled(scores: Iterable[tuple[float, bool]]) -> tuple[np.ndarray, np.ndarray]:
    score, member = zip(*scores, strict=True)
    return np.array(score, dtype=np.float64), np.array(member)


# few distinct values, so that ties are common; both groups present
scored = (
    st.lists(st.tuples(st.integers(-4, 4).map(float), st.booleans()), min_size=2, max_size=60)
    .filter(lambda pairs: len({member for _, member in pairs}) == 2)
    .map(labeled)
)


def gaussian_scores(n: int, shift: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    member = np.arange(n) % 2 == 0
    return np.random.default_rng(seed).normal(size=n) + shift * member, member


# --- the perfect and the random attack ---


def test_perfect_attack(rng: np.random.Generator) -> None:
    score = MEMBER.astype(np.float64)
    result = evaluate(score, MEMBER, Draws(MEMBER, 0))
    assert (result.accuracy, result.auc, result.advantage, result.precision) == (1, 1, 1, 1)
    assert result.tpr_at_fpr == {"0.01": 1, "0.001": 1}
    assert result.false_positives_at_fpr == {"0.01": 0, "0.001": 0}
    assert result.accuracy_ci95 == result.auc_ci95 == (1, 1)


def test_random_attack(rng: np.random.Generator) -> None:
    n = 20_000
    member, score = np.arange(n) < n // 2, rng.random(n)
    result = evaluate(score, score > 0.5, Draws(member, 0))
    assert result.accuracy == pytest.approx(0.5, abs=0.012)
    assert result.auc == pytest.approx(0.5, abs=0.012)
    assert result.tpr_at_fpr["0.01"] == pytest.approx(0.01, abs=0.005)
    assert result.accuracy_ci95[0] < 0.5 < result.accuracy_ci95[1]
    assert result.auc_ci95[0] < 0.5 < result.auc_ci95[1]


def test_inverted_attack(rng: np.random.Generator) -> None:
    result = evaluate(-MEMBER.astype(np.float64), ~MEMBER, Draws(MEMBER, 0))
    assert (result.accuracy, result.auc, result.advantage, result.precision) == (0, 0, -1, 0)


# --- ROC and AUC ---


@given(scored)
def test_roc_is_scikit_learns(data: tuple[np.ndarray, np.ndarray]) -> None:
    score, member = data
    fpr, tpr, threshold = sklearn_roc_curve(member, score, drop_intermediate=False)
    ours = roc_curve(score, member)
    np.testing.assert_allclose(ours.fpr, fpr)
    np.testing.assert_allclose(ours.tpr, tpr)
    np.testing.assert_allclose(ours.threshold, threshold)


@given(scored)
def test_auc_is_scikit_learns(data: tuple[np.ndarray, np.ndarray]) -> None:
    score, member = data
    assert ScoreCurve(score, member).auc == pytest.approx(roc_auc_score(member, score))


@given(scored)
def test_auc_depends_on_the_order_only(data: tuple[np.ndarray, np.ndarray]) -> None:
    score, member = data
    auc = ScoreCurve(score, member).auc
    assert ScoreCurve(np.exp(score / 2) - 3, member).auc == auc
    assert ScoreCurve(-score, member).auc == pytest.approx(1 - auc)
    assert ScoreCurve(score, ~member).auc == pytest.approx(1 - auc)


@given(scored, st.randoms(use_true_random=False))
def test_order_of_records_does_not_matter(data: tuple[np.ndarray, np.ndarray], random) -> None:
    score, member = data
    order = np.array(random.sample(range(len(score)), len(score)))
    ours, theirs = (
        evaluate(s, s > 0, Draws(m, 3, 2)).to_dict()
        for s, m in ((score, member), (score[order], member[order]))
    )
    for name in ("accuracy_ci95", "auc_ci95"):  # another order, other draws
        del ours[name], theirs[name]
    assert ours == theirs


def as_step(fpr: np.ndarray, tpr: np.ndarray, at: np.ndarray) -> np.ndarray:
    """TPR at each FPR of the step function, horizontal first and then up."""
    return tpr[np.searchsorted(fpr, at, side="right") - 1]


@given(scored)
def test_corners_draw_the_same_steps(data: tuple[np.ndarray, np.ndarray]) -> None:
    whole, corners = roc_curve(*data), roc_curve(*data, corners=True)
    at = np.linspace(0, 1, 97)
    heights = as_step(whole.fpr, whole.tpr, at)
    np.testing.assert_array_equal(as_step(corners.fpr, corners.tpr, at), heights)


def test_corners_are_few() -> None:
    score, member = np.arange(100.0), np.arange(100) >= 50
    assert len(roc_curve(score, member).fpr) == 101
    corners = roc_curve(score, member, corners=True)
    assert list(zip(corners.fpr, corners.tpr, strict=True)) == [(0, 0), (0, 1), (1, 1)]


# --- TPR at a low FPR ---


@given(scored, st.sampled_from([0.0, 0.001, 0.01, 0.1, 0.2, 0.29, 1 / 3, 0.5, 0.7, 1.0]))
def test_tpr_at_fpr_is_the_best_of_all_thresholds(
    data: tuple[np.ndarray, np.ndarray], alpha: float
) -> None:
    score, member = data
    best, wrong = 0.0, 0
    for threshold in [np.inf, *np.unique(score)]:
        said = score >= threshold
        fpr, tpr = said[~member].mean(), said[member].mean()
        if fpr <= alpha and tpr >= best:
            fewest = said[~member].sum()
            wrong = fewest if tpr > best else min(wrong, fewest)
            best = tpr
    ours = tpr_at_fpr(score, member, alpha)
    assert ours.tpr == best
    # at equal TPR a lower threshold may add false positives, but not above alpha
    assert wrong <= ours.false_positives <= alpha * (~member).sum() + 1e-9


def test_tpr_at_fpr_is_never_interpolated() -> None:
    score = np.array([3.0, 2.0, 1.0, 2.5, 0.0])
    member = np.array([True, True, True, False, False])
    assert tpr_at_fpr(score, member, 0.49) == (1 / 3, 0)
    assert tpr_at_fpr(score, member, 0.5) == (1.0, 1)


def test_rounding_does_not_lose_a_false_positive() -> None:
    # 0.29 * 100 is 28.999999999999996 in floating point, and 29 of 100 is 0.29
    member = np.arange(200) < 100
    score = np.where(member, 71.5, np.arange(200) - 99.0)
    assert tpr_at_fpr(score, member, 0.29) == (1.0, 29)


def test_equal_scores_are_all_called_members_or_none_is() -> None:
    assert tpr_at_fpr(np.zeros(400), MEMBER, 0.5) == (0.0, 0)
    assert tpr_at_fpr(np.zeros(400), MEMBER, 1.0) == (1.0, 200)


# --- decisions ---


@given(scored)
def test_decisions_are_scikit_learns(data: tuple[np.ndarray, np.ndarray]) -> None:
    score, member = data
    said = score > 0
    verdict = decisions(said, member)
    assert verdict.accuracy == pytest.approx(balanced_accuracy_score(member, said))
    assert balanced_accuracy(said, member) == verdict.accuracy
    share = member.mean()
    if said.any():
        assert verdict.precision(share) == pytest.approx(precision_score(member, said))
    else:
        assert verdict.precision(share) is None


@given(scored, st.floats(-5, 5))
def test_confusion_counts(data: tuple[np.ndarray, np.ndarray], threshold: float) -> None:
    score, member = data
    assert confusion(score, member, threshold) == decisions(score >= threshold, member)


def test_precision_at_a_prior() -> None:
    verdict = Confusion(80, 20, 20, 80)
    assert verdict.precision() == pytest.approx(0.8)
    assert verdict.precision(0.01) == pytest.approx(0.8 * 0.01 / (0.8 * 0.01 + 0.2 * 0.99))


# --- intervals: the fast formulas against drawing records ---


def slow_bootstrap(score, decision, member, statistic, seed: int, resamples: int = 1500):
    rng = np.random.default_rng(seed)
    ours, theirs = np.flatnonzero(member), np.flatnonzero(~member)
    values = []
    for _ in range(resamples):
        rows = np.concatenate([rng.choice(ours, len(ours)), rng.choice(theirs, len(theirs))])
        values.append(statistic(score[rows], decision[rows], member[rows]))
    return np.percentile(values, [2.5, 97.5])


@pytest.mark.parametrize("ties", [False, True])
def test_intervals_are_those_of_the_bootstrap(ties: bool, rng: np.random.Generator) -> None:
    score, member = gaussian_scores(300, shift=1.0)
    score = np.round(score) if ties else score
    said = score > 0.5
    curve = ScoreCurve(score, member)
    slow = [
        slow_bootstrap(score, said, member, statistic, seed=1)
        for statistic in (
            lambda s, d, m: (d[m].mean() + 1 - d[~m].mean()) / 2,
            lambda s, d, m: (np.sign(s[m][:, None] - s[~m]).mean() + 1) / 2,
            lambda s, d, m: tpr_at_fpr(s, m, 0.1).tpr,
        )
    ]
    whole = evaluate(score, said, Draws(member, 2, 4000))
    quick = [
        whole.accuracy_ci95,
        whole.auc_ci95,
        curve.tpr_at_fpr_interval(0.1, rng, 4000),
    ]
    np.testing.assert_allclose(quick[0], slow[0], atol=0.01)
    np.testing.assert_allclose(quick[1], slow[1], atol=0.01)
    np.testing.assert_allclose(quick[2], slow[2], atol=0.04)


def test_auc_interval_covers_the_truth_about_95_times_in_100() -> None:
    # two normals one standard deviation apart: AUC = Phi(1 / sqrt(2))
    truth, covered = 0.7602499389, 0
    for seed in range(200):
        score, member = gaussian_scores(200, shift=1.0, seed=seed)
        low, high = evaluate(score, score > 0, Draws(member, seed, 300)).auc_ci95
        covered += low <= truth <= high
    assert 180 <= covered <= 198


def test_the_same_seed_gives_the_same_intervals() -> None:
    score, member = gaussian_scores(300, shift=1.0)
    one, two, other = (evaluate(score, score > 0, Draws(member, seed)) for seed in (1, 1, 2))
    assert one == two
    assert one.auc_ci95 != other.auc_ci95


def test_intervals_narrow_with_more_records() -> None:
    widths = []
    for n in (200, 20_000):
        score, member = gaussian_scores(n, shift=1.0)
        low, high = evaluate(score, score > 0, Draws(member, 0, 500)).auc_ci95
        widths.append(high - low)
    assert widths[1] < widths[0] / 5


@given(scored)
def test_everything_lies_within_its_bounds(data: tuple[np.ndarray, np.ndarray]) -> None:
    score, member = data
    result = evaluate(score, score > 0, Draws(member, 0, 50)).to_dict()
    json.dumps(result, allow_nan=False)
    for name in ("accuracy", "auc", "tpr", "fpr"):
        assert 0 <= result[name] <= 1
    for low, high in (result["accuracy_ci95"], result["auc_ci95"]):
        assert 0 <= low <= high <= 1
    assert result["advantage"] == pytest.approx(2 * result["accuracy"] - 1)
    assert result["tpr_at_fpr"]["0.001"] <= result["tpr_at_fpr"]["0.01"]


# --- over seeds ---


def test_mean_over_seeds() -> None:
    # t(0.975, 4) = 2.7764; mean 3, standard error sqrt(2.5 / 5)
    mean, low, high = mean_and_t_interval([1, 2, 3, 4, 5])
    assert mean == 3
    assert low == pytest.approx(3 - 2.7764451 * 0.5**0.5)
    assert high == pytest.approx(3 + 2.7764451 * 0.5**0.5)


def test_one_seed_has_no_interval() -> None:
    assert mean_and_t_interval([0.7]) == (0.7, None, None)
    with pytest.raises(ValueError, match="no values"):
        mean_and_t_interval([])


# --- what cannot be evaluated ---


@pytest.mark.parametrize(
    ("score", "member", "sentence"),
    [
        ([1.0, 2.0], [True], "must be"),
        ([1.0, np.nan], [True, False], "must not hold nan"),
        ([1.0, 2.0], [True, True], "both members and non-members"),
        ([1.0, 2.0], [False, False], "both members and non-members"),
    ],
)
def test_refuses(score: list[float], member: list[bool], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        ScoreCurve(np.array(score), np.array(member))


def test_refuses_decisions_of_another_length() -> None:
    with pytest.raises(ValueError, match="differ"):
        decisions(np.ones(3, bool), np.ones(2, bool))
