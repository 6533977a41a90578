"""Distances between members' and non-members' distributions by class, beside what chance gives.

A class has few records, so that its distance is large even where membership means nothing. Each
value therefore stands on the band that permuted membership gives (see divergence.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from prunepriv.evaluation import benjamini_hochberg, is_guessing
from prunepriv.figures.palette import KINDS, Theme, rgba
from prunepriv.figures.panels import Json, Panels
from prunepriv.options import ModelKind
from prunepriv.store.signals import Quantity

Distance = Literal["js", "kl", "wasserstein"]

DISTANCE_LABELS: dict[Distance, str] = {
    "js": "Jensen-Shannon divergence (bits)",
    "kl": "Kullback-Leibler divergence (bits)",
    "wasserstein": "Wasserstein distance",
}
EVERYONE = "all records"
"""The row over all classes together."""
ROW_HEIGHT = 18
BEYOND, WITHIN = "beyond chance", "within chance"


def class_distances(
    gaps: Mapping[ModelKind, pd.DataFrame],
    quantity: Quantity,
    distance: Distance,
    names: Sequence[str],
) -> pd.DataFrame:
    """One row per model over all records, and one per class that has members and non-members.

    Returns:
        Columns ``model``, ``class`` (-1 over all records), ``name``, ``distance``, ``chance`` (mean
        under permuted membership), ``chance_low`` and ``chance_high`` (its central 95 %), ``p``,
        ``beyond_chance`` (over the classes of a model by Benjamini-Hochberg), ``members``,
        ``non_members``.
    """
    column = f"{quantity}_{distance}"
    parts = []
    for kind, table in gaps.items():
        rows = table[table[column].notna()]
        label = rows["class"].fillna(-1).astype(int).to_numpy()
        p = rows[f"{column}_p"].to_numpy(dtype=float)
        beyond = np.array([not is_guessing(one) for one in p], dtype=bool)
        beyond[label >= 0] = benjamini_hochberg(p[label >= 0])
        band = np.array(rows[f"{column}_null95"].tolist(), dtype=float).reshape(-1, 2)
        part = {
            "model": kind,
            "class": label,
            "name": [EVERYONE if one < 0 else names[int(one)] for one in label],
            "distance": rows[column].to_numpy(dtype=float),
            "chance": rows[f"{column}_null"].to_numpy(dtype=float),
            "chance_low": band[:, 0],
            "chance_high": band[:, 1],
            "p": p,
            "beyond_chance": beyond,
            "members": rows["members"].to_numpy(dtype=int),
            "non_members": rows["non_members"].to_numpy(dtype=int),
        }
        parts.append(pd.DataFrame(part))
    return pd.concat(parts, ignore_index=True)


def distance_order(table: pd.DataFrame, by: ModelKind) -> list[int]:
    """Classes of one model, those furthest above chance first; -1 (all records) before them."""
    ours = table[table["model"] == by]
    above = np.where(ours["class"] < 0, np.inf, ours["distance"] - ours["chance"])
    order = ours.assign(above=above).sort_values(["above", "class"], ascending=[False, True])
    return [int(label) for label in order["class"]]


def distance_dots(
    table: pd.DataFrame,
    by: ModelKind,
    quantity: Quantity,
    distance: Distance,
    theme: Theme,
    chosen: int | None = None,
    most: int | None = None,
) -> tuple[go.Figure, pd.DataFrame]:
    """A row per class and a panel per model: the distance on the band that chance gives.

    Args:
        table: :func:`class_distances`.
        by: the model that sets the order.
        chosen: the class whose row is shaded.
        most: how many classes are shown at most; None shows all.

    Returns:
        The figure, whose dots carry the class as ``customdata[0]``, and the rows it shows.
    """
    order = distance_order(table, by)[: None if most is None else most + 1]
    shown = table[table["class"].isin(order)]
    names = shown.drop_duplicates("class").set_index("class")["name"]
    kinds = [kind for kind in KINDS if kind in set(shown["model"])]
    columns = min(2, len(kinds))
    rows = -(-len(kinds) // columns)
    panels = Panels(
        theme, rows, columns, height=ROW_HEIGHT * len(order) + 12, gap=40, top=88, bottom=60
    )
    for place, kind in enumerate(kinds):
        if chosen in order:
            at = order.index(chosen)
            panels.box(
                place, x0=0, x1=1, xref=f"{panels.axes(place)[0]} domain", y0=at - 0.5,
                y1=at + 0.5, fillcolor=theme.shade, line={"width": 0},
            )  # fmt: skip
        _panel(panels, place, shown[shown["model"] == kind], order)
        panels.heading(place, f"<b>{KINDS[kind].label}</b>")
    panels.below(f"{DISTANCE_LABELS[distance]} of {quantity}")
    panels.layout["barmode"] = "overlay"
    top = 1.05 * float(shown[["distance", "chance_high"]].max().max()) or 1.0
    figure = panels.figure(
        x={"range": [-0.02 * top, top], "nticks": 5},
        y={"range": [len(order) - 0.5, -0.5], "tickmode": "array", "showgrid": False, "ticks": "",
           "tickvals": list(range(len(order))), "ticktext": [names[one] for one in order],
           "tickfont": {"size": 11}},
    )  # fmt: skip
    return figure, shown.reset_index(drop=True)


def _panel(panels: Panels, place: int, table: pd.DataFrame, order: Sequence[int]) -> None:
    theme, first = panels.theme, place == 0
    at = table["class"].map({label: row for row, label in enumerate(order)})
    panels.trace(
        place, type="bar", orientation="h", base=table["chance_low"].to_numpy(),
        x=(table["chance_high"] - table["chance_low"]).to_numpy(), y=at.to_numpy(), width=0.62,
        marker={"color": rgba(theme.ink, 0.18), "line": {"width": 0}},
        name="by chance: 95 % and mean", legendgroup="chance", showlegend=first, hoverinfo="skip",
    )  # fmt: skip
    panels.trace(
        place, type="scatter", mode="markers", x=table["chance"].to_numpy(), y=at.to_numpy(),
        marker={"symbol": "line-ns", "size": 11, "line": {"width": 1.5, "color": theme.muted}},
        legendgroup="chance", showlegend=False, hoverinfo="skip",
    )  # fmt: skip
    # both looks in every panel, so that the legend has both even if the first panel lacks one
    for beyond, name in ((True, BEYOND), (False, WITHIN)):
        chosen = (table["beyond_chance"] == beyond).to_numpy()
        panels.trace(place, **_dots(table[chosen], at[chosen], theme, name), showlegend=first)


def _dots(table: pd.DataFrame, at: pd.Series, theme: Theme, name: str) -> Json:
    columns = ["class", "name", "chance", "chance_low", "chance_high", "p", "members"]
    return {
        "type": "scatter",
        "mode": "markers",
        "x": table["distance"].to_numpy() if len(table) else [None],
        "y": at.to_numpy() if len(table) else [None],
        "customdata": table[[*columns, "non_members"]].to_numpy().tolist(),
        "name": name,
        "legendgroup": name,
        "marker": {
            "symbol": "circle",
            "size": 9,
            "color": theme.ink if name == BEYOND else theme.surface,
            "line": {"width": 1.5, "color": theme.ink},
        },
        "hovertemplate": "%{customdata[1]}: %{x:.3f}<br>by chance %{customdata[2]:.3f} "
        "(%{customdata[3]:.3f} to %{customdata[4]:.3f}), p = %{customdata[5]:.2g}<br>"
        f"%{{customdata[6]:,}} members, %{{customdata[7]:,}} non-members<br>{name}<extra></extra>",
    }
