"""Accuracies, intervals, order, and one axis for all."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from prunepriv.figures.leaderboard import accuracy_dots, best_attack
from prunepriv.figures.palette import LIGHT
from prunepriv.plan import Target


def _row(attack: str, model: str, accuracy: float, adversary: str = "adaptive") -> dict:
    return {
        "attack": attack, "model": model, "adversary": adversary, "accuracy": accuracy,
        "accuracy_ci95": [accuracy - 0.02, accuracy + 0.03], "auc": accuracy, "members": 90,
        "non_members": 91,
    }  # fmt: skip


@pytest.fixture
def board() -> pd.DataFrame:
    return pd.DataFrame(
        [
            _row("conf", "original", 0.6),
            _row("samia", "original", 0.62),
            _row("conf", "pruned", 0.7),
            _row("samia", "pruned", 0.74),
            _row("conf", "defended", 0.55),
            _row("samia", "defended", 0.66),
            _row("conf", "defended", 0.5, "non_adaptive"),
            _row("samia", "defended", 0.51, "non_adaptive"),
        ]
    )


def test_best_attack_first_and_every_interval_drawn(board):
    figure, table = accuracy_dots(board, [Target("pruned"), Target("original")], LIGHT)
    assert list(figure.layout.yaxis.ticktext) == ["SAMIA", "Conf"]
    for trace in figure.data:
        rows = table[table["series"] == trace.name]
        assert list(trace.x) == rows["accuracy"].tolist()
        assert np.allclose(np.array(trace.x) + trace.error_x.array, rows["high"])
        assert np.allclose(np.array(trace.x) - trace.error_x.arrayminus, rows["low"])


def test_axis_is_the_same_for_all_and_guessing_is_marked(board):
    figure, _ = accuracy_dots(board, [Target("pruned")], LIGHT)
    assert list(figure.layout.xaxis.range) == [0.4, 1.0]
    assert [shape.x0 for shape in figure.layout.shapes] == [0.5]


def test_both_adversaries_are_told_apart_by_a_hollow_mark(board):
    series = [Target("defended"), Target("defended", "non_adaptive")]
    figure, table = accuracy_dots(board, series, LIGHT)
    assert [trace.marker.symbol for trace in figure.data] == ["square", "square-open"]
    assert table.loc[table["series"].str.contains("non-adaptive"), "accuracy"].max() == 0.51


def test_best_attack(board):
    assert best_attack(board, Target("pruned"))["attack"] == "samia"
    assert best_attack(board, Target("control")) is None
    assert best_attack(pd.DataFrame(), Target("pruned")) is None
