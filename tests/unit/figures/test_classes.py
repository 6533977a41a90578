"""Gaps by class against direct means; order, intervals, and tables of what is drawn."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from prunepriv import divergence
from prunepriv.figures.classes import (
    class_distances,
    class_gaps,
    class_means,
    class_order,
    distance_dots,
    distance_order,
    gap_bars,
    gap_heatmap,
    gap_margins,
)
from prunepriv.figures.palette import LIGHT

NAMES = ("ant", "bee", "cat", "dog")


@pytest.fixture
def gaps(signals):
    return {
        kind: pd.DataFrame(
            divergence.gaps(
                one.member, one.label, one.confidence, one.sensitivity, one.correct, len(NAMES), 0
            )
        )
        for kind, one in signals.items()
    }


@pytest.fixture
def table(gaps, signals):
    return class_gaps(gaps, "confidence", NAMES, signals)


def test_gaps_and_margins_against_a_direct_computation(table, signals):
    assert len(table) == 3 * len(NAMES)
    for row in table.to_dict("records"):
        one = signals[row["model"]].of_class(row["class"])
        ours, theirs = one.confidence[one.member], one.confidence[~one.member]
        assert row["name"] == NAMES[row["class"]]
        assert row["gap"] == pytest.approx(ours.mean() - theirs.mean())
        spread = ours.var(ddof=1) / len(ours) + theirs.var(ddof=1) / len(theirs)
        assert row["margin"] == pytest.approx(1.96 * np.sqrt(spread))
        assert (row["members"], row["non_members"]) == (len(ours), len(theirs))


def test_margin_needs_two_records_of_each_group(signals):
    one = signals["pruned"]
    single = type(one)(
        **{name: getattr(one, name)[[0, 60, 61]] for name in type(one).__dataclass_fields__}
    )
    assert np.isnan(gap_margins(single, "generalization", len(NAMES))).all()


def test_classes_without_both_groups_are_left_out(gaps):
    gaps["pruned"].loc[gaps["pruned"]["class"] == 1, "confidence"] = np.nan
    table = class_gaps({"pruned": gaps["pruned"]}, "confidence", NAMES)
    assert table["class"].tolist() == [0, 2, 3]
    assert table["margin"].isna().all()


def test_bars_fall_and_carry_their_class(table):
    figure, shown = gap_bars(table, "pruned", "confidence", LIGHT, most=3)
    order = class_order(table, "pruned")[:3]
    bars = figure.data[0]
    rows = shown[shown["model"] == "pruned"].set_index("class")
    assert list(figure.layout.yaxis.categoryarray) == [NAMES[label] for label in order]
    assert {mark[0]: x for mark, x in zip(bars.customdata, bars.x, strict=True)} == dict(
        rows["gap"]
    )
    assert rows["gap"].loc[order].is_monotonic_decreasing
    assert {trace.name for trace in figure.data} == {"Pruned", "Original", "Control"}


def test_heatmap_holds_the_table_and_marks_the_chosen_class(table):
    figure, cells = gap_heatmap(table, "pruned", "confidence", LIGHT, chosen=2)
    order = class_order(table, "pruned")
    z = np.array(figure.data[0].z)
    for row in cells.to_dict("records"):
        line = ("original", "control", "pruned").index(row["model"])
        assert z[line, order.index(row["class"])] == row["gap"]
    assert figure.layout.shapes[0].x0 == order.index(2) - 0.5
    assert figure.data[0].zmin == -figure.data[0].zmax


def test_means_stand_where_the_table_says(gaps, signals):
    figure, means = class_means(gaps, "generalization", 1, "bee", LIGHT)
    assert means["records"].unique().tolist() == ["bee", "all classes"]
    one = signals["control"].of_class(1)
    row = means[(means["records"] == "bee") & (means["model"] == "control")].iloc[0]
    assert row["members"] == pytest.approx(one.correct[one.member].mean())
    marks = [trace for trace in figure.data if trace.mode == "markers" and trace.xaxis == "x"]
    rows = means[means["records"] == "bee"]
    assert [list(trace.x) for trace in marks] == [
        rows["members"].tolist(),
        rows["non-members"].tolist(),
    ]


def test_distances_are_those_of_the_rows_with_their_chance(gaps):
    table = class_distances(gaps, "confidence", "js", NAMES)
    assert table["model"].unique().tolist() == list(gaps)
    assert table["class"].tolist() == [-1, 0, 1, 2, 3] * len(gaps)
    for row in table.to_dict("records"):
        rows = gaps[row["model"]]
        own = rows["class"].isna() if row["class"] < 0 else rows["class"] == row["class"]
        source = rows[own].iloc[0]
        assert row["name"] == ("all records" if row["class"] < 0 else NAMES[row["class"]])
        assert row["distance"] == source["confidence_js"]
        assert row["chance"] == source["confidence_js_null"]
        assert [row["chance_low"], row["chance_high"]] == source["confidence_js_null95"]
        assert row["p"] == source["confidence_js_p"]


def _planted(p):
    """Rows of one model whose classes have these p-values; class 2 lacks members."""
    rows = []
    for label, one in [(None, 0.04), *enumerate(p)]:
        lacking = label == 2
        figures = {"confidence_js": 0.3 + one, "confidence_js_null": 0.2, "confidence_js_p": one}
        row = {name: None if lacking else value for name, value in figures.items()}
        band = None if lacking else [0.1, 0.4]
        rows.append(
            {"class": label, "members": 5, "non_members": 6, **row, "confidence_js_null95": band}
        )
    return {"pruned": pd.DataFrame(rows)}


def test_beyond_chance_counts_all_classes_of_a_model():
    """0.03 alone would be below 0.05, but it is one of three."""
    table = class_distances(_planted([0.001, 0.03, 0.5, 0.6]), "confidence", "js", NAMES)
    assert table["class"].tolist() == [-1, 0, 1, 3]
    assert table["beyond_chance"].tolist() == [True, True, True, False]
    table = class_distances(_planted([0.02, 0.03, 0.5, 0.6]), "confidence", "js", NAMES)
    assert table["beyond_chance"].tolist() == [True, True, True, False]
    table = class_distances(_planted([0.03, 0.04, 0.5, 0.6]), "confidence", "js", NAMES)
    assert table["beyond_chance"].tolist() == [True, False, False, False]


def test_distances_stand_on_the_band_of_chance(gaps):
    table = class_distances(gaps, "sensitivity", "wasserstein", NAMES)
    figure, shown = distance_dots(
        table, "pruned", "sensitivity", "wasserstein", LIGHT, chosen=3, most=2
    )
    order = distance_order(table, "pruned")[:3]
    assert order[0] == -1
    above = table[table["model"] == "pruned"].set_index("class")
    above = (above["distance"] - above["chance"]).loc[order[1:]]
    assert above.is_monotonic_decreasing
    assert set(shown["class"]) == set(order)
    assert list(figure.layout.yaxis.ticktext) == [
        "all records" if label < 0 else NAMES[label] for label in order
    ]
    for place, kind in enumerate(("original", "control", "pruned")):
        rows = shown[shown["model"] == kind]
        traces = [t for t in figure.data if t.xaxis == ("x", "x2", "x3")[place]]
        band = next(trace for trace in traces if trace.type == "bar")
        assert list(band.base) == rows["chance_low"].tolist()
        assert np.allclose(np.array(band.base) + band.x, rows["chance_high"])
        dots = {
            (mark[0], trace.name): x
            for trace in traces
            if trace.name in ("beyond chance", "within chance")
            for mark, x in zip(trace.customdata, trace.x, strict=False)
        }
        names = np.where(rows["beyond_chance"], "beyond chance", "within chance")
        assert dots == dict(
            zip(zip(rows["class"], names, strict=True), rows["distance"], strict=True)
        )
    boxes = [shape for shape in figure.layout.shapes if shape.type == "rect"]
    assert len(boxes) == (3 if 3 in order else 0)
