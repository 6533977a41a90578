"""What a threshold does: the histogram it divides, the four counts, its point on the ROC."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from prunepriv.evaluation import Confusion, ScoreCurve
from prunepriv.figures.histograms import fill
from prunepriv.figures.palette import MEMBERS, NON_MEMBERS, Group, Theme, rgba
from prunepriv.figures.panels import Panels
from prunepriv.figures.roc import Curve
from prunepriv.prose import percent

Spacing = Literal["even", "linear"]
BINS = 40
STOPS = 200
"""Positions of the slider."""


def start_threshold(thresholds: tuple[float, ...], label: np.ndarray) -> float:
    """The attack's own threshold; with one per class, their median over the records.

    Args:
        thresholds: one, or one per class.
        label: (n,) class of each record.
    """
    if len(thresholds) == 1:
        return thresholds[0]
    own = np.array(thresholds)[label]
    finite = own[np.isfinite(own)]
    # so the median is one of the thresholds, not a mean of two
    return float(np.quantile(finite, 0.5, method="lower")) if len(finite) else 0.0


def slider_stops(curve: ScoreCurve, start: float) -> dict[str, float]:
    """Thresholds that a slider offers, by their text, ascending.

    There are equally many records between two stops, and the starting point is one of them.
    """
    pooled = np.sort(np.concatenate([curve.members, curve.non_members]))
    ranks = np.linspace(0, len(pooled) - 1, STOPS).round().astype(int)
    values = np.unique(np.append(pooled[ranks], start))
    stops = {f"{start:.5g}": start}
    for value in values:
        stops.setdefault(f"{value:.5g}", float(value))
    return dict(sorted(stops.items(), key=lambda stop: stop[1]))


@dataclass(frozen=True)
class Cut:
    """Bins of a score, with one edge at the threshold.

    Attributes:
        edges: (bins,) lower ends; the last bin has no upper end.
        positions: (bins + 1,) the edges on the axis.
    """

    edges: np.ndarray
    positions: np.ndarray

    def counts(self, ascending: np.ndarray) -> np.ndarray:
        """(bins,) how many of the sorted scores each bin holds."""
        below = np.append(np.searchsorted(ascending, self.edges), len(ascending))
        return np.asarray(np.diff(below))


def cut_bins(curve: ScoreCurve, threshold: float, spacing: Spacing) -> Cut:
    """Bins divided at the threshold.

    With even spacing a bin is as wide as its share of all records, so ends of the scale with many
    records stay readable; linear spacing shows the score itself.
    """
    distinct = curve.thresholds[np.isfinite(curve.thresholds)]
    low, high = float(distinct[0]), float(distinct[-1])
    if spacing == "linear" and high > low:
        edges = np.linspace(low, high, BINS + 1)[:-1]
    else:
        ranks = np.linspace(0, len(distinct) - 1, min(BINS, len(distinct))).round().astype(int)
        pooled = np.sort(np.concatenate([curve.members, curve.non_members]))
        quantiles = pooled[np.linspace(0, len(pooled) - 1, BINS + 1).astype(int)[:-1]]
        edges = np.unique(distinct[ranks] if len(distinct) <= BINS else quantiles)
    inside = low < threshold <= high
    edges = np.union1d(edges, [threshold]) if inside else edges
    if spacing == "linear" and high > low:
        return Cut(edges, np.append(edges, high))
    pooled = np.sort(np.concatenate([curve.members, curve.non_members]))
    below = np.searchsorted(pooled, edges) / len(pooled)
    return Cut(edges, np.append(below, 1.0))


def threshold_histogram(
    curve: Curve, threshold: float, spacing: Spacing, theme: Theme
) -> tuple[go.Figure, pd.DataFrame]:
    """Members upwards, non-members downwards, divided at the threshold.

    Records on the right are called members: true positives above, false positives below.

    Returns:
        The figure and its bars: ``group``, ``from``, ``records``, ``density``, ``verdict``.
    """
    cut = cut_bins(curve.points, threshold, spacing)
    parts = [
        _bars_of(look, scores, cut, threshold)
        for look, scores in (
            (MEMBERS, curve.points.members),
            (NON_MEMBERS, curve.points.non_members),
        )
    ]
    table = pd.concat(parts, ignore_index=True)
    panels = Panels(theme, height=300, top=44, bottom=60)
    for look in (MEMBERS, NON_MEMBERS):
        for verdict in ("member", "non-member"):
            ours = table[(table["group"] == look.label) & (table["verdict"] == verdict)]
            _draw(panels, ours, look, verdict, cut)
    _mark_cut(panels, curve.points.confusion(threshold), threshold, cut)
    reach = 1.18 * float(table["density"].max())
    step = float(f"{reach / 2.4:.1g}")
    ticks = [step * place for place in range(-2, 3)]
    panels.layout |= {"barmode": "overlay", "showlegend": False}
    figure = panels.figure(
        x={"range": [cut.positions[0], cut.positions[-1]], "showgrid": False,
           "title": {"text": f"score of {curve.label}"}, **_ticks(cut, spacing)},
        y={"range": [-reach, reach], "title": {"text": "density"}, "tickvals": ticks,
           "ticktext": [f"{abs(tick):g}" for tick in ticks], "zeroline": True,
           "zerolinecolor": theme.ink},
    )  # fmt: skip
    return figure, table


def _bars_of(look: Group, ascending: np.ndarray, cut: Cut, threshold: float) -> pd.DataFrame:
    counts = cut.counts(ascending)
    width = np.diff(cut.positions)
    with np.errstate(divide="ignore", invalid="ignore"):
        height = np.where(width > 0, counts / (len(ascending) * width), 0.0)
    verdict = np.where(cut.edges >= threshold, "member", "non-member")
    columns = {"from": cut.edges, "records": counts, "density": height, "verdict": verdict}
    return pd.DataFrame({"group": look.label, **columns, "place": cut.positions[:-1]})


def _draw(panels: Panels, table: pd.DataFrame, look: Group, verdict: str, cut: Cut) -> None:
    width = np.diff(cut.positions)[np.searchsorted(cut.edges, table["from"].to_numpy())]
    sign = 1 if look is MEMBERS else -1
    panels.trace(
        0, type="bar", x=table["place"].to_numpy(), offset=0, width=width,
        y=sign * table["density"].to_numpy(), name=f"{look.label} called {verdict}s",
        marker=fill(look, 1.0 if verdict == "member" else 0.3),
        customdata=table["records"].tolist(),
        hovertemplate=f"%{{customdata:,}} {look.label} called {verdict}s<extra></extra>",
    )  # fmt: skip


def _mark_cut(panels: Panels, counts: Confusion, threshold: float, cut: Cut) -> None:
    """The threshold's line, and a count in each of the four corners."""
    inside = threshold > cut.edges[0]
    at = float(np.interp(threshold, cut.edges, cut.positions[:-1])) if inside else cut.positions[0]
    if threshold > cut.edges[-1] and len(cut.edges) + 1 == len(cut.positions):
        at = cut.positions[-1]
    panels.upright(0, at, color=panels.theme.ink, width=2.5)
    corners = (
        (0.01, 0.99, "false negatives", counts.false_negatives),
        (0.99, 0.99, "true positives", counts.true_positives),
        (0.01, 0.01, "true negatives", counts.true_negatives),
        (0.99, 0.01, "false positives", counts.false_positives),
    )
    for x, y, name, count in corners:
        panels.note(
            0, f"<b>{count:,}</b> {name}", x=x, y=y, xanchor="left" if x < 0.5 else "right",
            yanchor="top" if y > 0.5 else "bottom", bgcolor=rgba(panels.theme.surface, 0.75),
        )  # fmt: skip


def _ticks(cut: Cut, spacing: Spacing) -> dict[str, object]:
    if spacing == "linear":
        return {"nticks": 6}
    wanted = np.linspace(0, 1, 6)[:-1]
    nearest = np.unique([int(np.abs(cut.positions[:-1] - one).argmin()) for one in wanted])
    return {
        "tickmode": "array",
        "tickvals": cut.positions[:-1][nearest].tolist(),
        "ticktext": [f"{value:.3g}" for value in cut.edges[nearest]],
    }


def roc_point(curve: Curve, threshold: float, theme: Theme) -> tuple[go.Figure, pd.DataFrame]:
    """The ROC with a dot at the threshold.

    Returns:
        The figure and the vertices it draws, with the dot as the row named "threshold".
    """
    fpr, tpr, thresholds = curve.corners
    here = curve.points.confusion(threshold)
    panels = Panels(theme, height=300, top=44, bottom=60)
    panels.box(0, type="line", x0=0, y0=0, x1=1, y1=1, line={"color": theme.muted, "dash": "dot"})
    panels.trace(
        0, type="scatter", mode="lines", x=fpr, y=tpr, name=curve.label, hoverinfo="skip",
        line={"shape": "hv", "color": theme.ink, "width": 2},
    )  # fmt: skip
    panels.trace(
        0, type="scatter", mode="markers", x=[here.fpr], y=[here.tpr], name="threshold",
        marker={"size": 15, "color": theme.surface, "line": {"width": 4, "color": theme.ink}},
        hovertemplate="TPR %{y:.1%} at FPR %{x:.1%}<extra></extra>",
    )  # fmt: skip
    _guides(panels, here)
    panels.layout["showlegend"] = False
    axis = {"range": [-0.02, 1.02], "tickformat": ".0%", "dtick": 0.2}
    figure = panels.figure(
        x={**axis, "title": {"text": "false positive rate"}},
        y={**axis, "title": {"text": "true positive rate"}},
    )
    vertices = pd.DataFrame({"point": "curve", "threshold": thresholds, "fpr": fpr, "tpr": tpr})
    dot = pd.DataFrame(
        {"point": ["threshold"], "threshold": threshold, "fpr": here.fpr, "tpr": here.tpr}
    )
    return figure, pd.concat([vertices, dot], ignore_index=True)


def _guides(panels: Panels, here: Confusion) -> None:
    """Lines from the dot to the axes, in the colours of the groups whose shares they are."""
    for look, line in (
        (MEMBERS, {"x0": 0, "x1": here.fpr, "y0": here.tpr, "y1": here.tpr}),
        (NON_MEMBERS, {"x0": here.fpr, "x1": here.fpr, "y0": 0, "y1": here.tpr}),
    ):
        panels.box(
            0, type="line", line={"color": look.color, "dash": look.dash, "width": 2}, **line
        )


def confusion_tiles(counts: Confusion, theme: Theme) -> tuple[go.Figure, pd.DataFrame]:
    """The confusion matrix: a row per truth, with darker tiles for larger shares of it.

    Returns:
        The figure and its four rows: ``truth``, ``verdict``, ``records``, ``share`` (of the truth).
    """
    cells = [
        ("member", "member", counts.true_positives, counts.tpr),
        ("member", "non-member", counts.false_negatives, 1 - counts.tpr),
        ("non-member", "member", counts.false_positives, counts.fpr),
        ("non-member", "non-member", counts.true_negatives, 1 - counts.fpr),
    ]
    names = ("true positives", "false negatives", "false positives", "true negatives")
    panels = Panels(theme, height=300, top=44, bottom=16)
    panels.trace(0, type="scatter", x=[], y=[], showlegend=False)
    for place, ((_, _, records, share), name) in enumerate(zip(cells, names, strict=True)):
        y, x = divmod(place, 2)
        look = MEMBERS if y == 0 else NON_MEMBERS
        panels.box(
            0, x0=x + 0.01, x1=x + 0.99, y0=y + 0.02, y1=y + 0.98,
            fillcolor=rgba(look.color, 0.08 + 0.5 * share),
            line={"color": look.color, "width": 1.5, "dash": look.dash},
        )  # fmt: skip
        text = f"<b>{records:,}</b><br>{name}<br>{percent(share)}"
        panels.note(0, text, x=x + 0.5, y=y + 0.5, xref="x", yref="y", font={"size": 13})
    bare = {"showgrid": False, "zeroline": False, "ticks": "", "showline": False,
            "tickmode": "array", "tickvals": [0.5, 1.5]}  # fmt: skip
    figure = panels.figure(
        x={
            **bare,
            "range": [0, 2],
            "side": "top",
            "ticktext": ["called member", "called non-member"],
        },
        y={**bare, "range": [2, 0], "ticktext": ["member", "non-<br>member"]},
    )
    return figure, pd.DataFrame(cells, columns=["truth", "verdict", "records", "share"])
