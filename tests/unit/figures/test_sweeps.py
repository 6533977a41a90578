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
        "seeds": 3, "accuracy": accuracy, "accuracy_low": accuracy - 0.02,
        "accuracy_high": accuracy + 0.02, **more,
    }  # fmt: skip


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
    assert "one seed, so it may be chance" in findings.sweep_lines(
        points, "conf", "pruning.sparsity"
    )


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
    sentence = findings.sweep_lines(
        line_points(means, "conf", SETTINGS), "conf", "pruning.sparsity"
    )
    assert sentence.startswith("From 50 % to 90 % sparsity, Conf goes from 75.0 %")
    assert "the pruned model (L1 structured)" in sentence
    assert "20.0 points" in sentence


def test_overlap_and_guessing_are_said() -> None:
    rows = [
        _row(0.5, 0.53, accuracy_low=0.45, accuracy_high=0.61),
        _row(0.9, 0.56, accuracy_low=0.51, accuracy_high=0.61),
    ]
    points = line_points(pd.DataFrame(rows), "conf", SETTINGS)
    sentence = findings.sweep_lines(points, "conf", "pruning.sparsity")
    assert sentence.count("not distinguishable from guessing") == 1
    assert "the intervals overlap" in sentence
    one = findings.sweep_lines(points.head(1), "conf", "pruning.sparsity")
    assert one.startswith("Conf is right 53.0 %")


def test_cells_are_written_where_they_belong() -> None:
    cells = pd.DataFrame(
        {
            "row": ["a", "a", "b", "b"],
            "column": ["a", "b", "a", "b"],
            "accuracy": [0.6, 0.7, np.nan, 0.5],
        }
    )
    figure, shown = matrix(cells, ("rows", "columns"), LIGHT, outlined=True)
    assert shown is cells
    words = {(note.y, note.x): note.text for note in figure.layout.annotations}
    assert words == {(0, 0): "60.0 %", (0, 1): "70.0 %", (1, 0): "not run", (1, 1): "50.0 %"}
    assert figure.data[0].z[0][1] == 0.7
    assert np.isnan(figure.data[0].z[1][0])
    assert [(shape.x0 < 0 < shape.x1) for shape in figure.layout.shapes] == [True, False]
    sentence = findings.sweep_matrix(cells, "conf", "pruned")
    assert "best on the pruned model with a and b, 70.0 %" in sentence
    assert "worst with b and b, 50.0 %" in sentence


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
