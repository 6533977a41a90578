"""A row per model: two values connected by a line."""

from __future__ import annotations

import pandas as pd

from prunepriv.figures.palette import KINDS, MEMBERS, NON_MEMBERS
from prunepriv.figures.panels import Json, Panels

KIND_ROWS: Json = {"autorange": "reversed", "showgrid": False, "ticks": "", "dtick": 1}


def dumbbells(panels: Panels, place: int, means: pd.DataFrame) -> None:
    """A row per model: members' and non-members' value, connected by a line as long as the gap.

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
            marker={"symbol": look.symbol, "size": 12, "color": look.color,
                    "line": {"width": 1, "color": theme.surface}},
            hovertemplate=f"%{{y}}, {look.label}: %{{x:.3f}}<extra></extra>",
        )  # fmt: skip
