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


def attack_label(name: str) -> str:
    """The label of an attack, or of the policy to choose one."""
    return CHOSEN_LABEL if name == CHOSEN else ATTACKS[name].label


def contrast_table(rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """The differences of attack accuracies over all records, largest first, the chosen one on top.

    Args:
        rows: of a contrast.

    Returns:
        Columns ``attack`` (label), ``difference``, ``low``, ``high`` and ``clear``; fractions.
    """
    found = [
        {
            "attack": attack_label(row["attack"]),
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
    panels = panels_of_changes(len(attacks), theme)
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
    told = [points(one).removesuffix(" points") for one in table["difference"]]
    ends = table[["low", "high"]]
    figure = figure_of_changes(panels, attacks, told, ends, "change of attack accuracy", "+.0%")
    return figure, table


def panels_of_changes(rows: int, theme: Theme) -> Panels:
    """Room for a row per difference, and the line of no change."""
    panels = Panels(theme, height=ROW_HEIGHT * rows + 12, top=66, bottom=56)
    panels.upright(0, 0.0, color=theme.ink, width=1.5, dash="dot")
    panels.note(
        0, "no change", x=0, xref="x", y=1, yanchor="bottom", xanchor="center",
        font={"size": 11, "color": theme.muted},
    )  # fmt: skip
    return panels


def figure_of_changes(
    panels: Panels,
    labels: Sequence[str],
    told: Sequence[str],
    drawn: pd.DataFrame,
    title: str,
    ticks: str,
) -> go.Figure:
    """The figure, with an axis that holds every value and has no change in its middle.

    Args:
        panels: of :func:`panels_of_changes`, with the marks.
        labels: of the rows, the first on top.
        told: each row's value, at its right end.
        drawn: every value that is drawn; missing ones do not count.
        title: of the axis.
        ticks: format of its numbers.
    """
    for place, text in enumerate(told):
        panels.note(0, text, x=1, xanchor="right", y=place, yref="y")
    reach = 1.7 * max(0.02, float(drawn.astype(float).abs().max().max()))
    return panels.figure(
        x={"range": [-reach, reach], "tickformat": ticks, "title": {"text": title}},
        y={"range": [len(labels) - 0.5, -0.5], "tickmode": "array", "showgrid": False,
           "ticks": "", "tickvals": list(range(len(labels))), "ticktext": list(labels)},
    )  # fmt: skip
