"""Distances between members' and non-members' distributions, by class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from prunepriv.figures.palette import KINDS, Theme, rgba
from prunepriv.figures.panels import Json, Panels
from prunepriv.options import ModelKind
from prunepriv.store.signals import Quantity

Distance = Literal["js", "kl", "wasserstein"]

DISTANCE_LABELS: dict[Distance, str] = {
    "js": "Jensen-Shannon divergence (bits)",
    "kl": "Kullback-Leibler divergence (bits)",
    "wasserstein": "Wasserstein distance",
}


def distance_scatter(
    gaps: Mapping[ModelKind, pd.DataFrame],
    quantity: Quantity,
    distance: Distance,
    names: Sequence[str],
    theme: Theme,
    chosen: int | None = None,
) -> tuple[go.Figure, pd.DataFrame]:
    """Distances between members' and non-members' distributions in two models, by class.

    A point above the diagonal is a class whose distance became larger. The first model is the
    "before"; each of the other models has a panel.

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
    panels.below(f"{KINDS[first].words} model: {DISTANCE_LABELS[distance]}")
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
