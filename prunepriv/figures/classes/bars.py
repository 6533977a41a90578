"""A bar per class, largest gap first."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from prunepriv.figures.classes.gaps import GAP_LABELS, Gap, class_order
from prunepriv.figures.palette import KINDS, Theme, rgba
from prunepriv.figures.panels import Json, Panels
from prunepriv.options import ModelKind

ROW_HEIGHT = 22


def gap_bars(
    table: pd.DataFrame, by: ModelKind, metric: Gap, theme: Theme, most: int | None = None
) -> tuple[go.Figure, pd.DataFrame]:
    """A bar per class, largest gap first, for one model; the other models are marks.

    Args:
        table: :func:`class_gaps`.
        by: the model of the bars.
        most: how many classes are shown at most; None shows all.

    Returns:
        The figure, whose marks carry the class as ``customdata[0]``, and the rows it shows.
    """
    order = class_order(table, by)[:most]
    shown = table[table["class"].isin(order)]
    names = shown.drop_duplicates("class").set_index("class")["name"]
    panels = Panels(theme, height=ROW_HEIGHT * len(order) + 16, top=44, bottom=56)
    panels.trace(0, **_bars(shown[shown["model"] == by], by, theme))
    for kind in (k for k in KINDS if k != by and k in set(shown["model"])):
        panels.trace(0, **_marks(shown[shown["model"] == kind], kind, theme))
    figure = panels.figure(
        x={"title": {"text": f"{GAP_LABELS[metric].lower()} (members \N{MINUS SIGN} non-members)"},
           "zeroline": True, "zerolinecolor": theme.ink, "nticks": 6},
        y={"categoryorder": "array", "categoryarray": [names[label] for label in order],
           "autorange": "reversed", "showgrid": False, "ticks": "", "dtick": 1,
           "tickfont": {"size": 11}},
    )  # fmt: skip
    return figure, shown.reset_index(drop=True)


def _hover(kind: ModelKind) -> str:
    return (
        f"%{{y}}, {KINDS[kind].words}: %{{x:.3f}} ± %{{customdata[1]:.3f}}<br>"
        "%{customdata[2]:,} members, %{customdata[3]:,} non-members<extra></extra>"
    )


def _custom(table: pd.DataFrame) -> list[list[float]]:
    columns = ("class", "margin", "members", "non_members")
    return [list(row) for row in table[[*columns]].itertuples(index=False)]


def _bars(table: pd.DataFrame, kind: ModelKind, theme: Theme) -> Json:
    return {
        "type": "bar",
        "orientation": "h",
        "x": table["gap"].to_numpy(),
        "y": table["name"].tolist(),
        "name": KINDS[kind].label,
        "customdata": _custom(table),
        "width": 0.72,
        "marker": {"color": rgba(theme.ink, 0.28), "line": {"color": theme.ink, "width": 1}},
        "error_x": {
            "array": table["margin"].fillna(0).to_numpy(),
            "color": theme.muted,
            "thickness": 1.2,
            "width": 3,
        },
        "hovertemplate": _hover(kind),
    }


def _marks(table: pd.DataFrame, kind: ModelKind, theme: Theme) -> Json:
    return {
        "type": "scatter",
        "mode": "markers",
        "x": table["gap"].to_numpy(),
        "y": table["name"].tolist(),
        "name": KINDS[kind].label,
        "customdata": _custom(table),
        "marker": {
            "symbol": KINDS[kind].symbol,
            "size": 9,
            "color": theme.ink,
            "line": {"width": 1.5, "color": theme.ink},
        },
        "hovertemplate": _hover(kind),
    }
