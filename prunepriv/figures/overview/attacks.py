"""Attacks and defences: accuracies with their intervals, and a line at chance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from prunepriv.figures.overview.card import HEIGHT, UNLINED, card
from prunepriv.figures.palette import ACCURACY_RANGE, CHANCE, KINDS, Theme, rgba
from prunepriv.options import ATTACKS
from prunepriv.plan import Target


def attacks_chart(
    rows: Sequence[Mapping[str, Any]], theme: Theme
) -> tuple[go.Figure, pd.DataFrame]:
    """Attack accuracies on one model with their 95 % intervals, best first.

    Args:
        rows: as in evaluation.json.
    """
    ordered = sorted(rows, key=lambda row: -row["accuracy"])
    labels = [ATTACKS[row["attack"]].label for row in ordered]
    return _accuracies(labels, ordered, theme)


def defense_chart(
    best: Mapping[Target, Mapping[str, Any]], theme: Theme
) -> tuple[go.Figure, pd.DataFrame]:
    """The chosen attack on each model, with its 95 % interval.

    Args:
        best: (kind of model, adversary) -> the row of evaluation.json of highest accuracy.
    """
    figure, table = _accuracies(
        [_short_label(target) for target in best], list(best.values()), theme
    )
    table.insert(0, "model", [target.model for target in best])
    table.insert(1, "adversary", [target.adversary for target in best])
    return figure, table


def _short_label(target: Target) -> str:
    """As in "Pruned" or "Defended, adaptive"."""
    label = KINDS[target.model].label
    return f"{label}, {target.adversary.replace('_', '-')}" if target.model == "defended" else label


def _accuracies(
    labels: Sequence[str], rows: Sequence[Mapping[str, Any]], theme: Theme
) -> tuple[go.Figure, pd.DataFrame]:
    accuracy = [row["accuracy"] for row in rows]
    low, high = ([row["accuracy_ci95"][end] for row in rows] for end in (0, 1))
    dots = {
        "type": "scatter",
        "mode": "markers",
        "x": accuracy,
        "y": labels,
        "error_x": {
            "type": "data",
            "array": [b - a for a, b in zip(accuracy, high, strict=True)],
            "arrayminus": [a - b for a, b in zip(accuracy, low, strict=True)],
            "color": theme.muted,
            "thickness": 2,
            "width": 0,
        },
        "marker": {"color": theme.ink, "size": 8},
        "customdata": list(zip(low, high, [row["attack"] for row in rows], strict=True)),
        "hovertemplate": "%{y}: %{x:.1%} (%{customdata[0]:.1%} to %{customdata[1]:.1%})"
        "<extra>%{customdata[2]}</extra>",
    }
    chance = {
        "type": "line", "x0": CHANCE, "x1": CHANCE, "y0": 0, "y1": 1, "yref": "paper",
        "line": {"color": theme.muted, "width": 1.5, "dash": "dash"}, "layer": "below",
    }  # fmt: skip
    figure = card(
        [dots],
        theme,
        x={"range": list(ACCURACY_RANGE), "tickformat": ".0%", "nticks": 5},
        y={**UNLINED, "dtick": 1, "showgrid": True, "gridcolor": rgba(theme.grid, 0.6)},
        height=max(HEIGHT, 40 + 15 * len(rows)),
        shapes=[chance],
    )
    table = pd.DataFrame(
        {
            "attack": [row["attack"] for row in rows],
            "accuracy": accuracy,
            "ci95_low": low,
            "ci95_high": high,
            "members": [row["members"] for row in rows],
            "non_members": [row["non_members"] for row in rows],
        }
    )
    return figure, table
