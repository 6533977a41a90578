"""Gaps of all models and classes as a heatmap."""

from __future__ import annotations

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from prunepriv.figures.classes.gaps import Gap, class_order
from prunepriv.figures.palette import KINDS, Theme
from prunepriv.figures.panels import Panels
from prunepriv.options import ModelKind


def gap_heatmap(
    table: pd.DataFrame, by: ModelKind, metric: Gap, theme: Theme, chosen: int | None = None
) -> tuple[go.Figure, pd.DataFrame]:
    """Models x classes, the classes in the order of the bars.

    Cells are vermilion where members have the higher value, blue where non-members have it.
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
