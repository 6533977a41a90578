"""Paired differences of attack accuracies, attack by attack, and a line at no change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from prunepriv.evaluation import CHOSEN, by_attack
from prunepriv.figures.leaderboard import ROW_HEIGHT
from prunepriv.figures.palette import Theme
from prunepriv.figures.panels import Panels
from prunepriv.options import ATTACKS
from prunepriv.prose import points

CHOSEN_LABEL = "Chosen"
"""The row of what each side's adversary would choose beforehand."""


def contrast_table(rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """The differences of attack accuracies over all records, largest first, the chosen one on top.

    Args:
        rows: of a contrast.

    Returns:
        Columns ``attack`` (label), ``difference``, ``low``, ``high`` and ``clear``; fractions.
    """
    found = [
        {
            "attack": CHOSEN_LABEL if row["attack"] == CHOSEN else ATTACKS[row["attack"]].label,
            "difference": row["difference"],
            "low": row["ci95"][0],
            "high": row["ci95"][1],
            "clear": row["clear"],
        }
        for row in by_attack(rows).values()
    ]
    table = pd.DataFrame(found, columns=["attack", "difference", "low", "high", "clear"])
    rank = table["difference"].rank(ascending=False, method="first")
    rank[table["attack"] == CHOSEN_LABEL] = 0
    return table.loc[rank.sort_values(kind="stable").index].reset_index(drop=True)


def contrast_dots(
    rows: Sequence[Mapping[str, Any]], theme: Theme
) -> tuple[go.Figure, pd.DataFrame]:
    """A row per attack: the difference with its interval, filled where it is clear.

    Returns:
        The figure and :func:`contrast_table`.
    """
    table = contrast_table(rows)
    attacks = list(table["attack"])
    panels = Panels(theme, height=ROW_HEIGHT * len(attacks) + 12, top=66, bottom=56)
    panels.upright(0, 0.0, color=theme.ink, width=1.5, dash="dot")
    panels.note(
        0, "no change", x=0, xref="x", y=1, yanchor="bottom", xanchor="center",
        font={"size": 11, "color": theme.muted},
    )  # fmt: skip
    places = pd.Series(range(len(table)), index=table.index)
    for clear in (True, False):
        ours = table[table["clear"].astype(bool) == clear]
        color = theme.ink if clear else theme.muted
        panels.trace(
            0, type="scatter", mode="markers", x=ours["difference"].tolist(),
            y=places[ours.index].tolist(), name="clear" if clear else "undecided",
            customdata=ours[["attack", "low", "high"]].to_numpy().tolist(),
            marker={"symbol": "circle" if clear else "circle-open", "size": 11, "color": color,
                    "line": {"width": 1.5, "color": color}},
            error_x={"type": "data", "symmetric": False, "color": color, "thickness": 1.5,
                     "width": 4, "array": (ours["high"] - ours["difference"]).tolist(),
                     "arrayminus": (ours["difference"] - ours["low"]).tolist()},
            hovertemplate="%{customdata[0]}: %{x:+.1%} (%{customdata[1]:+.1%} to "
            "%{customdata[2]:+.1%})<extra></extra>",
        )  # fmt: skip
    for place, difference in enumerate(table["difference"]):
        panels.note(
            0, points(difference).removesuffix(" points"), x=1, xanchor="right", y=place, yref="y"
        )
    reach = 1.35 * max(0.02, *table[["low", "high"]].abs().to_numpy().ravel().tolist())
    figure = panels.figure(
        x={"range": [-reach, reach], "tickformat": "+.0%",
           "title": {"text": "change of attack accuracy"}},
        y={"range": [len(attacks) - 0.5, -0.5], "tickmode": "array", "showgrid": False,
           "ticks": "", "tickvals": list(range(len(attacks))), "ticktext": attacks},
    )  # fmt: skip
    return figure, table
