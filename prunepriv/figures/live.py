"""Loss and accuracy by epoch, during training and afterwards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
import plotly.graph_objects as go

from prunepriv.figures.palette import MEMBERS, Theme
from prunepriv.figures.panels import Panels

COLUMNS = ("epoch", "loss", "member_accuracy", "validation_accuracy")


def best_epoch(curve: Sequence[Mapping[str, float]]) -> int:
    """The first epoch of highest validation accuracy: early stopping keeps its weights."""
    return int(
        max(curve, key=lambda point: (point["validation_accuracy"], -point["epoch"]))["epoch"]
    )


def curves_chart(
    curve: Sequence[Mapping[str, float]], best: int, epochs: int, theme: Theme
) -> tuple[go.Figure, pd.DataFrame]:
    """Two panels on one axis of epochs: training loss, and accuracy with the best epoch starred.

    Args:
        curve: one point per epoch so far; not empty.
        best: the epoch to star.
        epochs: end of the axis: the largest possible number of epochs.
    """
    table = pd.DataFrame(curve)[list(COLUMNS)]
    table["best"] = table["epoch"] == best
    panels = Panels(theme, rows=1, columns=2, height=190, shared=False, top=64, bottom=48)
    lines = (
        (0, "loss", "training loss", theme.ink, "solid"),
        (1, "member_accuracy", "members", MEMBERS.color, "solid"),
        (1, "validation_accuracy", "validation records", theme.ink, "dot"),
    )
    for place, column, name, color, dash in lines:
        number = "%{y:.3f}" if column == "loss" else "%{y:.1%}"
        panels.trace(
            place,
            type="scatter",
            mode="lines+markers" if len(table) < 3 else "lines",
            x=table["epoch"],
            y=table[column],
            name=name,
            showlegend=False,
            line={"color": color, "dash": dash, "width": 2},
            hovertemplate=f"epoch %{{x}}: {name} {number}<extra></extra>",
        )
    starred = table[table["best"]]
    panels.trace(
        1,
        type="scatter",
        mode="markers",
        x=starred["epoch"],
        y=starred["validation_accuracy"],
        showlegend=False,
        marker={"symbol": "star", "size": 13, "color": theme.ink},
        hovertemplate="best epoch: %{x}<extra></extra>",
    )
    dots = 3 * "\N{MIDDLE DOT}"
    panels.heading(0, "<b>Training loss</b>")
    panels.heading(
        1,
        f"<b>Accuracy</b><br>{MEMBERS.sample} members, while training<br>{dots} validation, \N{BLACK STAR} best",
    )
    figure = panels.figure(
        x={"range": [0.5, max(epochs, len(table)) + 0.5], "title": {"text": "epoch"}, "nticks": 8, "showgrid": False},
        y={"rangemode": "tozero", "nticks": 5},
    )  # fmt: skip
    figure.update_layout(yaxis2={"tickformat": ".0%", "range": [0, 1.04]})
    return figure, table
