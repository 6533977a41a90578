"""Resampled figures against a slow loop that draws records and computes each figure anew."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from prunepriv.evaluation import METRICS, Draws, ScoreCurve, decisions, resample, resamples

scored = (
    st.lists(st.tuples(st.integers(-4, 4).map(float), st.booleans()), min_size=4, max_size=60)
    .filter(lambda pairs: len({member for _, member in pairs}) == 2)
    .map(lambda pairs: tuple(map(np.array, zip(*pairs, strict=True))))
)


def slow(score: np.ndarray, decision: np.ndarray, draws: Draws) -> np.ndarray:
    """(resamples, 3) figures of records that are written out as often as they were drawn."""
    member = draws.member
    found = []
    for members, others in draws:
        for ours, theirs in zip(members.astype(int), others.astype(int), strict=True):
            counts = np.empty(len(member), dtype=int)
            counts[member], counts[~member] = ours, theirs
            rows = np.repeat(np.arange(len(member)), counts)
            curve = ScoreCurve(score[rows], member[rows])
            verdict = decisions(decision[rows], member[rows])
            found.append((verdict.accuracy, curve.auc, curve.tpr_at_fpr(0.01).tpr))
    return np.array(found)


@given(scored)
def test_figures_are_those_of_the_records_drawn(data: tuple[np.ndarray, np.ndarray]) -> None:
    score, member = data
    draws = Draws(member, 1, 20)
    ours = resample({"it": (score, score > 0)}, draws)["it"]
    expected = slow(score, score > 0, draws)
    for column, metric in enumerate(METRICS):
        np.testing.assert_allclose(ours[metric], expected[:, column], atol=1e-6)


@pytest.mark.parametrize("members", [150, 700])
@pytest.mark.parametrize("top", [resamples.TOP, -1000])
def test_a_threshold_is_found_below_the_highest_scores(
    members: int, top: int, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With few non-members drawn among the highest, the threshold lies deeper."""
    monkeypatch.setattr(resamples, "TOP", top)
    member = np.arange(900) < members
    score = rng.normal(size=900) + member
    draws = Draws(member, 2, 30)
    ours = resample({"it": (score, score > 0.5)}, draws)["it"]
    expected = slow(score, score > 0.5, draws)
    for column, metric in enumerate(METRICS):
        np.testing.assert_allclose(ours[metric], expected[:, column], atol=1e-6)


def test_draws_are_the_same_each_time_and_for_every_chunk(monkeypatch: pytest.MonkeyPatch) -> None:
    member = np.arange(90) % 3 > 0
    draws = Draws(member, 5, 40)
    whole = [np.concatenate(parts) for parts in zip(*draws, strict=True)]
    assert [part.shape for part in whole] == [(40, 60), (40, 30)]
    assert (whole[0].sum(axis=1) == 60).all()
    assert (whole[1].sum(axis=1) == 30).all()
    again = [np.concatenate(parts) for parts in zip(*draws, strict=True)]
    np.testing.assert_array_equal(whole[0], again[0])
    np.testing.assert_array_equal(whole[1], again[1])
    other = next(iter(Draws(member, 6, 40)))
    assert (other[0] != whole[0]).any()


def test_all_attacks_meet_the_same_draws() -> None:
    member = np.arange(200) < 100
    score = np.random.default_rng(0).normal(size=200) + member
    both = resample({"a": (score, score > 0), "b": (2 * score, score > 0)}, Draws(member, 0, 100))
    for metric in METRICS:
        np.testing.assert_array_equal(both["a"][metric], both["b"][metric])


def test_means_are_over_the_records_drawn() -> None:
    member = np.arange(50) < 20
    values = np.random.default_rng(0).normal(size=(50, 2))
    draws = Draws(member, 3, 25)
    ours, theirs = draws.means(values)
    members, others = (np.concatenate(parts) for parts in zip(*draws, strict=True))
    np.testing.assert_allclose(ours, members @ values[member] / 20, atol=1e-6)
    np.testing.assert_allclose(theirs, others @ values[~member] / 30, atol=1e-6)
