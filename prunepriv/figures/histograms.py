"""Figure 1 of Yuan & Zhang 2022, with the control: members and non-members in each model.

All panels share one set of bins and both axes; heights are densities, so that each group's bars
have an area of 1, whatever its number of records.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from prunepriv.divergence import EDGES, density, shared_edges
from prunepriv.experiment import Experiment
from prunepriv.figures.palette import KINDS, MEMBERS, NON_MEMBERS, Group, Theme, group, rgba
from prunepriv.figures.panels import Panels
from prunepriv.figures.scales import (
    QUANTITY_LABELS,
    Scale,
    axis_ticks,
    limits,
    scale_for,
)
from prunepriv.options import MODEL_KINDS, ON_REQUEST, ModelKind
from prunepriv.prose import between, rounded, short
from prunepriv.store.signals import Quantity, RecordSignals

BINS = 30
"""Bars of a confidence."""
SENSITIVITY_POSITIONS = np.linspace(-6.25, 3.25, 2 * len(EDGES["sensitivity"]) - 3)
"""Ends of a sensitivity's bars, as powers of ten: the same in all runs. Each of the bins that
distances are computed on is two bars, but for the first and the last, which have no other end."""
PANEL_HEIGHT = 180


@dataclass(frozen=True)
class Bins:
    """Bins that every panel shares.

    Attributes:
        positions: (bins + 1,) edges on the axis.
        values: (bins + 1,) the same edges as values of the signal.
        shown: first and last bar that the axis has room for; beyond them there is no value.
    """

    scale: Scale
    positions: np.ndarray
    values: np.ndarray
    shown: tuple[int, int]

    def counts(self, values: np.ndarray) -> np.ndarray:
        """(bins,) how many values each bin holds; values beyond the ends count in the outermost."""
        return np.asarray(np.histogram(self._clipped(values), self.positions)[0])

    def density(self, values: np.ndarray) -> np.ndarray:
        """(bins,) heights whose area on the axis is 1."""
        return density(self._clipped(values), self.positions)

    def holding(self, values: np.ndarray, index: int) -> np.ndarray:
        """(n,) bool: which values the bin of that index holds."""
        places = np.searchsorted(self.positions, self._clipped(values), side="right") - 1
        return np.asarray(np.minimum(places, len(self.positions) - 2) == index)

    def label(self, index: int) -> str:
        """The bin in words: "0.967 to 1"; an outermost one that is open says "up to" or "and more"."""
        low, high = between(*(float(value) for value in self.values[index : index + 2]))
        if index == 0 and self.values[0] != 0:
            return f"up to {high}"
        if index == len(self.positions) - 2 and self.values[-1] != 1:
            return f"{low} and more"
        return f"{low} to {high}"

    def _clipped(self, values: np.ndarray) -> np.ndarray:
        places = self.scale.forward(values)
        return np.asarray(np.clip(places, self.positions[0], self.positions[-1]))


def shared_bins(
    signals: Sequence[RecordSignals], quantity: Quantity, scale: Scale, bins: int = BINS
) -> Bins:
    """Bins for the signals of all models together, which are not empty.

    Args:
        scale: see :func:`prunepriv.figures.scales.scale_for`.
        bins: how many there are for confidence; sensitivity's are fixed.
    """
    found = [one.values(quantity) for one in signals]
    if quantity == "confidence":
        positions = shared_edges(np.array(limits(found, scale)), bins=bins)
        return Bins(scale, positions, np.asarray(scale.backward(positions)), (0, bins - 1))
    edges = SENSITIVITY_POSITIONS
    places = np.clip(scale.forward(np.concatenate(found)), edges[0], edges[-1])
    held = np.flatnonzero(np.histogram(places, edges)[0])
    return Bins(scale, edges, np.asarray(scale.backward(edges)), (int(held[0]), int(held[-1])))


def histogram_table(
    signals: Mapping[ModelKind, RecordSignals], quantity: Quantity, bins: Bins
) -> pd.DataFrame:
    """One row per model, group and bin.

    Returns:
        Columns ``model``, ``group``, ``bin``, ``from``, ``to`` (values of the signal), ``records``
        (count), ``density`` (area 1 on the drawn axis), ``mean`` (of the group).
    """
    parts = []
    for kind, one in signals.items():
        values = one.values(quantity)
        for member in (True, False):
            ours = values[one.member == member]
            part = {
                "model": kind,
                "group": group(member).label,
                "bin": np.arange(len(bins.positions) - 1),
                "from": bins.values[:-1],
                "to": bins.values[1:],
                "records": bins.counts(ours),
                "density": bins.density(ours),
                "mean": float(ours.mean()) if len(ours) else np.nan,
            }
            parts.append(pd.DataFrame(part))
    return pd.concat(parts, ignore_index=True)


def leakage_histograms(
    signals: Mapping[ModelKind, RecordSignals],
    quantity: Quantity,
    scale: Scale,
    theme: Theme,
    missing: Mapping[ModelKind, str] | None = None,
    columns: int = 2,
) -> tuple[go.Figure, pd.DataFrame]:
    """Histograms of one signal, a panel per kind of model.

    Args:
        signals: those to draw, in the order of the panels; not empty.
        scale: see :func:`prunepriv.figures.scales.scale_for`.
        missing: panels without data, and the text in each ("still being computed").
        columns: panels in a row.

    Returns:
        The figure and :func:`histogram_table`. Bars carry (model, bin, ...) as ``customdata``.
    """
    scale = scale_for(quantity, scale.name)
    bins = shared_bins(list(signals.values()), quantity, scale)
    table = histogram_table(signals, quantity, bins)
    kinds = sorted([*signals, *(missing or {})], key=list(KINDS).index)
    rows = -(-len(kinds) // columns)
    panels = Panels(theme, rows, columns, height=PANEL_HEIGHT, gap=72, top=98)
    for place, kind in enumerate(kinds):
        if kind in signals:
            _panel(panels, place, table[table["model"] == kind], bins)
        else:
            _empty_panel(panels, place, kind, (missing or {})[kind])
    how = "" if scale.name == "linear" else f" ({scale.name} axis)"
    panels.below(f"{QUANTITY_LABELS[quantity]}{how}")
    panels.layout["barmode"] = "overlay"
    low, high = bins.positions[bins.shown[0]], bins.positions[bins.shown[1] + 1]
    pad = 0.01 * (high - low)
    return panels.figure(
        x={"range": [low - pad, high + pad], "showgrid": False, **axis_ticks(scale, low, high)},
        y={"range": [0, 1.05 * max(table["density"].max(), 1e-9)], "nticks": 5,
           "title": {"text": "density"}},
    ), table  # fmt: skip


def absent_models(
    experiment: Experiment, measured: Collection[ModelKind], live: bool = False
) -> dict[ModelKind, str]:
    """The kinds of model without signals, and for each the reason, which its panel shows.

    Args:
        experiment: of the run.
        measured: the kinds that have signals.
        live: whether the run waits or is at work.
    """
    reasons: dict[ModelKind, str] = {}
    for kind in MODEL_KINDS:
        if kind in measured or kind in ON_REQUEST - set(experiment.models):
            continue
        if kind in experiment.models:
            reasons[kind] = "still being computed" if live else "not computed"
        elif kind == "defended" and experiment.defense.name == "none":
            reasons[kind] = "no defence in this run"
        else:
            reasons[kind] = "not part of this run"
    return reasons


def _panel(panels: Panels, place: int, table: pd.DataFrame, bins: Bins) -> None:
    lines = [f"<b>{KINDS[table['model'].iloc[0]].label}</b>"]
    for look in (MEMBERS, NON_MEMBERS):
        ours = table[table["group"] == look.label]
        panels.trace(place, **bar_trace(ours, bins, look), showlegend=place == 0)
        mean = ours["mean"].iloc[0]
        if np.isfinite(mean):
            at = float(bins.scale.forward(np.array(mean)))
            panels.upright(
                place, at, color=rgba(panels.theme.surface, 0.5), width=4.5
            )  # a wider line behind it
            panels.upright(place, at, color=look.color, dash=look.dash, width=2.5)
            lines.append(f"{look.sample} {look.label}, mean {rounded(mean)}")
    panels.heading(place, "<br>".join(lines))


def bar_trace(table: pd.DataFrame, bins: Bins, look: Group) -> dict[str, Any]:
    """One group's bars; ``customdata`` holds model, bin, its ends in words, and the count."""
    columns = (
        table["model"], table["bin"], table["from"].map(short), table["to"].map(short),
        table["records"],
    )  # fmt: skip
    return {
        "type": "bar",
        "x": (bins.positions[:-1] + bins.positions[1:]) / 2,
        "y": table["density"].to_numpy(),
        "width": np.diff(bins.positions),
        "customdata": [list(row) for row in zip(*columns, strict=True)],
        "name": f"{look.label} ({table['records'].sum():,})",
        "legendgroup": look.label,
        "marker": fill(look),
        "hovertemplate": f"%{{customdata[4]:,}} {look.label}<br>%{{customdata[2]}} to "
        "%{customdata[3]}<br>density %{y:.3g}<extra></extra>",
    }


def fill(look: Group, strength: float = 1.0) -> dict[str, Any]:
    """Bars of a group: members plain and translucent, non-members hatched, so both are visible.

    Args:
        strength: factor on the opacity, in [0, 1].
    """
    solid = look.pattern == ""
    paint = {
        "color": rgba(look.color, (0.5 if solid else 0.1) * strength),
        "line": {"width": 1, "color": rgba(look.color, strength)},
    }
    if solid:
        return paint
    hatch = {"shape": look.pattern, "size": 5, "solidity": 0.3}
    ink = {"fgcolor": rgba(look.color, 0.9 * strength), "bgcolor": paint["color"]}
    return {**paint, "pattern": {**hatch, **ink}}


def _empty_panel(panels: Panels, place: int, kind: ModelKind, why: str) -> None:
    muted = {"color": panels.theme.muted}
    panels.trace(place, type="scatter", x=[], y=[], showlegend=False)
    panels.heading(place, f"<b>{KINDS[kind].label}</b>", font=muted)
    panels.note(place, why, x=0.5, y=0.5, font=muted)
