"""ROC curves as step functions, down to the smallest rate that the records can show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from scipy.special import ndtri

from prunepriv.evaluation import Confusion, Roc, ScoreCurve, decisions
from prunepriv.figures.palette import Theme, rgba
from prunepriv.figures.panels import Panels
from prunepriv.options import ATTACKS
from prunepriv.prose import percent
from prunepriv.store.result import AttackScores

FPRS = (0.1, 0.01, 0.001, 0.0)
"""False positive rates of the exact table."""
LEAST_FALSE_POSITIVES = 5
"""A TPR with fewer allowed false positives means little: at 0.1 % these are 5,000 non-members."""
MOST_VERTICES = 2_000
FINE = 1 / 1_000
"""Moves smaller than this cannot be seen on a linear axis."""


@dataclass(frozen=True)
class Curve:
    """One attack on one model, ready to be drawn.

    Attributes:
        attack: its name in the options table.
        points: score curve of members and non-members.
        own: confusion matrix of the attack's own thresholds, which are fitted on shadows.
    """

    attack: str
    points: ScoreCurve
    own: Confusion

    @property
    def label(self) -> str:
        return ATTACKS[self.attack].label

    @property
    def members(self) -> int:
        return len(self.points.members)

    @property
    def non_members(self) -> int:
        return len(self.points.non_members)

    @cached_property
    def corners(self) -> Roc:
        """Corners of the step function, see :func:`thin`."""
        return thin(self.points.roc(corners=True))


def make_curve(attack: str, scores: AttackScores, member: np.ndarray) -> Curve:
    """The curve of an attack's scores, given in the order of the signals.

    Args:
        member: (n,) bool.
    """
    return Curve(attack, ScoreCurve(scores.score, member), decisions(scores.decision, member))


def thin(roc: Roc, most: int = MOST_VERTICES, finest: float = FINE) -> Roc:
    """Fewer vertices, with no visible change.

    Up to ``most`` vertices all stay. Of more vertices, the first hundred stay, because a logarithmic
    axis shows each, and of the others those that are ``finest`` away from the one before.
    """
    if len(roc.fpr) <= most:
        return roc
    cell = np.floor(roc.fpr / finest) + np.floor(roc.tpr / finest)
    keep = np.concatenate([[True], np.diff(cell) > 0])
    keep[:100] = True
    keep[-1] = True
    return Roc(roc.fpr[keep], roc.tpr[keep], roc.threshold[keep])


def wilson(found: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """95 % intervals of a share found among ``count`` records (Wilson 1927)."""
    z = float(ndtri(0.975))
    middle = (found + z**2 / (2 * count)) / (1 + z**2 / count)
    reach = np.sqrt(found * (1 - found) / count + (z / (2 * count)) ** 2) * z / (1 + z**2 / count)
    return np.clip(middle - reach, 0, 1), np.clip(middle + reach, 0, 1)


def roc_table(curve: Curve, log: bool, behind: bool = False) -> pd.DataFrame:
    """The vertices that are drawn, with the 95 % Wilson interval of each TPR.

    A thin curve behind the chosen one has fewer vertices. On logarithmic axes the curve begins at
    1/n, with the TPR without any false positive.

    Returns:
        Columns ``attack``, ``threshold``, ``fpr``, ``tpr``, ``low``, ``high``.
    """
    fpr, tpr, threshold = thin(curve.corners, 300, 1 / 200) if behind else curve.corners
    if log:
        free = int(np.searchsorted(fpr, 0, side="right")) - 1
        fpr, tpr, threshold = (array[free:].copy() for array in (fpr, tpr, threshold))
        fpr[0] = 1 / curve.non_members
    low, high = wilson(tpr, curve.members)
    columns = {"threshold": threshold, "fpr": fpr, "tpr": tpr, "low": low, "high": high}
    table = pd.DataFrame({"attack": curve.label, **columns})
    return table[table["tpr"] > 0] if log else table


def roc_chart(
    curves: Mapping[str, Curve], chosen: str, theme: Theme, log: bool
) -> tuple[go.Figure, pd.DataFrame]:
    """ROC of one attack with its 95 % band, the others behind it.

    Args:
        curves: by attack; all on the same records.
        chosen: the attack in front.
        log: both axes logarithmic; rates below one record are shaded.

    Returns:
        The figure and the vertices of all curves, see :func:`roc_table`.
    """
    front = curves[chosen]
    panels = Panels(theme, height=340, top=44, bottom=56)
    tables = {name: roc_table(curve, log, name != chosen) for name, curve in curves.items()}
    for attack, curve in curves.items():
        if attack != chosen:
            panels.trace(0, **_line(tables[attack], curve.label, theme.muted, 1))
    _band(panels, tables[chosen])
    panels.trace(0, **_line(tables[chosen], front.label, theme.ink, 2.5))
    _guessing(panels, log, front)
    _own_point(panels, front)
    if log:
        _unmeasurable(panels, front)
    others = f"; thin: {len(curves) - 1} other attacks" if len(curves) > 1 else ""
    panels.heading(0, f"<b>{front.label}</b>{others}")
    panels.layout["showlegend"] = False
    return panels.figure(
        x={**_axis(log, front.non_members), "title": {"text": "false positive rate"}},
        y={**_axis(log, front.members), "title": {"text": "true positive rate"}},
    ), pd.concat(tables.values(), ignore_index=True)


def _line(table: pd.DataFrame, label: str, color: str, width: float) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines",
        "x": table["fpr"].to_numpy(),
        "y": table["tpr"].to_numpy(),
        "name": label,
        "line": {"shape": "hv", "color": color, "width": width},
        "opacity": 1 if width > 1 else 0.6,
        "hovertemplate": f"{label}<br>TPR %{{y:.2%}} at FPR %{{x:.2%}}<extra></extra>",
    }


def _band(panels: Panels, table: pd.DataFrame) -> None:
    """Between the ends of the TPR's interval: two lines without ink, filled in between."""
    bare = {"type": "scatter", "mode": "lines", "hoverinfo": "skip"}
    steps = {"shape": "hv", "width": 0, "color": panels.theme.ink}
    x = table["fpr"].to_numpy()
    shade = {"fill": "tonexty", "fillcolor": rgba(panels.theme.ink, 0.14)}
    panels.trace(0, x=x, y=table["low"].to_numpy(), line=steps, name="2.5 %", **bare)
    panels.trace(0, x=x, y=table["high"].to_numpy(), line=steps, name="97.5 %", **shade, **bare)


def _guessing(panels: Panels, log: bool, curve: Curve) -> None:
    start = 0.3 / max(curve.members, curve.non_members) if log else 0.0
    panels.box(
        0, type="line", x0=start, y0=start, x1=1, y1=1,
        line={"color": panels.theme.muted, "dash": "dot", "width": 1.5},
    )  # fmt: skip


def _own_point(panels: Panels, curve: Curve) -> None:
    """The point of the attack's own thresholds; one per class may not be on the curve."""
    own = curve.own
    if own.true_positives == 0 or own.false_positives == 0:
        return
    panels.trace(
        0, type="scatter", mode="markers", x=[own.fpr], y=[own.tpr], name="own thresholds",
        marker={"symbol": "star", "size": 14, "color": panels.theme.surface,
                "line": {"width": 2, "color": panels.theme.ink}},
        hovertemplate="own thresholds, fitted on shadows<br>TPR %{y:.1%} at FPR %{x:.1%}"
        "<extra></extra>",
    )  # fmt: skip


def _unmeasurable(panels: Panels, curve: Curve) -> None:
    """Shade rates that are less than one record."""
    least = 1 / curve.non_members
    shade = {"fillcolor": panels.theme.shade, "line": {"width": 0}}
    panels.box(0, x0=0.3 * least, x1=least, y0=1e-9, y1=1, **shade)
    panels.box(0, x0=1e-9, x1=1, y0=0.3 / curve.members, y1=1 / curve.members, **shade)
    panels.note(
        0, f"less than one of {curve.non_members:,} non-members", x=0.006, y=0.98, xanchor="left",
        yanchor="top", textangle=90, font={"size": 10, "color": panels.theme.muted},
    )  # fmt: skip


def _axis(log: bool, records: int) -> dict[str, Any]:
    if not log:
        return {"range": [-0.005, 1.01], "tickformat": ".0%", "dtick": 0.2}
    powers = np.arange(np.ceil(np.log10(1 / records)), 1)
    return {
        "type": "log",
        "range": [np.log10(0.3 / records), 0.02],
        "tickmode": "array",
        "tickvals": (10**powers).tolist(),
        "ticktext": [f"{100 * 10**power:g} %" for power in powers],
    }


def meaningful(alpha: float, non_members: int) -> bool:
    """Whether there are enough non-members to measure a TPR at that FPR.

    At least five false positives should be allowed, which at 0.1 % are 5,000 non-members; a rate of
    0 % needs as many.
    """
    return (alpha or FPRS[-2]) * non_members >= LEAST_FALSE_POSITIVES


def low_fpr_table(curves: Mapping[str, Curve]) -> pd.DataFrame:
    """Exact TPR at 10, 1, 0.1 and 0 % FPR, never interpolated.

    Returns:
        One row per attack and rate: ``attack``, ``fpr``, ``tpr``, ``low``, ``high`` (95 % Wilson
        interval), ``false_positives``, ``non_members``, ``meaningful``.
    """
    rows = []
    for curve in curves.values():
        for alpha in FPRS:
            tpr, false_positives = curve.points.tpr_at_fpr(alpha)
            low, high = wilson(np.array(tpr), curve.members)
            rows.append(
                {
                    "attack": curve.label,
                    "fpr": alpha,
                    "tpr": tpr,
                    "low": float(low),
                    "high": float(high),
                    "false_positives": false_positives,
                    "non_members": curve.non_members,
                    "meaningful": meaningful(alpha, curve.non_members),
                }
            )
    return pd.DataFrame(rows)


def low_fpr_words(table: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The table of :func:`low_fpr_table` for reading, and which of its cells mean something.

    Returns:
        Two tables, an attack per row and a rate per column: texts such as "12.3 % (22 FP)", bools.
    """
    words = [
        f"{percent(tpr)} ({false_positives} FP)"
        for tpr, false_positives in zip(table["tpr"], table["false_positives"], strict=True)
    ]
    rates = [f"at {100 * alpha:g} % FPR" for alpha in table["fpr"]]
    wide = table.assign(text=words, rate=rates).set_index(["attack", "rate"])
    attacks, columns = list(dict.fromkeys(table["attack"])), list(dict.fromkeys(rates))
    texts, meant = (
        wide[name].unstack("rate").loc[attacks, columns] for name in ("text", "meaningful")
    )
    return texts, meant
