"""Gaps by class against direct means; order, intervals, and tables of what is drawn."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from prunepriv import divergence
from prunepriv.figures.classes import (
    class_gaps,
    class_means,
    class_order,
    distance_scatter,
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


def test_distances_before_and_after(gaps):
    figure, table = distance_scatter(gaps, "confidence", "js", NAMES, LIGHT, chosen=3)
    assert table["model"].unique().tolist() == ["control", "pruned"]
    for row in table.to_dict("records"):
        for when, kind in (("before", "original"), ("after", row["model"])):
            source = gaps[kind].set_index("class")["confidence_js"]
            assert row[when] == source[row["class"]]
    for trace, kind in zip(figure.data, ("control", "pruned"), strict=True):
        rows = table[table["model"] == kind]
        assert list(trace.x) == rows["before"].tolist()
        assert list(trace.y) == rows["after"].tolist()
        assert [text for text in trace.text if text] == ["dog"]
