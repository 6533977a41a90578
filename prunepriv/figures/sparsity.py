"""How much of every layer pruning removed, and the requested share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from prunepriv.figures.palette import Theme
from prunepriv.figures.panels import Panels

MOST_BARS = 24
"""Most layers that get a bar and a name each; more layers are drawn as dots."""
ROW = 22
DOT = "\N{MIDDLE DOT}"


def sparsity_chart(
    layers: Mapping[str, float], requested: float, theme: Theme
) -> tuple[go.Figure, pd.DataFrame]:
    """Achieved sparsity of every layer, and the requested one as a line.

    Args:
        layers: share of the weights that was removed, 0 to 1, by layer in the network's order.
        requested: the requested share.

    Returns:
        The figure and a row per layer: ``number`` (from 1), ``layer``, ``sparsity``, ``requested``.
    """
    table = pd.DataFrame(
        {
            "number": range(1, len(layers) + 1),
            "layer": list(layers),
            "sparsity": list(layers.values()),
            "requested": requested,
        }
    )
    draw = _bars if len(layers) <= MOST_BARS else _dots
    return draw(table, requested, theme), table


def _bars(table: pd.DataFrame, requested: float, theme: Theme) -> go.Figure:
    """A horizontal bar per layer, the first on top."""
    panels = Panels(theme, height=ROW * len(table) + 12, top=34, bottom=48)
    panels.trace(
        0, type="bar", orientation="h", x=list(table["sparsity"]), y=list(table["layer"]),
        text=[f"{share:.1%}" for share in table["sparsity"]], textposition="auto",
        marker={"color": theme.muted, "line": {"width": 0}}, showlegend=False,
        hovertemplate="%{y}: %{x:.2%} removed<extra></extra>",
    )  # fmt: skip
    panels.upright(0, requested, **_line(theme))
    x, _ = panels.axes(0)
    panels.note(
        0,
        _requested(requested),
        x=requested,
        xref=x,
        y=1,
        yanchor="bottom",
        **_words(requested, theme),
    )
    panels.layout["bargap"] = 0.25
    return panels.figure(
        x=_SHARE,
        y={"autorange": "reversed", "showline": False, "ticks": "", "dtick": 1, "type": "category",
           "automargin": True, "showgrid": False},
    )  # fmt: skip


def _dots(table: pd.DataFrame, requested: float, theme: Theme) -> go.Figure:
    """A dot per layer over its number, for networks too deep for names."""
    panels = Panels(theme, height=240, top=34, bottom=52)
    panels.trace(
        0, type="scatter", mode="markers", x=table["number"], y=table["sparsity"],
        customdata=table["layer"], showlegend=False,
        marker={"color": theme.ink, "size": 6},
        hovertemplate="%{customdata}: %{y:.2%} removed<extra></extra>",
    )  # fmt: skip
    panels.level(0, requested, **_line(theme))
    words = {"size": 11, "color": theme.muted}
    panels.heading(0, f"{3 * DOT} {_requested(requested)}", x=1, xanchor="right", font=words)
    share = {**_SHARE, "title": {"text": "removed"}}
    return panels.figure(
        x={"title": {"text": "layer, from input to output"}, "showgrid": False, "nticks": 8},
        y=share,
    )


_SHARE: dict[str, Any] = {
    "range": [0, 1.02],
    "tickformat": ".0%",
    "tickvals": [0, 0.25, 0.5, 0.75, 1],
    "title": {"text": "weights of the layer that were removed"},
}


def _line(theme: Theme) -> dict[str, Any]:
    return {"color": theme.ink, "width": 1.5, "dash": "dot"}


def _requested(requested: float) -> str:
    return f"requested: {100 * requested:g}\u202f%"


def _words(requested: float, theme: Theme) -> dict[str, Any]:
    anchor = "right" if requested > 0.7 else "left" if requested < 0.3 else "center"
    return {"xanchor": anchor, "font": {"size": 11, "color": theme.muted}}
