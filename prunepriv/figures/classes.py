"""Who pays for pruning: gaps and distances class by class.

The tables come from :mod:`prunepriv.divergence`, one row per class. A class holds few records, so
every bar carries a 95 % interval: without it the order of the bars would be read as a finding.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from prunepriv.figures.palette import KINDS, MEMBERS, NON_MEMBERS, Theme, rgba
from prunepriv.figures.panels import Json, Panels
from prunepriv.options import ModelKind
from prunepriv.store.signals import RecordSignals

Gap = Literal["confidence", "sensitivity", "generalization"]
Distance = Literal["js", "kl", "wasserstein"]

GAP_LABELS: dict[Gap, str] = {
    "confidence": "Confidence gap",
    "sensitivity": "Sensitivity gap",
    "generalization": "Generalisation gap",
}
DISTANCE_LABELS: dict[Distance, str] = {
    "js": "Jensen-Shannon divergence (bits)",
    "kl": "Kullback-Leibler divergence (bits)",
    "wasserstein": "Wasserstein distance",
}
BEHIND: dict[Gap, str] = {
    "confidence": "confidence",
    "sensitivity": "sensitivity",
    "generalization": "accuracy",
}
"""What a gap is the difference of, as divergence.py names the columns."""
Z95 = 1.96
ROW_HEIGHT = 22


def class_gaps(
    gaps: Mapping[ModelKind, pd.DataFrame],
    metric: Gap,
    names: Sequence[str],
    signals: Mapping[ModelKind, RecordSignals] | None = None,
) -> pd.DataFrame:
    """One row per model and class that has members and non-members.

    Returns:
        Columns ``model``, ``class``, ``name``, ``gap``, ``margin`` (half of the 95 % interval, nan
        without signals), ``members``, ``non_members``.
    """
    parts = []
    for kind, table in gaps.items():
        rows = table[table["class"].notna() & table[metric].notna()]
        label = rows["class"].astype(int)
        margin = np.full(len(names), np.nan)
        if signals is not None and kind in signals:
            margin = gap_margins(signals[kind], metric, len(names))
        part = {
            "model": kind,
            "class": label.to_numpy(),
            "name": [names[one] for one in label],
            "gap": rows[metric].to_numpy(dtype=float),
            "margin": margin[label],
            "members": rows["members"].to_numpy(dtype=int),
            "non_members": rows["non_members"].to_numpy(dtype=int),
        }
        parts.append(pd.DataFrame(part))
    return pd.concat(parts, ignore_index=True)


def gap_margins(signals: RecordSignals, metric: Gap, classes: int) -> np.ndarray:
    """(classes,) half-widths of the gaps' 95 % intervals (normal; difference of two means).

    Infinitely wide (nan) where a group has fewer than two records.
    """
    values = signals.correct if metric == "generalization" else signals.values(metric)
    variance = np.zeros(classes)
    for member in (True, False):
        ours = signals.member == member
        label, x = signals.label[ours], np.asarray(values[ours], dtype=np.float64)
        count = np.bincount(label, minlength=classes).astype(float)
        count[count < 2] = np.nan
        mean = np.bincount(label, x, minlength=classes) / count
        square = np.bincount(label, (x - mean[label]) ** 2, minlength=classes) / (count - 1)
        variance += square / count
    return np.asarray(Z95 * np.sqrt(variance))


def class_order(table: pd.DataFrame, by: ModelKind) -> list[int]:
    """Classes by falling gap of one model; equal gaps by number."""
    ours = table[table["model"] == by].sort_values(["gap", "class"], ascending=[False, True])
    return [int(label) for label in ours["class"]]


def gap_bars(
    table: pd.DataFrame, by: ModelKind, metric: Gap, theme: Theme, most: int | None = None
) -> tuple[go.Figure, pd.DataFrame]:
    """A bar per class, largest gap first, for one model; the other models as marks beside it.

    Args:
        table: :func:`class_gaps`.
        by: the model of the bars.
        most: only so many classes; all of them for None.

    Returns:
        The figure, whose marks carry the class as ``customdata[0]``, and the rows it shows.
    """
    order = class_order(table, by)[:most]
    shown = table[table["class"].isin(order)]
    names = shown.drop_duplicates("class").set_index("class")["name"]
    panels = Panels(theme, height=ROW_HEIGHT * len(order) + 16, top=44, bottom=56)
    panels.trace(0, **_bars(shown[shown["model"] == by], by, theme))
    for kind in (k for k in KINDS if k != by and k in set(shown["model"])):
        panels.trace(0, **_marks(shown[shown["model"] == kind], kind, theme))
    figure = panels.figure(
        x={"title": {"text": f"{GAP_LABELS[metric].lower()} (members \N{MINUS SIGN} non-members)"},
           "zeroline": True, "zerolinecolor": theme.ink, "nticks": 6},
        y={"categoryorder": "array", "categoryarray": [names[label] for label in order],
           "autorange": "reversed", "showgrid": False, "ticks": "", "dtick": 1,
           "tickfont": {"size": 11}},
    )  # fmt: skip
    return figure, shown.reset_index(drop=True)


def _hover(kind: ModelKind) -> str:
    return (
        f"%{{y}}, {KINDS[kind].label.lower()}: %{{x:.3f}} ± %{{customdata[1]:.3f}}<br>"
        "%{customdata[2]:,} members, %{customdata[3]:,} non-members<extra></extra>"
    )


def _custom(table: pd.DataFrame) -> list[list[float]]:
    columns = ("class", "margin", "members", "non_members")
    return [list(row) for row in table[[*columns]].itertuples(index=False)]


def _bars(table: pd.DataFrame, kind: ModelKind, theme: Theme) -> Json:
    return {
        "type": "bar",
        "orientation": "h",
        "x": table["gap"].to_numpy(),
        "y": table["name"].tolist(),
        "name": KINDS[kind].label,
        "customdata": _custom(table),
        "width": 0.72,
        "marker": {"color": rgba(theme.ink, 0.28), "line": {"color": theme.ink, "width": 1}},
        "error_x": {
            "array": table["margin"].fillna(0).to_numpy(),
            "color": theme.muted,
            "thickness": 1.2,
            "width": 3,
        },
        "hovertemplate": _hover(kind),
    }


def _marks(table: pd.DataFrame, kind: ModelKind, theme: Theme) -> Json:
    return {
        "type": "scatter",
        "mode": "markers",
        "x": table["gap"].to_numpy(),
        "y": table["name"].tolist(),
        "name": KINDS[kind].label,
        "customdata": _custom(table),
        "marker": {
            "symbol": KINDS[kind].symbol,
            "size": 9,
            "color": theme.ink,
            "line": {"width": 1.5, "color": theme.ink},
        },
        "hovertemplate": _hover(kind),
    }


def gap_heatmap(
    table: pd.DataFrame, by: ModelKind, metric: Gap, theme: Theme, chosen: int | None = None
) -> tuple[go.Figure, pd.DataFrame]:
    """Models x classes, the classes in the order of the bars.

    Vermilion where members have the higher value, blue where non-members have.
    """
    order = class_order(table, by)
    kinds = [kind for kind in KINDS if kind in set(table["model"])]
    cells = table.pivot_table(index="model", columns="class", values="gap").reindex(
        index=kinds, columns=order
    )
    names = table.drop_duplicates("class").set_index("class")["name"]
    reach = float(np.nanmax(np.abs(cells.to_numpy()))) or 1.0
    panels = Panels(theme, height=38 * len(kinds), top=16, bottom=96)
    panels.trace(
        0, type="heatmap", z=cells.to_numpy(), x=[names[c] for c in order],
        y=[KINDS[kind].label for kind in kinds], zmin=-reach, zmax=reach, xgap=1, ygap=2,
        colorscale=theme.diverging,
        colorbar={"thickness": 10, "outlinewidth": 0, "nticks": 5, "tickfont": {"size": 11}},
        hovertemplate="%{x}, %{y}: %{z:.3f}<extra></extra>",
    )  # fmt: skip
    if chosen in order:
        at = order.index(chosen)
        panels.box(
            0, x0=at - 0.5, x1=at + 0.5, y0=-0.5, y1=len(kinds) - 0.5, layer="above",
            line={"color": theme.ink, "width": 2},
        )  # fmt: skip
    figure = panels.figure(
        x={"type": "category", "showgrid": False, "ticks": "", "tickangle": -60,
           "tickfont": {"size": 10}, "title": {"text": "class, largest gap first"}},
        y={"autorange": "reversed", "showgrid": False, "ticks": ""},
    )  # fmt: skip
    return figure, table.reset_index(drop=True)


def class_means(
    gaps: Mapping[ModelKind, pd.DataFrame],
    metric: Gap,
    label: int | None,
    name: str,
    theme: Theme,
) -> tuple[go.Figure, pd.DataFrame]:
    """Members' and non-members' means of one class under every model, beside all classes together.

    Returns:
        The figure and its rows: ``records`` (the class or "all classes"), ``model``, ``members``,
        ``non-members`` (means).
    """
    parts: list[tuple[str, int | None]] = [("all classes", None)]
    if label is not None:
        parts.insert(0, (name, label))
    column = BEHIND[metric]
    rows = []
    for what, which in parts:
        for kind, table in gaps.items():
            found = table[table["class"].isna() if which is None else table["class"] == which]
            ours, theirs = found[[f"{column}_members", f"{column}_non_members"]].iloc[0]
            rows.append({"records": what, "model": kind, "members": ours, "non-members": theirs})
    means = pd.DataFrame(rows)
    panels = Panels(theme, 1, len(parts), height=36 * len(gaps) + 20, top=64, bottom=56)
    for place, (what, _) in enumerate(parts):
        dumbbells(panels, place, means[means["records"] == what])
        panels.heading(place, f"<b>{what}</b>")
    panels.below(f"mean {column}")
    return panels.figure(x={"nticks": 5}, y={**KIND_ROWS}), means


KIND_ROWS: Json = {"autorange": "reversed", "showgrid": False, "ticks": "", "dtick": 1}


def dumbbells(panels: Panels, place: int, means: pd.DataFrame) -> None:
    """A row per model: members' and non-members' value, joined by a line as long as the gap.

    Args:
        means: columns ``model``, ``members``, ``non-members``.
    """
    theme = panels.theme
    labels = [KINDS[kind].label for kind in means["model"]]
    ends = [(a, b, None) for a, b in zip(means["members"], means["non-members"], strict=True)]
    panels.trace(
        place, type="scatter", mode="lines", x=[x for end in ends for x in end],
        y=[label for label in labels for _ in range(3)], showlegend=False, hoverinfo="skip",
        line={"color": theme.muted, "width": 3},
    )  # fmt: skip
    for look in (MEMBERS, NON_MEMBERS):
        panels.trace(
            place, type="scatter", mode="markers", x=means[look.label].to_numpy(dtype=float),
            y=labels, name=look.label, legendgroup=look.label, showlegend=place == 0,
            marker={"symbol": look.symbol, "size": 12, "color": look.colour,
                    "line": {"width": 1, "color": theme.surface}},
            hovertemplate=f"%{{y}}, {look.label}: %{{x:.3f}}<extra></extra>",
        )  # fmt: skip


def distance_scatter(
    gaps: Mapping[ModelKind, pd.DataFrame],
    quantity: Literal["confidence", "sensitivity"],
    distance: Distance,
    names: Sequence[str],
    theme: Theme,
    chosen: int | None = None,
) -> tuple[go.Figure, pd.DataFrame]:
    """How far members' and non-members' distributions lie apart, before and after, class by class.

    A point above the diagonal is a class that became easier to tell apart. The first model given is
    the "before"; each further one has a panel.

    Returns:
        The figure, whose points carry the class as ``customdata[0]``, and its rows: ``model``,
        ``class``, ``name``, ``before``, ``after``.
    """
    column = f"{quantity}_{distance}"
    (first, before), *others = gaps.items()
    start = _by_class(before, column)
    parts = []
    for kind, table in others:
        both = pd.concat({"before": start, "after": _by_class(table, column)}, axis=1).dropna()
        label = both.index.astype(int)
        both = both.reset_index(drop=True)
        both["model"], both["class"] = kind, label
        both["name"] = [names[one] for one in label]
        parts.append(both)
    table = pd.concat(parts, ignore_index=True)[["model", "class", "name", "before", "after"]]
    top = 1.08 * float(table[["before", "after"]].max().max()) or 1.0
    panels = Panels(theme, 1, len(others), height=240, top=40, bottom=60)
    for place, (kind, _) in enumerate(others):
        panels.box(
            place,
            type="line",
            x0=0,
            y0=0,
            x1=top,
            y1=top,
            line={"color": theme.muted, "dash": "dot"},
        )
        _points(panels, place, table[table["model"] == kind], chosen)
        panels.heading(place, f"<b>{KINDS[kind].label}</b>")
    panels.below(f"{KINDS[first].label.lower()} model: {DISTANCE_LABELS[distance]}")
    panels.layout["showlegend"] = False
    axis: Json = {"range": [-0.02 * top, top], "nticks": 5}
    return panels.figure(x=axis, y={**axis, "title": {"text": "this model"}}), table


def _by_class(table: pd.DataFrame, column: str) -> pd.Series:
    rows = table[table["class"].notna()]
    return pd.Series(rows[column].to_numpy(dtype=float), index=rows["class"].astype(int))


def _points(panels: Panels, place: int, table: pd.DataFrame, chosen: int | None) -> None:
    theme = panels.theme
    picked = (table["class"] == chosen).to_numpy()
    panels.trace(
        place, type="scatter", mode="markers+text", x=table["before"].to_numpy(),
        y=table["after"].to_numpy(), customdata=table[["class", "name"]].to_numpy().tolist(),
        text=np.where(picked, table["name"], "").tolist(), textposition="top center",
        marker={"size": np.where(picked, 13, 8).tolist(), "symbol": "circle",
                "color": np.where(picked, theme.ink, rgba(theme.ink, 0.35)).tolist(),
                "line": {"width": 1, "color": theme.ink}},
        hovertemplate="%{customdata[1]}: %{x:.3f} before, %{y:.3f} after<extra></extra>",
    )  # fmt: skip
