"""Shared edges, areas of one, lines at the means, and a table of exactly what is drawn."""

from __future__ import annotations

import numpy as np
import pytest

from prunepriv.divergence import EDGES
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
        assert np.bincount(at, minlength=len(rows)).tolist() == rows["records"].tolist()


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
    held = np.array([bins.holding(values, index) for index in range(len(bins.values) - 1)])
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


def _of(one, sensitivity):
    columns = {name: getattr(one, name) for name in type(one).__dataclass_fields__}
    return type(one)(**columns | {"sensitivity": sensitivity})


def test_bars_of_sensitivity_are_the_same_in_all_runs(signals):
    """An outlier lengthens the axis, and moves no bar."""
    one = signals["pruned"]
    far = one.sensitivity.copy()
    far[0] = 5e4
    plain, moved = (
        shared_bins([_of(one, values)], "sensitivity", SCALES["log"])
        for values in (one.sensitivity, far)
    )
    assert np.array_equal(plain.values, moved.values)
    assert moved.shown[1] == len(moved.values) - 2 > plain.shown[1]
    assert (plain.counts(one.sensitivity) - moved.counts(far)).any()
    assert np.abs(plain.counts(one.sensitivity) - moved.counts(far)).sum() == 2


def test_two_bars_are_one_bin_of_the_distances(signals):
    values = np.random.default_rng(0).lognormal(-4, 6, 2_000)
    values[:3] = 0.0, 1e-9, 1e9
    bins = shared_bins([_of(signals["pruned"], values)], "sensitivity", SCALES["log"])
    bars = bins.counts(values)
    pairs = [bars[0], *bars[1:-1].reshape(-1, 2).sum(axis=1), bars[-1]]
    assert pairs == np.histogram(values, EDGES["sensitivity"])[0].tolist()
    assert bins.shown == (0, len(bars) - 1)
    assert (bins.label(0), bins.label(len(bars) - 1)) == ("up to 1e\u22126", "1e3 and more")


def test_the_axis_shows_the_bars_that_hold_a_record(signals):
    figure, table = leakage_histograms(signals, "sensitivity", SCALES["linear"], LIGHT)
    held = table.groupby("bin")["records"].sum()
    held = held[held > 0].index
    low, high = figure.layout.xaxis.range
    first, last = (table[table["bin"] == one].iloc[0] for one in (held[0], held[-1]))
    assert low < np.log10(first["from"]) < low + 0.25
    assert high - 0.25 < np.log10(last["to"]) < high
