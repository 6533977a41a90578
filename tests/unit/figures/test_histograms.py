"""Shared edges, areas of one, lines at the means, and a table of exactly what is drawn."""

from __future__ import annotations

import numpy as np
import pytest

from prunepriv.figures.histograms import BINS, leakage_histograms, shared_bins
from prunepriv.figures.palette import DARK, LIGHT
from prunepriv.figures.scales import SCALES, scale_for

CASES = [
    (quantity, scale)
    for quantity in ("confidence", "sensitivity")
    for scale in SCALES
    if scale_for(quantity, scale).name == scale
]


@pytest.mark.parametrize(("quantity", "scale"), CASES)
def test_areas_are_one_on_edges_that_all_panels_share(signals, quantity, scale):
    figure, table = leakage_histograms(signals, quantity, SCALES[scale], LIGHT)
    bars = [trace for trace in figure.data if trace.type == "bar"]
    assert len(bars) == 2 * len(signals)
    for trace in bars:
        assert np.array_equal(trace.x, bars[0].x)
        assert np.array_equal(trace.width, bars[0].width)
        assert np.sum(np.array(trace.y) * np.array(trace.width)) == pytest.approx(1)
    assert table.groupby(["model", "group"])["records"].sum().unique().tolist() == [60]


@pytest.mark.parametrize(("quantity", "scale"), CASES)
def test_counts_against_a_direct_count(signals, quantity, scale):
    _, table = leakage_histograms(signals, quantity, SCALES[scale], LIGHT)
    for (kind, group), rows in table.groupby(["model", "group"]):
        ours = signals[kind].values(quantity)[signals[kind].member == (group == "members")]
        edges = rows["from"].to_numpy()[1:]  # values beyond the ends count in the outer bars
        at = (ours[:, None] >= edges[None] - 1e-12).sum(axis=1)
        assert np.bincount(at, minlength=BINS).tolist() == rows["records"].tolist()


def test_mean_lines_stand_at_the_means(signals):
    figure, _ = leakage_histograms(signals, "confidence", SCALES["linear"], LIGHT)
    lines = [
        (shape.x0, shape.line.color, shape.line.dash)
        for shape in figure.layout.shapes
        if shape.line.color in ("#D55E00", "#0072B2")  # and not the wider line behind each
    ]
    expected = [
        (float(one.confidence[one.member == member].mean()), color, dash)
        for one in signals.values()
        for member, color, dash in ((True, "#D55E00", "solid"), (False, "#0072B2", "dash"))
    ]
    assert [line[1:] for line in lines] == [line[1:] for line in expected]
    assert np.allclose([line[0] for line in lines], [line[0] for line in expected])


def test_table_holds_what_is_drawn(signals):
    figure, table = leakage_histograms(signals, "sensitivity", SCALES["log"], DARK)
    drawn = {(t.customdata[0][0], t.legendgroup): np.array(t.y) for t in figure.data}
    for (kind, group), rows in table.groupby(["model", "group"]):
        assert np.array_equal(drawn[kind, group], rows["density"])


def test_all_axes_are_one_axis(signals):
    figure, _ = leakage_histograms(signals, "confidence", SCALES["logit"], LIGHT)
    layout = figure.layout
    assert {layout[f"xaxis{n}"].matches for n in (2, 3, 4)} == {"x"}
    assert {layout[f"yaxis{n}"].matches for n in (2, 3, 4)} == {"y"}


def test_missing_panel_says_why_and_stands_in_its_place(signals):
    missing = {"defended": "no defence in this run"}
    figure, _ = leakage_histograms(signals, "confidence", SCALES["linear"], LIGHT, missing)
    texts = [note.text for note in figure.layout.annotations]
    assert "no defence in this run" in texts
    del signals["control"]
    figure, _ = leakage_histograms(
        signals, "confidence", SCALES["linear"], LIGHT, {"control": "still being computed"}
    )
    headings = [note.text for note in figure.layout.annotations if "<b>" in note.text]
    assert [heading.split("</b>")[0] for heading in headings] == [
        "<b>Original",
        "<b>Control",
        "<b>Pruned",
    ]


@pytest.mark.parametrize(("quantity", "scale"), CASES)
def test_the_records_of_a_bar_are_those_it_counts(signals, quantity, scale):
    bins = shared_bins(list(signals.values()), quantity, SCALES[scale])
    values = signals["pruned"].values(quantity)
    held = np.array([bins.holding(values, index) for index in range(BINS)])
    assert held.sum(axis=1).tolist() == bins.counts(values).tolist()
    assert (held.sum(axis=0) == 1).all()


def test_one_empty_group_is_drawn_without_a_line(signals):
    one = signals["pruned"]
    members = type(one)(
        **{name: getattr(one, name)[one.member] for name in type(one).__dataclass_fields__}
    )
    figure, table = leakage_histograms({"pruned": members}, "confidence", SCALES["linear"], LIGHT)
    assert {shape.x0 for shape in figure.layout.shapes} == {members.confidence.mean()}
    assert table.loc[table["group"] == "non-members", "density"].sum() == 0


def test_bars_are_named_apart_and_the_outermost_say_so(signals):
    one = signals["pruned"]
    sure = type(one)(
        **{name: getattr(one, name) for name in type(one).__dataclass_fields__}
        | {"confidence": 1 - (1 - one.confidence) ** 4}
    )
    bins = shared_bins([sure], "confidence", SCALES["logit"])
    labels = [bins.label(index) for index in range(BINS)]
    assert len(set(labels)) == BINS
    assert labels[0].startswith("up to ")
    assert labels[-1].endswith(" and more")
    plain = shared_bins([sure], "confidence", SCALES["linear"])
    assert (plain.label(0), plain.label(BINS - 1)) == ("0 to 0.0333", "0.967 to 1")
