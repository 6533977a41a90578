"""Members' and non-members' means in one class, beside all classes."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import plotly.graph_objects as go

from prunepriv.figures.classes.gaps import Gap
from prunepriv.figures.dumbbells import KIND_ROWS, dumbbells
from prunepriv.figures.palette import Theme
from prunepriv.figures.panels import Panels
from prunepriv.options import ModelKind

BEHIND: dict[Gap, str] = {
    "confidence": "confidence",
    "sensitivity": "sensitivity",
    "generalization": "accuracy",
}
"""The quantity behind each gap, as in the column names of divergence.py."""


def class_means(
    gaps: Mapping[ModelKind, pd.DataFrame],
    metric: Gap,
    label: int | None,
    name: str,
    theme: Theme,
) -> tuple[go.Figure, pd.DataFrame]:
    """Members' and non-members' means of one class under every model, beside all classes together.

    Returns:
        The figure and its rows: ``records`` (the class or "all classes"), ``model``, ``members``,
        ``non-members`` (means).
    """
    parts: list[tuple[str, int | None]] = [("all classes", None)]
    if label is not None:
        parts.insert(0, (name, label))
    column = BEHIND[metric]
    rows = []
    for what, which in parts:
        for kind, table in gaps.items():
            found = table[table["class"].isna() if which is None else table["class"] == which]
            ours, theirs = found[[f"{column}_members", f"{column}_non_members"]].iloc[0]
            rows.append({"records": what, "model": kind, "members": ours, "non-members": theirs})
    means = pd.DataFrame(rows)
    panels = Panels(theme, 1, len(parts), height=36 * len(gaps) + 20, top=64, bottom=56)
    for place, (what, _) in enumerate(parts):
        dumbbells(panels, place, means[means["records"] == what])
        panels.heading(place, f"<b>{what}</b>")
    panels.below(f"mean {column}")
    return panels.figure(x={"nticks": 5}, y={**KIND_ROWS}), means
