"""Whether attacks find the same members: two attacks can be equally accurate on different ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from prunepriv.figures.histograms import fill
from prunepriv.figures.palette import MEMBERS, NON_MEMBERS, Theme
from prunepriv.figures.panels import Panels
from prunepriv.options import ATTACKS

Measure = Literal["alike", "phi"]
MEASURE_LABELS: dict[Measure, str] = {
    "alike": "Share of records judged alike",
    "phi": "Phi correlation of verdicts",
}


def judged_alike(verdicts: np.ndarray) -> np.ndarray:
    """(attacks, attacks) share of records on which two attacks give the same verdict, in [0, 1].

    Args:
        verdicts: (attacks, n) bool.
    """
    ours = verdicts.astype(np.float64)
    both, neither = ours @ ours.T, (1 - ours) @ (1 - ours).T
    return np.asarray((both + neither) / verdicts.shape[1])


def phi(verdicts: np.ndarray) -> np.ndarray:
    """(attacks, attacks) phi correlation of verdicts, in [-1, 1]; nan where one never varies.

    Unlike the share judged alike, it does not count agreement by chance.
    """
    centered = verdicts - verdicts.mean(axis=1, keepdims=True)
    covariance = centered @ centered.T
    spread = np.sqrt(np.diag(covariance))
    spread[spread == 0] = np.nan
    return np.asarray(covariance / np.outer(spread, spread))


def agreement_heatmap(
    decisions: Mapping[str, np.ndarray], measure: Measure, theme: Theme
) -> tuple[go.Figure, pd.DataFrame]:
    """How often each pair of attacks gives the same verdict.

    Args:
        decisions: by attack, (n,) bool, all on the same records in the same order.

    Returns:
        The figure and a row per pair: ``attack``, ``other``, ``alike``, ``phi``.
    """
    verdicts = np.array(list(decisions.values()))
    cells = {"alike": judged_alike(verdicts), "phi": phi(verdicts)}
    labels = [ATTACKS[name].label for name in decisions]
    z = cells[measure]
    low = 0.5 if measure == "alike" else 0.0
    panels = Panels(theme, height=34 * len(labels) + 10, top=16, bottom=84)
    panels.trace(
        0, type="heatmap", z=z, x=labels, y=labels, zmin=low, zmax=1, xgap=2, ygap=2,
        colorscale=theme.sequential, showscale=False, hoverongaps=False,
        text=[["" if np.isnan(one) else f"{100 * one:.0f}" for one in row] for row in z],
        texttemplate="%{text}", textfont={"size": 12, "color": theme.ink},
        hovertemplate="%{x} and %{y}: %{z:.3f}<extra></extra>",
    )  # fmt: skip
    figure = panels.figure(
        x={"showgrid": False, "ticks": "", "tickangle": -45, "tickfont": {"size": 11}},
        y={"showgrid": False, "ticks": "", "autorange": "reversed", "tickfont": {"size": 11}},
    )
    first, second = np.triu_indices(len(labels), 1)
    names = np.array(labels)
    pairs = {name: cell[first, second] for name, cell in cells.items()}
    return figure, pd.DataFrame({"attack": names[first], "other": names[second], **pairs})


def votes_chart(
    decisions: Mapping[str, np.ndarray], member: np.ndarray, theme: Theme
) -> tuple[go.Figure, pd.DataFrame]:
    """How many attacks say "member" of a record, among members and among non-members.

    Returns:
        The figure and a row per group and number of attacks: ``group``, ``attacks``, ``records``,
        ``share`` (of the group).
    """
    votes = np.sum(list(decisions.values()), axis=0)
    most = len(decisions)
    parts = []
    panels = Panels(theme, height=270, top=44, bottom=56)
    for look in (MEMBERS, NON_MEMBERS):
        ours = votes[member == (look is MEMBERS)]
        counts = np.bincount(ours, minlength=most + 1)
        share = counts / max(1, len(ours))
        columns = {"attacks": np.arange(most + 1), "records": counts, "share": share}
        parts.append(pd.DataFrame({"group": look.label, **columns}))
        panels.trace(
            0, type="bar", x=np.arange(most + 1), y=share, marker=fill(look),
            name=f"{look.label} ({len(ours):,})", customdata=counts.tolist(),
            hovertemplate=f"%{{customdata:,}} {look.label} (%{{y:.1%}})<br>called members by %{{x}}"
            f" of {most} attacks<extra></extra>",
        )  # fmt: skip
    panels.layout |= {"barmode": "group", "bargap": 0.2}
    figure = panels.figure(
        x={"dtick": 1, "showgrid": False, "title": {"text": "attacks that say \u201cmember\u201d"}},
        y={"tickformat": ".0%", "nticks": 5, "title": {"text": "share of the group"}},
    )
    return figure, pd.concat(parts, ignore_index=True)
