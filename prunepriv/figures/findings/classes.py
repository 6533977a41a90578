"""Sentences about classes: which of them leak most."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from prunepriv.evaluation import apart, first_two
from prunepriv.figures.classes import DISTANCE_LABELS, GAP_LABELS, Distance, Gap
from prunepriv.figures.findings.comparisons import Row, named_classes, not_ahead
from prunepriv.figures.palette import KINDS
from prunepriv.options import ModelKind
from prunepriv.prose import join, rounded, signed
from prunepriv.store.signals import Quantity

MOST_NAMED = 12
"""How many classes a sentence names; the chart and its table have all."""


def class_bars(table: pd.DataFrame, by: ModelKind, metric: Gap) -> str:
    """The classes of largest and smallest gap, and how many intervals cover zero."""
    ours = table[table["model"] == by]
    covered = int((ours["gap"].abs() <= ours["margin"]).sum())
    tail = (
        f"; {covered} of {len(ours)} intervals cover zero" if ours["margin"].notna().any() else ""
    )
    return (
        f"In the {KINDS[by].words} model the {GAP_LABELS[metric].lower()} is largest for "
        f"{first_class(ours)} and smallest for {first_class(ours, smallest=True)}{tail}."
    )


def first_class(ours: pd.DataFrame, smallest: bool = False) -> str:
    """The class of the largest gap: "ant (+0.31, not clearly above bee)".

    Args:
        ours: rows of ``figures.classes.class_gaps``, of one model; at least one.
        smallest: the class of the smallest gap instead.
    """
    rows = ours[["name", "gap", "margin"]].to_dict("records")
    sign = -1 if smallest else 1
    places = first_two([sign * row["gap"] for row in rows])
    first = rows[places[0] if places else 0]
    behind = ""
    if places is not None:
        after = rows[places[1]]
        clear = apart(first["gap"], first["margin"], after["gap"], after["margin"]).clear
        behind = not_ahead(clear, after["name"], "below" if smallest else "above")
    return f"{first['name']} ({signed(first['gap'])}{behind})"


STEPS: tuple[tuple[ModelKind, ModelKind, str], ...] = (
    ("original", "control", "By retraining (original \u2192 control)"),
    ("control", "pruned", "By removing weights (control \u2192 pruned)"),
    ("original", "control_matched", "By retraining equally long"),
    ("control_matched", "pruned", "By removing weights from the control trained equally long"),
    ("pruned", "defended", "By the defence (pruned \u2192 defended)"),
)


def class_changes(
    contrasts: Mapping[tuple[ModelKind, ModelKind], Sequence[Row]],
    metric: Gap,
    names: Sequence[str],
) -> str:
    """Which classes' gap clearly changed at each step, by name.

    Args:
        contrasts: by the two models, the rows of their contrast.
        metric: the gap.
        names: of the classes.
    """
    parts = [
        f"{what} it is {named_classes(contrasts[before, after], metric, names)}."
        for before, after, what in STEPS
        if (before, after) in contrasts
    ]
    label = GAP_LABELS[metric].lower()
    if not parts:
        return f"{GAP_LABELS[metric]} of {len(names)} classes, largest first."
    return f"Paired on the same records of this run, the {label} changes. " + " ".join(parts)


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


def distances(table: pd.DataFrame, by: ModelKind, quantity: Quantity, distance: Distance) -> str:
    """Which classes are further apart than chance gives, and how far chance alone gives.

    Args:
        table: :func:`prunepriv.figures.classes.class_distances`.
        by: the model whose classes are named.
    """
    classes = table[table["class"] >= 0]
    kinds = [by, *(kind for kind in KINDS if kind != by and kind in set(classes["model"]))]
    parts = [_beyond(classes[classes["model"] == kind], kind, named=kind == by) for kind in kinds]
    name, _, unit = DISTANCE_LABELS[distance].partition(" (")
    unit = f" {unit.rstrip(')')}" if unit else ""
    ours = classes[classes["model"] == by]
    text = (
        f"By the {name} of {quantity}, members and non-members are further apart than chance gives "
        f"{'; '.join(parts)}."
    )
    if not len(ours):
        return text
    found, chance = (rounded(float(ours[column].mean())) for column in ("distance", "chance"))
    return (
        f"{text} Its mean over the {KINDS[by].label.lower()} model's classes is {found}{unit}; "
        f"where membership means nothing it is {chance}."
    )


def _beyond(rows: pd.DataFrame, kind: ModelKind, named: bool) -> str:
    """Such as: in 3 of 30 classes of the pruned model (7, 12 and 25), or (all but 4 and 9)."""
    found = rows[rows["beyond_chance"]]
    model = f"of the {KINDS[kind].label.lower()} model"
    if not len(found):
        return f"in none of the {len(rows)} classes {model}"
    if len(found) == len(rows):
        return f"in all {len(rows)} classes {model}"
    told = f"in {len(found)} of {len(rows)} classes {model}"
    if not named:
        return told
    above = (rows["distance"] - rows["chance"]).sort_values(ascending=False, kind="stable")
    sorted_rows = rows.loc[above.index]
    fewer = 2 * len(found) <= len(rows)
    names = [str(name) for name in sorted_rows["name"][sorted_rows["beyond_chance"] == fewer]]
    if len(names) > MOST_NAMED:
        names = [*names[:MOST_NAMED], f"{len(names) - MOST_NAMED} more"]
    return f"{told} ({'' if fewer else 'all but '}{join(names)})"
