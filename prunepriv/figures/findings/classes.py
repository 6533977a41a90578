"""Sentences about classes: which of them leak most."""

from __future__ import annotations

import numpy as np
import pandas as pd

from prunepriv.figures.classes import GAP_LABELS, Gap
from prunepriv.figures.palette import KINDS
from prunepriv.options import ModelKind
from prunepriv.prose import join, signed


def class_bars(table: pd.DataFrame, by: ModelKind, metric: Gap) -> str:
    """The classes of largest and smallest gap, and how many intervals cover zero."""
    ours = table[table["model"] == by].sort_values("gap", ascending=False)
    most, least = ours.iloc[0], ours.iloc[-1]
    covered = int((ours["gap"].abs() <= ours["margin"]).sum())
    tail = (
        f"; {covered} of {len(ours)} intervals cover zero" if ours["margin"].notna().any() else ""
    )
    return (
        f"In the {KINDS[by].words} model the {GAP_LABELS[metric].lower()} is largest for "
        f"{most['name']} ({signed(most['gap'])}) and smallest for {least['name']} "
        f"({signed(least['gap'])}){tail}."
    )


STEPS: tuple[tuple[ModelKind, ModelKind, str], ...] = (
    ("original", "control", "by retraining (original \u2192 control)"),
    ("control", "pruned", "by removing weights (control \u2192 pruned)"),
    ("original", "control_matched", "by retraining equally long"),
    ("control_matched", "pruned", "by removing weights from the control trained equally long"),
    ("pruned", "defended", "by the defence (pruned \u2192 defended)"),
)


def class_changes(table: pd.DataFrame, metric: Gap) -> str:
    """In how many classes the gap became larger at each step."""
    wide = table.pivot_table(index="class", columns="model", values="gap")
    parts = [
        f"in {int((wide[after] > wide[before]).sum())} of {len(wide)} classes {what}"
        for before, after, what in STEPS
        if {before, after} <= set(wide.columns)
    ]
    if not parts:
        return f"{GAP_LABELS[metric]} of {len(wide)} classes, largest first."
    return f"The {GAP_LABELS[metric].lower()} became larger {join(parts)}."


def class_detail(means: pd.DataFrame, by: ModelKind, name: str | None) -> str:
    """One class beside all of them, under one model."""
    rows = means[means["model"] == by].set_index("records")
    difference = (rows["members"] - rows["non-members"]).astype(float)
    gaps = {str(which): float(gap) for which, gap in difference.items()}
    overall = f"over all classes the gap is {signed(gaps['all classes'])}"
    where = f"In the {KINDS[by].words} model"
    gap = gaps.get(name) if name is not None else None
    if gap is None:
        return f"{where} {overall}; click a bar to see its class here."
    if not np.isfinite(gap):
        return f"{name} lacks members or non-members among the target's records; {overall}."
    return f"{where} {name} has a gap of {signed(gap)}; {overall}."


def distances(table: pd.DataFrame, before: ModelKind) -> str:
    """In how many classes the distance between the two distributions became larger."""
    classes = table["class"].nunique()
    parts = [
        f"in {int((rows['after'] > rows['before']).sum())} of {classes} classes of the "
        f"{KINDS[kind].words} model"
        for kind in KINDS
        if len(rows := table[table["model"] == kind])
    ]
    return (
        f"Compared with the {KINDS[before].words} model, the distributions of members and "
        f"non-members are further apart {join(parts)}."
    )
