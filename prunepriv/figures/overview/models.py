"""Data, training, pruning and fine-tuning: who knows which records, and the models that result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
import plotly.graph_objects as go

from prunepriv.figures.overview.card import SMALL, UNLINED, card
from prunepriv.figures.palette import KINDS, MEMBERS, NON_MEMBERS, Theme
from prunepriv.figures.panels import Json
from prunepriv.options import ModelKind


def split_chart(
    members: int, validation: int, non_members: int, shadow_half: int, theme: Theme
) -> tuple[go.Figure, pd.DataFrame]:
    """Who knows which records: the target's half in three parts, and the adversary's half."""
    parts: list[tuple[str, str, int, Json]] = [
        ("target", MEMBERS.label, members, {"color": MEMBERS.color}),
        ("target", "validation", validation, {"color": theme.muted}),
        ("target", NON_MEMBERS.label, non_members, {"color": NON_MEMBERS.color}),
        ("adversary", "shadow models' records", shadow_half, {"color": theme.muted}),
    ]
    traces = [
        {
            "type": "bar",
            "orientation": "h",
            "y": [whose],
            "x": [count],
            "marker": {**paint, "line": {"color": theme.surface, "width": 2}},
            "text": f"{name}<br>{count:,}" if count > 0.15 * shadow_half else "",
            "textposition": "inside",
            "insidetextanchor": "middle",
            "textangle": 0,
            "textfont": {
                "color": "#FFFFFF" if "shadow" not in name else theme.surface,
                "size": SMALL,
            },
            "hovertemplate": f"{name}: %{{x:,}} records<extra></extra>",
        }
        for whose, name, count, paint in parts
    ]
    figure = card(
        traces,
        theme,
        x={"visible": False},
        y=UNLINED,
        barmode="stack",
        bargap=0.28,
    )
    table = pd.DataFrame([row[:3] for row in parts], columns=["whose half", "part", "records"])
    return figure, table


def training_chart(
    history: Sequence[Mapping[str, float]], best_epoch: int, while_training: bool, theme: Theme
) -> tuple[go.Figure, pd.DataFrame]:
    """Accuracy of the target model by epoch, a star at the epoch whose weights were kept.

    Args:
        history: {"epoch", "loss", "member_accuracy", "validation_accuracy"} of each epoch.
        best_epoch: counted from 1.
        while_training: whether the member accuracy is that of batches while they are learnt.
    """
    table = pd.DataFrame(history)
    table["kept"] = table["epoch"] == best_epoch
    lines = (
        ("member_accuracy", "members", MEMBERS.color, "solid"),
        ("validation_accuracy", "validation", theme.ink, "dot"),
    )
    when = {"member_accuracy": " while training" if while_training else ""}
    traces = [
        {
            "type": "scatter",
            "mode": "lines",
            "x": table["epoch"],
            "y": table[column],
            "name": name,
            "line": {"color": color, "dash": dash, "width": 2},
            "hovertemplate": f"epoch %{{x}}: {name}{when.get(column, '')} %{{y:.1%}}<extra></extra>",
        }
        for column, name, color, dash in lines
    ]
    best = table[table["kept"]]
    traces.append(
        {
            "type": "scatter",
            "mode": "markers",
            "x": best["epoch"],
            "y": best["validation_accuracy"],
            "marker": {"symbol": "star", "size": 12, "color": theme.ink},
            "hovertemplate": "kept: epoch %{x}<extra></extra>",
        }
    )
    notes = [
        _end_label(table, column, name, color) for column, name, color, _ in lines if len(table)
    ]
    text = "epoch (members: while training)" if while_training else "epoch"
    title = {"text": text, "font": {"size": SMALL}, "standoff": 2}
    figure = card(
        traces,
        theme,
        x={"title": title, "nticks": 6, "showgrid": False},
        y={"tickformat": ".0%", "nticks": 4, "rangemode": "tozero", "range": [0, 1.04]},
        annotations=notes,
        margin={"t": 8, "b": 34, "l": 40, "r": 74},
    )
    return figure, table


def layers_chart(
    layers: Mapping[str, float], requested: float, theme: Theme
) -> tuple[go.Figure, pd.DataFrame]:
    """The share of each layer that pruning removed.

    Args:
        layers: sparsity by layer, in the order of the network.
        requested: the requested sparsity, drawn as a line.
    """
    names = [f"{index + 1}" for index in range(len(layers))]
    removed = list(layers.values())
    bars = [
        {
            "type": "bar",
            "orientation": "h",
            "y": names,
            "x": values,
            "marker": {"color": paint, "line": {"width": 0}},
            "customdata": list(layers),
            "hovertemplate": f"%{{customdata}}: %{{x:.1%}} {what}<extra></extra>",
        }
        for values, paint, what in (
            ([1 - share for share in removed], theme.ink, "kept"),
            (removed, theme.shade, "removed"),
        )
    ]
    line = {
        "type": "line", "x0": 1 - requested, "x1": 1 - requested, "y0": 0, "y1": 1,
        "yref": "paper", "line": {"color": theme.muted, "width": 1.5, "dash": "dot"},
    }  # fmt: skip
    quarters = [0, 0.25, 0.5, 0.75, 1]
    figure = card(
        bars,
        theme,
        x={"range": [0, 1.02], "tickformat": ".0%", "tickvals": quarters, "showgrid": False},
        y={
            **UNLINED,
            "title": {"text": "layer", "font": {"size": SMALL}},
            "type": "category",
            "nticks": 8,
        },
        barmode="stack",
        bargap=0.25,
        shapes=[line],
    )
    table = pd.DataFrame({"layer": list(layers), "sparsity": removed, "requested": requested})
    return figure, table


def gap_chart(
    means: Mapping[ModelKind, tuple[float, float]], theme: Theme
) -> tuple[go.Figure, pd.DataFrame]:
    """Mean confidence of members and non-members, model by model; the bar between is the gap.

    Args:
        means: kind of model -> (members', non-members') mean confidence.
    """
    kinds = [KINDS[kind].label for kind in means]
    traces: list[Json] = [
        {
            "type": "scatter",
            "mode": "lines",
            "x": [pair[1], pair[0]],
            "y": [label, label],
            "line": {"color": theme.muted, "width": 3},
            "hoverinfo": "skip",
        }
        for label, pair in zip(kinds, means.values(), strict=True)
    ]
    for look, values in (
        (NON_MEMBERS, [pair[1] for pair in means.values()]),
        (MEMBERS, [pair[0] for pair in means.values()]),
    ):
        traces.append(
            {
                "type": "scatter",
                "mode": "markers",
                "x": values,
                "y": kinds,
                "marker": {"symbol": look.symbol, "color": look.color, "size": 11},
                "hovertemplate": f"{look.label}: %{{x:.3f}}<extra>%{{y}}</extra>",
            }
        )
    figure = card(
        traces,
        theme,
        x={"range": [0, 1.03], "nticks": 5, "showgrid": True},
        y={**UNLINED, "showgrid": False},
    )
    rows = [(kind, *pair, pair[0] - pair[1]) for kind, pair in means.items()]
    columns = ["model", "confidence_members", "confidence_non_members", "gap"]
    return figure, pd.DataFrame(rows, columns=columns)


def _end_label(table: pd.DataFrame, column: str, name: str, color: str) -> Json:
    """A line's name at its right end, instead of a legend."""
    last = table.iloc[-1]
    return {
        "x": last["epoch"], "y": last[column], "text": name, "xanchor": "left", "xshift": 10,
        "font": {"color": color, "size": SMALL}, "showarrow": False,
    }  # fmt: skip
