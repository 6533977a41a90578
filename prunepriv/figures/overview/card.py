"""A figure of a card's size."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from prunepriv.figures.palette import Theme
from prunepriv.figures.panels import Json

HEIGHT = 140
SMALL = 11

UNLINED: Json = {"autorange": "reversed", "showline": False, "ticks": ""}
"""An axis of names, the first on top."""


def card(traces: Sequence[Json], theme: Theme, x: Json, y: Json, **layout: Any) -> go.Figure:
    """A figure of a card's size: no legend, small type, thin margins.

    It is built in one call, because plotly checks the whole layout at every update.
    """
    tickfont = {"tickfont": {"size": SMALL}}
    base = {
        "template": theme.template,
        "height": HEIGHT,
        "showlegend": False,
        "font": {"size": SMALL},
        "margin": {"t": 8, "b": 26, "l": 8, "r": 14},
        "xaxis": tickfont | x,
        "yaxis": tickfont | y,
    }
    return go.Figure({"data": list(traces), "layout": base | layout})
