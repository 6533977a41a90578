"""Sentences about defences: how much they protect, and what they cost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from prunepriv.figures.classes import GAP_LABELS, Gap
from prunepriv.figures.findings.attacks import is_guessing
from prunepriv.figures.findings.changes import Row, change
from prunepriv.figures.findings.signals import gap_of
from prunepriv.options import Adversary, ModelKind
from prunepriv.prose import capital, percent, points, signed
from prunepriv.store.signals import Quantity, RecordSignals


def defense(
    pruned: Row,
    adaptive: Row | None,
    non_adaptive: Row | None,
    name: str,
    first: Adversary = "adaptive",
) -> str:
    """How the defence changes the best attack's accuracy, for each adversary.

    Args:
        pruned, adaptive, non_adaptive: best rows of the leaderboard.
        name: the defence, "PPB 4".
        first: the adversary that is named first.
    """
    start = float(pruned["accuracy"])
    parts = {}
    for adversary, row, who in (
        ("adaptive", adaptive, "an adversary who knows the defence"),
        ("non_adaptive", non_adaptive, "an adversary who does not know the defence"),
    ):
        if row is not None:
            end = float(row["accuracy"])
            parts[adversary] = (
                f"against {who}, {name} changes the best attack from {percent(start)} to {percent(end)} "
                f"({points(end - start)}{_doubt(pruned, row)})."
            )
    ordered = [parts[who] for who in sorted(parts, key=lambda who: who != first)]
    return " ".join(capital(part) for part in ordered)


def _doubt(before: Row, after: Row) -> str:
    """Whether a change between two rows of the leaderboard is uncertain, in words."""
    if is_guessing(after):
        return ", not distinguishable from guessing"
    _, clear = change(before, after)
    return "" if clear else ", within its uncertainty"


def price(reports: Mapping[ModelKind, Mapping[str, Any]], name: str) -> str:
    """What the defence costs in accuracy."""
    before, after = reports["pruned"], reports["defended"]
    gained = after["non_member_accuracy"] - before["non_member_accuracy"]
    verb = "costs" if gained < 0 else "gains"
    return (
        f"{capital(name)} {verb} {abs(100 * gained):.1f} points of accuracy on non-members "
        f"({percent(before['non_member_accuracy'])} \u2192 {percent(after['non_member_accuracy'])}) and changes "
        f"accuracy on members by {points(after['member_accuracy'] - before['member_accuracy'])}."
    )


def trade(utility: float, leakage_change: float, name: str) -> str:
    """The arrow in words: how accuracy on non-members and the best attack's accuracy change."""
    return (
        f"From pruned to {name}: the best attack changes by {points(leakage_change)}, accuracy on "
        f"non-members by {points(utility)}."
    )


def others(count: int) -> str:
    """Which other runs are in the trade-off chart.

    Args:
        count: defended models of other runs.
    """
    if not count:
        return "Runs of the same pruned model with other defences or strengths will also be drawn here."
    return (
        f"Grey: {count} other defence(s) or strength(s) on the same pruned model, from your other "
        "runs."
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


def defended_classes(table: pd.DataFrame, metric: Gap, name: str) -> str:
    """In how many classes the defence narrowed the gap, and where the largest gap is left."""
    wide = table.pivot_table(index="name", columns="model", values="gap")
    narrowed = int((wide["defended"].abs() < wide["pruned"].abs()).sum())
    left = wide["defended"].idxmax()
    return (
        f"{capital(name)} narrows the {GAP_LABELS[metric].lower()} in {narrowed} of {len(wide)} classes; the "
        f"largest gap left is that of {left} ({signed(float(wide['defended'].max()))})."
    )


def defended_signals(
    signals: Mapping[ModelKind, RecordSignals], quantity: Quantity, name: str
) -> str:
    """The gap without and with the defence."""
    before, after = (gap_of(signals[kind], quantity)[0] for kind in ("pruned", "defended"))
    return (
        f"{capital(name)} changes the {quantity} gap between members and non-members from {signed(before, 3)} to "
        f"{signed(after, 3)}."
    )
