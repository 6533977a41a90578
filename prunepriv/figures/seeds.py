"""Differences of one experiment's runs: a mark for each seed, and the mean with its interval."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from prunepriv.figures.contrasts import figure_of_changes, panels_of_changes
from prunepriv.figures.palette import Theme
from prunepriv.figures.panels import Panels
from prunepriv.prose import points, signed

Labelled = Mapping[str, Mapping[str, Any]]
"""A label -> its row of ``store.over_seeds``, in the order of the chart's rows."""


def seed_table(rows: Labelled, seeds: Sequence[int]) -> pd.DataFrame:
    """A row for each difference.

    Args:
        rows: with "mean", "ci95", "clear" and "differences".
        seeds: of the differences, in their order.

    Returns:
        Columns ``what``, ``mean``, ``low``, ``high`` (missing with one seed), ``clear``, and
        ``seed 1``, ``seed 2`` and so on.
    """
    found = []
    for what, row in rows.items():
        low, high = row["ci95"] or (None, None)
        each = {f"seed {seed}": one for seed, one in zip(seeds, row["differences"], strict=True)}
        found.append(
            {"what": what, "mean": row["mean"], "low": low, "high": high, "clear": row["clear"]}
            | each
        )
    return pd.DataFrame(found)


def seed_dots(
    rows: Labelled, seeds: Sequence[int], own: int, axis: str, theme: Theme, fractions: bool = True
) -> tuple[go.Figure, pd.DataFrame]:
    """A row per difference: a mark for each seed, the mean and its interval, and a line at 0.

    Args:
        rows: see :func:`seed_table`; not empty.
        seeds: of the differences.
        own: the seed of the run in view; its marks are filled.
        axis: what differs, the title of the axis.
        fractions: the values are fractions, told in points.

    Returns:
        The figure and :func:`seed_table`.
    """
    table = seed_table(rows, seeds)
    panels = panels_of_changes(len(table), theme)
    _draw_seeds(panels, table, seeds, own, theme)
    _draw_means(panels, table, theme, fractions)
    told = [
        points(mean).removesuffix(" points") if fractions else signed(mean, 3)
        for mean in table["mean"]
    ]
    drawn = table[["low", "high", *(f"seed {seed}" for seed in seeds)]]
    ticks = "+.0%" if fractions else "+.2f"
    figure = figure_of_changes(panels, list(table["what"]), told, drawn, axis, ticks)
    return figure, table


def _draw_seeds(
    panels: Panels, table: pd.DataFrame, seeds: Sequence[int], own: int, theme: Theme
) -> None:
    """A mark for each seed; one name in the legend for this run's and one for the others."""
    told = False
    for seed in seeds:
        mine = seed == own
        panels.trace(
            0, type="scatter", mode="markers", x=table[f"seed {seed}"].tolist(),
            y=[place + 0.22 for place in range(len(table))],
            name="this run" if mine else "another seed", showlegend=mine or not told,
            marker={"symbol": "circle" if mine else "circle-open", "size": 7,
                    "color": theme.ink if mine else theme.muted, "line": {"width": 1.5}},
            hovertemplate=f"seed {seed}: %{{x:+.3f}}<extra></extra>",
        )  # fmt: skip
        told = told or not mine


def _draw_means(panels: Panels, table: pd.DataFrame, theme: Theme, fractions: bool) -> None:
    shape = "+.1%" if fractions else "+.3f"
    for clear in (True, False):
        ours = table[table["clear"].astype(bool) == clear]
        if ours.empty:
            continue
        color = theme.ink if clear else theme.muted
        bars = None
        if ours["low"].notna().all():
            bars = {
                "type": "data", "symmetric": False, "color": color, "thickness": 1.5, "width": 4,
                "array": (ours["high"] - ours["mean"]).tolist(),
                "arrayminus": (ours["mean"] - ours["low"]).tolist(),
            }  # fmt: skip
        panels.trace(
            0, type="scatter", mode="markers", x=ours["mean"].tolist(),
            y=[place - 0.12 for place in ours.index],
            name="mean, clear" if clear else "mean, undecided",
            customdata=ours[["what", "low", "high"]].to_numpy().tolist(),
            marker={"symbol": "diamond" if clear else "diamond-open", "size": 11, "color": color,
                    "line": {"width": 1.5, "color": color}},
            error_x=bars,
            hovertemplate=f"%{{customdata[0]}}: %{{x:{shape}}} (%{{customdata[1]:{shape}}} to "
            f"%{{customdata[2]:{shape}}})<extra></extra>",
        )  # fmt: skip
