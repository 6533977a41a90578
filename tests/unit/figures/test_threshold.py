"""The slider's stops and the four counts, against a direct count."""

from __future__ import annotations

import numpy as np
import pytest

from prunepriv.figures.palette import LIGHT
from prunepriv.figures.roc import make_curve
from prunepriv.figures.threshold import (
    STOPS,
    confusion_tiles,
    roc_point,
    slider_stops,
    start_threshold,
    threshold_histogram,
)
from prunepriv.store.result import AttackScores

CUTS = (-1.0, 0.123, 2.0)


@pytest.fixture
def scored(rng):
    member = np.arange(400) < 180
    return rng.normal(0, 1, 400) + member, member


@pytest.fixture
def curve(scored):
    score, member = scored
    return make_curve("conf", AttackScores(score, score > 0.5, (0.5,)), member)


def test_slider_starts_at_the_attacks_own_threshold():
    assert start_threshold((0.7,), np.zeros(9, dtype=int)) == 0.7
    label = np.array([0, 1, 1, 1, 2])
    assert start_threshold((0.1, 0.4, 0.9), label) == 0.4
    assert start_threshold((np.inf, 0.4, 0.9), np.array([0, 0, 0, 1, 2])) == 0.4


def test_stops_ascend_and_hold_the_start_exactly(curve):
    stops = slider_stops(curve.points, 0.123456789)
    values = list(stops.values())
    assert values == sorted(values)
    assert 0.123456789 in values
    assert len(stops) <= STOPS + 1
    for text, value in stops.items():
        assert float(text) == pytest.approx(value, rel=1e-4)


@pytest.mark.parametrize("spacing", ["even", "linear"])
@pytest.mark.parametrize("cut", CUTS)
def test_shaded_bars_are_the_confusion_matrix(curve, scored, spacing, cut):
    score, member = scored
    figure, table = threshold_histogram(curve, cut, spacing, LIGHT)
    counts = table.groupby(["group", "verdict"])["records"].sum()
    assert counts["members", "member"] == np.sum(score[member] >= cut)
    assert counts["members", "non-member"] == np.sum(score[member] < cut)
    assert counts["non-members", "member"] == np.sum(score[~member] >= cut)
    assert counts["non-members", "non-member"] == np.sum(score[~member] < cut)
    texts = " ".join(note.text for note in figure.layout.annotations)
    assert f"<b>{np.sum(score[member] >= cut):,}</b> true positives" in texts


@pytest.mark.parametrize("spacing", ["even", "linear"])
def test_areas_are_one_above_and_below_the_axis(curve, spacing):
    figure, _ = threshold_histogram(curve, 0.3, spacing, LIGHT)
    for look, sign in (("members", 1), ("non-members", -1)):
        bars = [t for t in figure.data if t.name.startswith(f"{look} called")]
        area = sum(np.sum(np.array(bar.y) * np.array(bar.width)) for bar in bars)
        assert area == pytest.approx(sign)


def test_two_distinct_scores_make_two_bars(rng):
    member = np.arange(100) < 50
    score = (rng.random(100) < 0.3 + 0.5 * member).astype(float)
    curve = make_curve("corr", AttackScores(score, score > 0, (1.0,)), member)
    _, table = threshold_histogram(curve, 1.0, "even", LIGHT)
    assert table[table["group"] == "members"]["records"].tolist() == [
        np.sum(score[member] == 0),
        np.sum(score[member] == 1),
    ]


def test_all_equal_scores_can_be_drawn():
    member = np.arange(20) < 10
    curve = make_curve("conf", AttackScores(np.ones(20), np.ones(20, dtype=bool), (1.0,)), member)
    for spacing in ("even", "linear"):
        _, table = threshold_histogram(curve, 1.0, spacing, LIGHT)
        assert table["records"].sum() == 20


@pytest.mark.parametrize("cut", CUTS)
def test_dot_and_tiles_stand_at_the_threshold(curve, scored, cut):
    score, member = scored
    tpr, fpr = np.mean(score[member] >= cut), np.mean(score[~member] >= cut)
    figure, table = roc_point(curve, cut, LIGHT)
    assert (figure.data[1].x[0], figure.data[1].y[0]) == (fpr, tpr)
    assert table[table["point"] == "threshold"][["fpr", "tpr"]].iloc[0].tolist() == [fpr, tpr]
    figure, tiles = confusion_tiles(curve.points.confusion(cut), LIGHT)
    assert tiles["records"].tolist() == [
        np.sum(score[member] >= cut),
        np.sum(score[member] < cut),
        np.sum(score[~member] >= cut),
        np.sum(score[~member] < cut),
    ]
    assert tiles["share"].tolist() == pytest.approx([tpr, 1 - tpr, fpr, 1 - fpr])
    assert len(figure.layout.annotations) == 4
