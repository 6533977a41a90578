"""Sentences about defences: how much they protect, and what they cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from prunepriv.figures.classes import GAP_LABELS, Gap
from prunepriv.figures.findings.classes import first_class
from prunepriv.figures.findings.comparisons import (
    Row,
    by_the_same_attack,
    by_who_knows,
    does,
    doubt,
    in_contrast,
    named_classes,
    pick,
    told,
    told_gap,
)
from prunepriv.figures.findings.signals import gap_of
from prunepriv.options import ATTACKS, Adversary, ModelKind
from prunepriv.prose import capital, join, percent, signed
from prunepriv.store.signals import Quantity, RecordSignals


def defense(
    adaptive: Row | None,
    non_adaptive: Row | None,
    contrast: Sequence[Row] | None,
    knowing: Sequence[Row] | None,
    name: str,
    first: Adversary = "adaptive",
) -> str:
    """How the defence changes the chosen attack's accuracy, for each adversary.

    Args:
        adaptive, non_adaptive: of ``Result.headline``, on the defended model.
        contrast: pruned -> defended, against the adaptive adversary.
        knowing: the non-adaptive adversary -> the adaptive one.
        name: the defence, "PPB 4".
        first: the adversary that is named first.
    """
    parts = {}
    if adaptive is not None and contrast is not None:
        change = pick(contrast, attack=in_contrast(adaptive))
        by = "" if change is None else f" by {told(change)}"
        what = by_who_knows(adaptive, "what an adversary who knows it would choose")
        parts["adaptive"] = (
            f"in this run, {name} changes {what}{by} to {does(adaptive)}; by the same attack "
            f"{by_the_same_attack(contrast)}."
        )
    if non_adaptive is not None:
        worth = pick(knowing, attack=in_contrast(non_adaptive))
        tail = "" if worth is None else f"; to know the defence is worth {told(worth)}"
        parts["non_adaptive"] = (
            f"an adversary who does not know the defence reaches {does(non_adaptive)}{tail}."
        )
    ordered = [parts[who] for who in sorted(parts, key=lambda who: who != first)]
    return " ".join(capital(part) for part in ordered)


def price(
    reports: Mapping[ModelKind, Mapping[str, Any]], contrast: Sequence[Row] | None, name: str
) -> str:
    """What the defence costs in accuracy, and what it does to overfitting.

    Args:
        reports: of the pruned and the defended model.
        contrast: pruned -> defended.
        name: the defence, "PPB 4".
    """
    before, after = reports["pruned"], reports["defended"]
    gained = after["non_member_accuracy"] - before["non_member_accuracy"]
    verb = "costs" if gained < 0 else "gains"
    overfit = pick(contrast, "generalization", None)
    and_gap = (
        "" if overfit is None else f" and changes the generalisation gap by {told_gap(overfit)}"
    )
    return (
        f"In this run, {name} {verb} {abs(100 * gained):.1f} points"
        f"{doubt(pick(contrast, 'non_member_accuracy', None))} of accuracy on non-members "
        f"({percent(before['non_member_accuracy'])} \u2192 {percent(after['non_member_accuracy'])})"
        f"{and_gap}."
    )


def trade(contrast: Sequence[Row], attack: str, name: str) -> str:
    """The arrow in words: how accuracy on non-members and one attack's accuracy change.

    Args:
        contrast: pruned -> defended.
        attack: the one of all points.
        name: the defence, "PPB 4".
    """
    leakage = pick(contrast, attack=attack)
    utility = pick(contrast, "non_member_accuracy", None)
    parts = [
        f"{what} by {told(row)}"
        for what, row in ((ATTACKS[attack].label, leakage), ("accuracy on non-members", utility))
        if row is not None
    ]
    return f"From pruned to {name}, in this run: {join(parts)}."


def others(count: int, attack: str, left_out: Sequence[str], fixed: bool = False) -> str:
    """Which other runs are in the trade-off chart, and which are not.

    Args:
        count: defended models of other runs.
        attack: the one of all points.
        left_out: runs that were not attacked by it, or with another recipe.
        fixed: the reader fixed the attack.
    """
    label = ATTACKS[attack].label
    whose = "" if fixed else ", the attack that the pruned model's adversary would choose"
    text = f"Every point is {label}{whose}. "
    if count:
        text += (
            f"Grey: {count} other defence(s) or strength(s) on the same pruned model, from your "
            "other runs."
        )
    else:
        text += "Runs of the same pruned model with other defences or strengths will also be drawn here."
    return text + (
        f" Left out, without {label} of the same recipe: {join(left_out)}." if left_out else ""
    )


def noise(privacy: Mapping[str, Any]) -> str:
    """How DP-SGD trained.

    Args:
        privacy: of a privacy step.
    """
    return (
        f"Noise multiplier {privacy['noise_multiplier']:g}, gradients clipped to a norm of "
        f"{privacy['clip']:g}, {privacy['steps']:,} of {privacy['budget_steps']:,} steps taken, with "
        f"{percent(privacy['sample_rate'])} of the members each."
    )


def defended_classes(
    table: pd.DataFrame,
    metric: Gap,
    name: str,
    contrast: Sequence[Row] | None,
    names: Sequence[str],
) -> str:
    """In which classes the defence clearly changed the gap, and where the largest gap is left.

    Args:
        table: the gaps by class and model.
        metric: the gap.
        name: the defence, "PPB 4".
        contrast: pruned -> defended.
        names: of the classes.
    """
    largest = first_class(table[table["model"] == "defended"])
    rest = f"the largest {GAP_LABELS[metric].lower()} left is that of {largest}."
    if contrast is None:
        return f"In this run, with {name} {rest}"
    changed = named_classes(contrast, metric, names)
    return f"In this run, with {name} the {GAP_LABELS[metric].lower()} is {changed}; {rest}"


def defended_signals(
    signals: Mapping[ModelKind, RecordSignals],
    quantity: Quantity,
    name: str,
    change: Row | None,
) -> str:
    """The gap without and with the defence.

    Args:
        signals: of the pruned and the defended model.
        quantity: whose gap.
        name: the defence, "PPB 4".
        change: the row of this gap in the contrast pruned -> defended; None if it is not known.
    """
    before, after = (gap_of(signals[kind], quantity)[0] for kind in ("pruned", "defended"))
    by = "" if change is None else f", by {told_gap(change)}"
    return (
        f"In this run, {name} changes the {quantity} gap between members and non-members from "
        f"{signed(before, 3)} to {signed(after, 3)}{by}."
    )
