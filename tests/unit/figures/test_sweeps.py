"""A sweep's lines and heatmaps: their points and intervals, distinct without a hue."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from prunepriv.figures import findings
from prunepriv.figures.palette import ACCURACY_RANGE, LIGHT, MEMBERS, NON_MEMBERS
from prunepriv.figures.sweeps import (
    MOST_LINES,
    accuracy_lines,
    line_points,
    matrix,
    matrix_cells,
    setting_value,
    varying,
    x_axis,
)

SETTINGS = ("data.name", "pruning.approach", "pruning.sparsity", "defense.strength")


def _row(sparsity: float, accuracy: float, **more: Any) -> dict[str, Any]:
    return {
        "data.name": "shapes", "pruning.approach": "l1_unstructured", "pruning.sparsity": sparsity,
        "defense.strength": 0.0, "model": "pruned", "adversary": "adaptive", "attack": "conf",
        "seeds": 3, "guessing": 0, "accuracy": accuracy, "accuracy_low": accuracy - 0.02,
        "accuracy_high": accuracy + 0.02, **more,
    }  # fmt: skip


def _change(difference: float, clear: bool, seeds: int = 3, why: str = "") -> dict[str, Any]:
    half = abs(difference) / 2 if clear else abs(difference) + 0.01
    ci95 = None if why else (difference - half, difference + half)
    return {"difference": difference, "clear": clear, "seeds": seeds, "why": why, "ci95": ci95}


@pytest.fixture
def means() -> pd.DataFrame:
    return pd.DataFrame(
        [
            _row(0.9, 0.60),
            _row(0.5, 0.70),
            _row(0.5, 0.66, model="original"),
            _row(0.9, 0.66, model="original"),
            _row(0.5, 0.75, **{"pruning.approach": "l1_structured"}),
            _row(0.9, 0.55, **{"pruning.approach": "l1_structured"}),
            _row(0.9, 0.99, attack="corr"),
        ]
    )


def test_points_are_one_attacks_in_the_order_of_the_axis(means: pd.DataFrame) -> None:
    points = line_points(means, "conf", SETTINGS)
    assert 0.99 not in set(points["accuracy"])
    for _, line in points.groupby("series"):
        assert line["x"].tolist() == sorted(line["x"])
    assert set(points["series"]) == {
        "Original, L1 unstructured", "Pruned, L1 unstructured", "Pruned, L1 structured",
    }  # fmt: skip


def test_lines_carry_their_intervals_and_no_hue_of_members(means: pd.DataFrame) -> None:
    figure, shown = accuracy_lines(line_points(means, "conf", SETTINGS), "pruning.sparsity", LIGHT)
    assert list(figure.layout.yaxis.range) == list(ACCURACY_RANGE)
    assert figure.layout.shapes[0].y0 == 0.5
    looks = set()
    for trace in figure.data:
        ours = shown[shown["series"] == trace.name]
        assert list(trace.y) == ours["accuracy"].tolist()
        assert np.allclose(np.array(trace.y) + trace.error_y.array, ours["high"])
        assert trace.line.color not in (MEMBERS.color, NON_MEMBERS.color)
        looks.add((trace.line.dash, trace.marker.symbol))
    assert len(looks) == len(figure.data) == 3


def test_one_seed_has_no_interval(means: pd.DataFrame) -> None:
    alone = means.assign(seeds=1, accuracy_low=np.nan, accuracy_high=np.nan)
    points = line_points(alone, "conf", SETTINGS)
    figure, _ = accuracy_lines(points, "pruning.sparsity", LIGHT)
    assert not any(trace.error_y.visible for trace in figure.data)
    alone = _change(-0.2, False, 1, "one seed")
    text = findings.sweep_lines(points, "conf", "pruning.sparsity", lambda *_: alone)
    assert text.startswith("In these runs of one seed, from 50 % to 90 % sparsity")
    assert text.endswith("by \u221220.0 points (undecided: one seed).")


def test_too_many_lines_are_not_drawn() -> None:
    rows = [_row(0.5, 0.6, **{"data.name": f"set {number}"}) for number in range(20)]
    figure, shown = accuracy_lines(
        line_points(pd.DataFrame(rows), "conf", SETTINGS), "pruning.sparsity", LIGHT
    )
    assert len(figure.data) == shown["series"].nunique() == MOST_LINES


def test_the_axis_is_the_sparsity_or_the_number_that_varies(means: pd.DataFrame) -> None:
    assert varying(means, SETTINGS) == ["pruning.approach", "pruning.sparsity"]
    assert x_axis(means, SETTINGS) == "pruning.sparsity"
    strengths = pd.DataFrame([_row(0.5, 0.6), _row(0.5, 0.5, **{"defense.strength": 4.0})])
    assert x_axis(strengths, SETTINGS) == "defense.strength"
    assert x_axis(strengths.head(1), SETTINGS) == "pruning.sparsity"


def test_the_sentence_follows_the_line_that_leaks_most(means: pd.DataFrame) -> None:
    asked = []

    def differ(before: int, after: int) -> dict[str, Any]:
        asked.append((before, after))
        return _change(-0.2, True)

    points = line_points(means, "conf", SETTINGS)
    sentence = findings.sweep_lines(points, "conf", "pruning.sparsity", differ)
    assert sentence.startswith("Over 3 seeds, from 50 % to 90 % sparsity, Conf goes from 75.0 %")
    assert "the pruned model (L1 structured)" in sentence
    assert sentence.endswith("by \u221220.0 points, 95 % interval \u221230.0 to \u221210.0.")
    assert asked == [(4, 5)], "the rows of the means at both ends of the line"


def test_undecided_and_guessing_are_said() -> None:
    rows = [_row(0.5, 0.53, guessing=2), _row(0.9, 0.56)]
    points = line_points(pd.DataFrame(rows), "conf", SETTINGS)
    undecided = _change(0.03, False)
    sentence = findings.sweep_lines(points, "conf", "pruning.sparsity", lambda *_: undecided)
    assert (
        "from 53.0 % (over 3 seeds 51.0 to 55.0 %, guessing in 2 of 3 runs) to 56.0 %" in sentence
    )
    assert "by +3.0 points (undecided), 95 % interval" in sentence
    one = findings.sweep_lines(points.head(1), "conf", "pruning.sparsity", lambda *_: undecided)
    assert one.startswith("Conf is right 53.0 %")


CELLS = pd.DataFrame(
    {
        "row": ["a", "a", "b", "b"],
        "column": ["a", "b", "a", "b"],
        "accuracy": [0.6, 0.7, np.nan, 0.5],
        "seeds": 3,
        "guessing": [0, 0, np.nan, 3],
    }
)
"""Of a matrix; one was not run."""


def test_cells_are_written_where_they_belong() -> None:
    figure, shown = matrix(CELLS, ("rows", "columns"), LIGHT, outlined=True)
    assert shown is CELLS
    words = {(note.y, note.x): note.text for note in figure.layout.annotations}
    assert words == {(0, 0): "60.0 %", (0, 1): "70.0 %", (1, 0): "not run", (1, 1): "50.0 %"}
    assert figure.data[0].z[0][1] == 0.7
    assert np.isnan(figure.data[0].z[1][0])
    assert [(shape.x0 < 0 < shape.x1) for shape in figure.layout.shapes] == [True, False]


def test_the_best_and_the_worst_cell_beside_the_next() -> None:
    changes = {(0, 1): _change(0.1, False), (0, 3): _change(-0.1, True)}
    sentence = findings.sweep_matrix(CELLS, "conf", "pruned", lambda *pair: changes[pair])
    assert sentence == (
        "Over 3 seeds, Conf does best on the pruned model with a and b, 70.0 %, not clearly ahead "
        "of a and a, 60.0 %; it does worst with b and b, 50.0 % (guessing in 3 of 3 runs)."
    )
    two = findings.sweep_matrix(CELLS.head(2), "conf", "pruned", lambda *_: changes[0, 3])
    assert two == "Over 3 seeds, Conf does best on the pruned model with a and b, 70.0 %."
    one = findings.sweep_matrix(CELLS.tail(1), "conf", "pruned", lambda *_: None)
    assert one == "Conf is right 50.0 % (guessing in 3 of 3 runs) of the time on the pruned model."


def test_an_undefended_model_is_one_line_whatever_the_defense() -> None:
    rows = [
        _row(0.5, 0.6 if model == "pruned" else 0.5 + strength / 100, model=model, **{"defense.strength": strength})
        for strength in (2.0, 4.0)
        for model in ("pruned", "defended")
    ]  # fmt: skip
    settings = (*SETTINGS[:3], "defense.name", "defense.strength")
    rows = [row | {"defense.name": f"ppb {row['defense.strength']}"} for row in rows]
    points = line_points(pd.DataFrame(rows), "conf", settings)
    assert (points["series"] == "Pruned").sum() == 2 - (points["x"].nunique() == 1)
    assert points["series"].str.startswith("Defended").sum() == 2


def test_a_matrix_has_every_cell_of_the_sweep(means: pd.DataFrame) -> None:
    ours = means[(means["model"] == "pruned") & (means["attack"] == "conf")]
    axes = ("pruning.approach", "pruning.sparsity")
    cells = matrix_cells(ours, axes, (["l1_structured", "l1_unstructured"], [0.5, 0.7, 0.9]))
    assert len(cells) == 6
    assert cells["column"].tolist() == ["50 %", "70 %", "90 %"] * 2
    assert cells["accuracy"].tolist() == pytest.approx(
        [0.75, np.nan, 0.55, 0.70, np.nan, 0.60], nan_ok=True
    )


def test_settings_in_words() -> None:
    assert setting_value("pruning.sparsity", 0.7) == "70 %"
    assert setting_value("data.name", "location") == "Location"
    assert setting_value("defense.strength", 4.0) == "4"
