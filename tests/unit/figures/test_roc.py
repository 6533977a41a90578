"""ROC curves against scikit-learn; steps, ends at 1/n, and an exact table."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest
from sklearn.metrics import roc_curve

from prunepriv.evaluation import Roc, ScoreCurve
from prunepriv.figures.palette import LIGHT
from prunepriv.figures.roc import (
    FPRS,
    low_fpr_table,
    low_fpr_words,
    make_curve,
    meaningful,
    roc_chart,
    roc_table,
    thin,
    wilson,
)
from prunepriv.store.result import AttackScores


def _curve(rng, n=300, attack="conf", ties=False):
    member = np.arange(2 * n) < n
    score = rng.normal(0, 1, 2 * n) + member
    score = np.round(score, 1) if ties else score
    return make_curve(attack, AttackScores(score, score > 0.5, (0.5,)), member), score, member


@pytest.mark.parametrize("ties", [False, True])
def test_vertices_equal_scikit_learns_steps(rng, ties):
    curve, score, member = _curve(rng, ties=ties)
    fpr, tpr, _ = roc_curve(member, score, drop_intermediate=False)
    table = roc_table(curve, log=False)
    theirs = set(zip(fpr.round(12), tpr.round(12), strict=True))
    ours = set(zip(table["fpr"].round(12), table["tpr"].round(12), strict=True))
    assert ours <= theirs
    if not ties:  # without ties, the corners give every point of the step function
        grid = np.linspace(0, 1, 601)[1:]
        at = np.searchsorted(table["fpr"], grid + 1e-12, side="right") - 1
        full = np.searchsorted(fpr, grid + 1e-12, side="right") - 1
        assert np.allclose(table["tpr"].to_numpy()[at], tpr[full])


def test_lines_are_steps_and_the_table_is_what_is_drawn(rng):
    curves = {name: _curve(rng, attack=name)[0] for name in ("conf", "samia")}
    for log in (False, True):
        figure, table = roc_chart(curves, "samia", LIGHT, log)
        lines = [trace for trace in figure.data if trace.name in ("Conf", "SAMIA")]
        assert {line.line.shape for line in lines} == {"hv"}
        for line in lines:
            rows = table[table["attack"] == line.name]
            assert np.array_equal(line.x, rows["fpr"])
            assert np.array_equal(line.y, rows["tpr"])


def test_log_curve_begins_at_one_over_n_with_the_tpr_of_no_false_positive(rng):
    curve, score, member = _curve(rng)
    table = roc_table(curve, log=True)
    assert table["fpr"].iloc[0] == 1 / 300
    assert table["tpr"].iloc[0] == np.mean(score[member] > score[~member].max())
    assert (table["tpr"] > 0).all()
    figure, _ = roc_chart({"conf": curve}, "conf", LIGHT, log=True)
    shaded = [shape for shape in figure.layout.shapes if shape.type == "rect"]
    assert max(shape.x1 for shape in shaded if shape.x1 < 1) == 1 / 300
    assert all(text.endswith("%") for text in figure.layout.xaxis.ticktext)


def test_own_thresholds_have_a_star(rng):
    curve, score, member = _curve(rng)
    figure, _ = roc_chart({"conf": curve}, "conf", LIGHT, log=False)
    star = next(trace for trace in figure.data if trace.name == "own thresholds")
    assert star.x[0] == np.mean(score[~member] > 0.5)
    assert star.y[0] == np.mean(score[member] > 0.5)


def test_thinning_moves_nothing_by_more_than_a_thousandth(rng):
    score = rng.normal(0, 1, 40_000)
    member = rng.random(40_000) < 0.5
    full = ScoreCurve(score + 0.3 * member, member).roc(corners=True)
    few = thin(full)
    assert len(few.fpr) <= 2_100 < len(full.fpr)
    grid = rng.random(5_000)

    def height(roc: Roc) -> np.ndarray:
        return roc.tpr[np.searchsorted(roc.fpr, grid, side="right") - 1]

    assert np.abs(height(full) - height(few)).max() < 3e-3
    assert (height(few) <= height(full)).all()  # never too good for the attack


def test_short_curves_are_not_thinned(rng):
    roc = _curve(rng)[0].points.roc(corners=True)
    assert thin(roc) is roc


@pytest.mark.parametrize(("found", "count"), [(0, 10), (3, 10), (10, 10), (250, 1000)])
def test_wilson_against_scipy(found, count):
    low, high = wilson(np.array(found / count), count)
    expected = binomtest(found, count).proportion_ci(method="wilson")
    assert (low, high) == pytest.approx((expected.low, expected.high))


def test_low_fpr_table_against_every_threshold(rng):
    curve, score, member = _curve(rng, ties=True)
    table = low_fpr_table({"conf": curve}).set_index("fpr")
    for alpha in FPRS:
        allowed = [np.inf, *score]
        points = [
            (np.mean(score[member] >= cut), np.sum(score[~member] >= cut))
            for cut in allowed
            if np.mean(score[~member] >= cut) <= alpha
        ]
        assert table.loc[alpha, "tpr"] == max(tpr for tpr, _ in points)
        assert table.loc[alpha, "false_positives"] <= alpha * 300


@pytest.mark.parametrize(
    ("alpha", "non_members", "expected"),
    [(0.1, 2_254, True), (0.01, 2_254, True), (0.001, 4_999, False), (0.001, 5_000, True),
     (0.0, 4_999, False), (0.0, 5_000, True), (0.01, 400, False)],
)  # fmt: skip
def test_which_cells_mean_something(alpha, non_members, expected):
    assert meaningful(alpha, non_members) is expected


def test_words_keep_order_and_counts(rng):
    curves = {name: _curve(rng, attack=name)[0] for name in ("samia", "conf")}
    table = low_fpr_table(curves)
    words, meant = low_fpr_words(table)
    assert list(words.index) == ["SAMIA", "Conf"]
    assert list(words.columns) == [f"at {rate} % FPR" for rate in ("10", "1", "0.1", "0")]
    assert words.loc["Conf", "at 10 % FPR"].endswith("(30 FP)")
    assert meant.loc["Conf"].tolist() == [True, False, False, False]
