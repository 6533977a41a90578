"""Attack accuracies with their 95 % intervals, and a line at chance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from prunepriv.figures.palette import ACCURACY_RANGE, CHANCE, KINDS, Theme
from prunepriv.figures.panels import Panels
from prunepriv.options import ATTACKS
from prunepriv.plan import Target
from prunepriv.prose import percent

ROW_HEIGHT = 34


def target_label(target: Target) -> str:
    """The model's name; for a defended model also the adversary."""
    name = KINDS[target.model].label
    if target.model != "defended":
        return name
    return f"{name}, {'adaptive' if target.adversary == 'adaptive' else 'non-adaptive'} adversary"


def target_symbol(target: Target) -> str:
    """The model's mark; hollow for the non-adaptive adversary."""
    mark = KINDS[target.model].symbol
    return mark if target.adversary == "adaptive" else f"{mark}-open"


def accuracy_table(leaderboard: pd.DataFrame, series: Sequence[Target]) -> pd.DataFrame:
    """The rows of a leaderboard for these series; the best attack of the first series comes first.

    Returns:
        Columns ``attack`` (label), ``series``, ``accuracy``, ``low``, ``high`` (95 % interval),
        ``auc``, ``members``, ``non_members``.
    """
    parts = []
    for one in series:
        rows = leaderboard[
            (leaderboard["model"] == one.model) & (leaderboard["adversary"] == one.adversary)
        ]
        ends = np.array(rows["accuracy_ci95"].tolist()).reshape(len(rows), 2)
        table = pd.DataFrame(
            {
                "attack": [ATTACKS[name].label for name in rows["attack"]],
                "series": target_label(one),
                "accuracy": rows["accuracy"].to_numpy(),
                "low": ends[:, 0],
                "high": ends[:, 1],
            }
        )
        for column in ("auc", "members", "non_members"):
            table[column] = rows[column].to_numpy()
        parts.append(table)
    table = pd.concat(parts, ignore_index=True)
    order = table.drop_duplicates("attack").set_index("attack")["accuracy"]
    place = table["attack"].map(order.rank(ascending=False, method="first"))
    return table.loc[place.sort_values(kind="stable").index].reset_index(drop=True)


def accuracy_dots(
    leaderboard: pd.DataFrame, series: Sequence[Target], theme: Theme
) -> tuple[go.Figure, pd.DataFrame]:
    """A row per attack, a mark with its interval per series; the axis is the same on every page.

    Args:
        leaderboard: ``Result.leaderboard()``.
        series: the first one sets the order and is drawn in ink, others in grey; not empty.

    Returns:
        The figure, whose marks carry the attack's label as ``y``, and :func:`accuracy_table`.
    """
    table = accuracy_table(leaderboard, series)
    attacks = list(dict.fromkeys(table["attack"]))
    top = 48 + 18 * len(series)  # on a phone the legend has a line per series
    panels = Panels(theme, height=ROW_HEIGHT * len(attacks) + 12, top=top, bottom=56)
    chance_line(panels, 0)
    spread = np.linspace(-0.22, 0.22, len(series)) if len(series) > 1 else np.zeros(1)
    rows = {attack: place for place, attack in enumerate(attacks)}
    for one, offset in zip(series, spread, strict=True):
        ours = table[table["series"] == target_label(one)]
        _dots(panels, ours, one, ours["attack"].map(rows) + offset, first=one is series[0])
    front = table[table["series"] == target_label(series[0])]
    for attack, accuracy in zip(front["attack"], front["accuracy"], strict=True):
        panels.note(0, percent(accuracy), x=1, xanchor="right", y=rows[attack], yref="y")
    figure = panels.figure(
        x={"range": list(ACCURACY_RANGE), "tickformat": ".0%", "dtick": 0.1,
           "title": {"text": "attack accuracy (balanced)"}},
        y={"range": [len(attacks) - 0.5, -0.5], "tickmode": "array", "showgrid": False,
           "ticks": "", "tickvals": list(range(len(attacks))), "ticktext": attacks},
    )  # fmt: skip
    return figure, table


def _dots(
    panels: Panels, table: pd.DataFrame, series: Target, places: pd.Series, first: bool
) -> None:
    theme = panels.theme
    color = theme.ink if first else theme.muted
    panels.trace(
        0, type="scatter", mode="markers", x=table["accuracy"].to_numpy(), y=places.to_numpy(),
        name=target_label(series), customdata=table[["attack", "low", "high"]].to_numpy().tolist(),
        marker={"symbol": target_symbol(series), "size": 11 if first else 9, "color": color,
                "line": {"width": 1.5, "color": color}},
        error_x={"type": "data", "symmetric": False, "color": color, "thickness": 1.5,
                 "width": 4, "array": (table["high"] - table["accuracy"]).to_numpy(),
                 "arrayminus": (table["accuracy"] - table["low"]).to_numpy()},
        hovertemplate="%{customdata[0]}: %{x:.1%} (%{customdata[1]:.1%} to %{customdata[2]:.1%})"
        f"<br>{target_label(series)}<extra></extra>",
    )  # fmt: skip


def chance_line(panels: Panels, place: int, upright: bool = True) -> None:
    """A line at random guessing, with its name."""
    theme = panels.theme
    line = {"color": theme.ink, "width": 1.5, "dash": "dot"}
    words = {"font": {"size": 11, "color": theme.muted}}
    x, y = panels.axes(place)
    if upright:
        panels.upright(place, CHANCE, **line)
        panels.note(
            place, "guessing", x=CHANCE, xref=x, y=1, yanchor="bottom", xanchor="center", **words
        )
        return
    panels.level(place, CHANCE, **line)
    panels.note(
        place, "guessing", x=1, xanchor="right", y=CHANCE, yref=y, yanchor="bottom", **words
    )


def best_attack(leaderboard: pd.DataFrame, series: Target) -> Mapping[str, Any] | None:
    """The row of the most accurate attack; None if none has been evaluated."""
    if leaderboard.empty:
        return None
    ours = (leaderboard["model"] == series.model) & (leaderboard["adversary"] == series.adversary)
    rows = np.flatnonzero(ours)
    if not len(rows):
        return None
    return dict(leaderboard.iloc[rows[leaderboard["accuracy"].to_numpy()[rows].argmax()]])
