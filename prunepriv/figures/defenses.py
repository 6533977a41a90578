"""What a defence costs in accuracy, and how much it lowers an attack's accuracy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from prunepriv.figures.dumbbells import KIND_ROWS, dumbbells
from prunepriv.figures.leaderboard import chance_line, target_label, target_symbol
from prunepriv.figures.palette import ACCURACY_RANGE, Theme
from prunepriv.figures.panels import Panels
from prunepriv.options import ModelKind
from prunepriv.plan import Target


@dataclass(frozen=True, slots=True)
class Point:
    """A model in the privacy-utility plane.

    Attributes:
        text: its label.
        utility: accuracy on non-members, 0 to 1.
        leakage: accuracy of one attack, the same for all points, with its 95 % interval.
        run: id of the run it belongs to.
        here: whether that is the run in view.
    """

    target: Target
    text: str
    utility: float
    leakage: float
    low: float
    high: float
    attack: str
    run: str
    here: bool = True


def model_accuracies(
    reports: Mapping[ModelKind, Mapping[str, Any]], theme: Theme
) -> tuple[go.Figure, pd.DataFrame]:
    """Accuracy of each model on members and on non-members.

    Args:
        reports: ``Result.model_report`` by kind of model.

    Returns:
        The figure and a row per model: ``model``, ``members``, ``non-members``, ``sparsity``.
    """
    table = pd.DataFrame(
        {
            "model": list(reports),
            "members": [report["member_accuracy"] for report in reports.values()],
            "non-members": [report["non_member_accuracy"] for report in reports.values()],
            "sparsity": [report["sparsity"] for report in reports.values()],
        }
    )
    panels = Panels(theme, height=40 * len(table) + 16, top=44, bottom=56)
    dumbbells(panels, 0, table)
    figure = panels.figure(
        x={"tickformat": ".0%", "nticks": 6, "title": {"text": "accuracy of the model"}},
        y={**KIND_ROWS},
    )
    return figure, table


def privacy_utility(points: list[Point], theme: Theme) -> tuple[go.Figure, pd.DataFrame]:
    """Accuracy on non-members against the accuracy of one attack; down and right is better.

    An arrow points from the pruned model to every defended one: that of the run in view, and those
    of other runs with the same pruned model.

    Returns:
        The figure and a row per point.
    """
    panels = Panels(theme, height=380, top=20, bottom=60)
    chance_line(panels, 0, upright=False)
    lines = _label_lines(points)
    for point in sorted(points, key=lambda one: one.here):
        panels.trace(0, **_mark(point, lines.get(id(point), 0), theme))
    start = next((p for p in points if p.target.model == "pruned" and p.here), None)
    for end in (point for point in points if point.target.model == "defended"):
        if start is not None:
            _arrow(panels, start, end)
    panels.note(
        0, "better: more accurate, leaks less \u2198", x=1, xanchor="right", y=1, yanchor="top",
        font={"size": 11, "color": theme.muted},
    )  # fmt: skip
    panels.layout["showlegend"] = False
    low, high = (pick(point.utility for point in points) for pick in (min, max))
    pad = max(0.02, 0.18 * (high - low))
    figure = panels.figure(
        x={"range": [low - pad, high + pad], "tickformat": ".0%", "nticks": 6,
           "title": {"text": "accuracy on non-members"}},
        y={"range": list(ACCURACY_RANGE), "tickformat": ".0%", "dtick": 0.1,
           "title": {"text": f"accuracy of {points[0].attack}"}},
    )  # fmt: skip
    return figure, _rows(points)


NAME_BELOW: tuple[ModelKind, ...] = ("original", "control_matched")
"""Undefended models whose name is below their mark: the two controls are often close."""

LINE = 0.03
"""Height of a line of text on the chart, in attack accuracy."""


def _label_lines(points: list[Point]) -> dict[int, int]:
    """How many lines below its mark a defended model's name is drawn, by the point's id.

    Arrows come from above, so names are below: as near as possible without covering others.
    """
    defended = sorted(
        (point for point in points if point.target.model == "defended"), key=lambda one: one.utility
    )
    spread = max((p.utility for p in points), default=0) - min(
        (p.utility for p in points), default=0
    )
    placed = [place for point in points if point not in defended for place in _occupied(point)]
    lines = {}
    for point in defended:
        near = [y for x, y in placed if abs(x - point.utility) <= 0.4 * spread]
        free = (
            n for n in range(2, 9) if all(abs(point.leakage - n * LINE - y) >= LINE for y in near)
        )
        lines[id(point)] = next(free, 2)
        placed.append((point.utility, point.leakage - lines[id(point)] * LINE))
    return lines


def _occupied(point: Point) -> list[tuple[float, float]]:
    """Where the mark and the name of an undefended model are."""
    name = -LINE if point.target.model in NAME_BELOW else LINE
    return [(point.utility, point.leakage), (point.utility, point.leakage + name)]


def _mark(point: Point, lines: int, theme: Theme) -> dict[str, Any]:
    color = theme.ink if point.here else theme.muted
    size = 14 if point.here else 10
    below = lines > 0 or point.target.model in NAME_BELOW
    up, down = [point.high - point.leakage], [point.leakage - point.low]
    return {
        "type": "scatter",
        "mode": "markers+text",
        "x": [point.utility],
        "y": [point.leakage],
        "text": ["<br>" * lines + point.text],
        "textposition": "bottom center" if below else "top center",
        "textfont": {"size": 12, "color": color},
        "name": point.text,
        "marker": {
            "symbol": target_symbol(point.target),
            "size": size,
            "color": color,
            "line": {"width": 1.5, "color": color},
        },
        "error_y": {
            "array": up,
            "arrayminus": down,
            "symmetric": False,
            "color": color,
            "thickness": 1.2,
            "width": 4,
        },
        "hovertemplate": f"{point.text}<br>{point.attack} %{{y:.1%}}, "
        "accuracy on non-members %{x:.1%}<extra></extra>",
    }


def _arrow(panels: Panels, start: Point, end: Point) -> None:
    panels.annotations.append(
        {
            "text": "",
            "showarrow": True,
            "x": end.utility,
            "y": end.leakage,
            "ax": start.utility,
            "ay": start.leakage,
            "xref": "x",
            "yref": "y",
            "axref": "x",
            "ayref": "y",
            "arrowhead": 3,
            "arrowwidth": 2 if end.here else 1.2,
            "arrowcolor": panels.theme.ink if end.here else panels.theme.muted,
            "standoff": 9,
            "startstandoff": 9,
        }
    )


def _rows(points: list[Point]) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "model": target_label(point.target),
                "label": point.text,
                "accuracy_on_non_members": point.utility,
                "best_attack": point.attack,
                "attack_accuracy": point.leakage,
                "low": point.low,
                "high": point.high,
                "of_run": point.run,
            }
            for point in points
        ]
    )
