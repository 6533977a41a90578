"""The privacy-utility chart, and the accuracy of each model."""

from __future__ import annotations

import pytest

from prunepriv.figures.defenses import LINE, Point, model_accuracies, privacy_utility
from prunepriv.figures.palette import LIGHT
from prunepriv.plan import Target


def _point(model, utility, leakage, here=True, text=None):
    return Point(
        target=Target(model), text=text or model, utility=utility, leakage=leakage,
        low=leakage - 0.02, high=leakage + 0.03, attack="SAMIA", run="r", here=here,
    )  # fmt: skip


def test_arrow_leads_from_pruned_to_defended_of_the_run_in_view():
    points = [
        _point("pruned", 0.6, 0.8),
        _point("defended", 0.55, 0.65, text="PPB 4"),
        _point("defended", 0.5, 0.6, here=False, text="PPB 8"),
    ]
    figure, table = privacy_utility(points, LIGHT)
    arrow = next(note for note in figure.layout.annotations if note.showarrow)
    assert (arrow.ax, arrow.ay, arrow.x, arrow.y) == (0.6, 0.8, 0.55, 0.65)
    assert table["label"].tolist() == ["pruned", "PPB 4", "PPB 8"]
    drawn = {trace.name: (trace.x[0], trace.y[0]) for trace in figure.data}
    for row in table.to_dict("records"):
        assert drawn[row["label"]] == (row["accuracy_on_non_members"], row["attack_accuracy"])
    mark = next(trace for trace in figure.data if trace.name == "PPB 4")
    assert mark.error_y.array[0] == pytest.approx(0.03)
    assert mark.error_y.arrayminus[0] == pytest.approx(0.02)


def test_no_arrow_without_a_defended_model():
    figure, _ = privacy_utility([_point("pruned", 0.6, 0.8)], LIGHT)
    assert not any(note.showarrow for note in figure.layout.annotations)
    assert list(figure.layout.yaxis.range) == [0.4, 1.0]


def test_accuracies_are_drawn_as_reported():
    reports = {
        kind: {"member_accuracy": 0.9 + at / 50, "non_member_accuracy": 0.5, "sparsity": 0.7}
        for at, kind in enumerate(("pruned", "defended"))
    }
    figure, table = model_accuracies(reports, LIGHT)
    marks = {trace.name: list(trace.x) for trace in figure.data if trace.mode == "markers"}
    assert marks["members"] == table["members"].tolist() == [0.9, 0.92]
    assert marks["non-members"] == table["non-members"].tolist() == [0.5, 0.5]


def test_a_defended_models_name_covers_no_other_mark_or_name():
    """As on a bundled example, where PPB 4 lies just above the original model."""
    points = [
        _point("original", 0.536, 0.638),
        _point("pruned", 0.687, 0.726),
        _point("defended", 0.543, 0.695, text="PPB 4"),
    ]
    figure, _ = privacy_utility(points, LIGHT)
    text = next(trace for trace in figure.data if trace.name == "PPB 4").text[0]
    name = 0.695 - text.count("<br>") * LINE
    assert abs(name - 0.638) >= LINE
    assert abs(name - (0.638 - LINE)) >= LINE
