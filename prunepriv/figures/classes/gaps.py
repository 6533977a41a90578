"""Tables of gaps by class, with their 95 % intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
import pandas as pd

from prunepriv.options import ModelKind
from prunepriv.store.signals import RecordSignals

Gap = Literal["confidence", "sensitivity", "generalization"]

GAP_LABELS: dict[Gap, str] = {
    "confidence": "Confidence gap",
    "sensitivity": "Sensitivity gap",
    "generalization": "Generalisation gap",
}
Z95 = 1.96
MOST_CLASSES = 15
"""How many classes are shown first: as many as fit on a screen."""


def class_gaps(
    gaps: Mapping[ModelKind, pd.DataFrame],
    metric: Gap,
    names: Sequence[str],
    signals: Mapping[ModelKind, RecordSignals] | None = None,
) -> pd.DataFrame:
    """One row per model and class that has members and non-members.

    Returns:
        Columns ``model``, ``class``, ``name``, ``gap``, ``margin`` (half of the 95 % interval, nan
        without signals), ``members``, ``non_members``.
    """
    parts = []
    for kind, table in gaps.items():
        rows = table[table["class"].notna() & table[metric].notna()]
        label = rows["class"].astype(int)
        margin = np.full(len(names), np.nan)
        if signals is not None and kind in signals:
            margin = gap_margins(signals[kind], metric, len(names))
        part = {
            "model": kind,
            "class": label.to_numpy(),
            "name": [names[one] for one in label],
            "gap": rows[metric].to_numpy(dtype=float),
            "margin": margin[label],
            "members": rows["members"].to_numpy(dtype=int),
            "non_members": rows["non_members"].to_numpy(dtype=int),
        }
        parts.append(pd.DataFrame(part))
    return pd.concat(parts, ignore_index=True)


def gap_margins(signals: RecordSignals, metric: Gap, classes: int) -> np.ndarray:
    """(classes,) half-widths of the gaps' 95 % intervals (normal; difference of two means).

    nan where a group has fewer than two records.
    """
    values = signals.correct if metric == "generalization" else signals.values(metric)
    variance = np.zeros(classes)
    for member in (True, False):
        ours = signals.member == member
        label, x = signals.label[ours], np.asarray(values[ours], dtype=np.float64)
        count = np.bincount(label, minlength=classes).astype(float)
        count[count < 2] = np.nan
        mean = np.bincount(label, x, minlength=classes) / count
        square = np.bincount(label, (x - mean[label]) ** 2, minlength=classes) / (count - 1)
        variance += square / count
    return np.asarray(Z95 * np.sqrt(variance))


def class_order(table: pd.DataFrame, by: ModelKind) -> list[int]:
    """Classes by decreasing gap of one model; equal gaps by class number."""
    ours = table[table["model"] == by].sort_values(["gap", "class"], ascending=[False, True])
    return [int(label) for label in ours["class"]]
