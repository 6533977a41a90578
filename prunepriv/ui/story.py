"""What a run's figures say, in sentences. Pure functions of evaluations and reports.

No verdict beyond the figures: where an interval covers chance, or a change is no larger than its
uncertainty, the sentence says so.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from prunepriv.options import ATTACKS, ModelKind
from prunepriv.prose import capital, percent, points

Row = Mapping[str, Any]


def best_of(rows: Sequence[Row]) -> Row:
    """The attack of highest accuracy; of equals the first."""
    return max(rows, key=lambda row: row["accuracy"])


def interval(row: Row) -> str:
    """As in "76.9 to 79.7 %"."""
    low, high = row["accuracy_ci95"]
    return f"{100 * low:.1f} to {percent(high)}"


def label(row: Row) -> str:
    """The attack's name."""
    return ATTACKS[row["attack"]].label


def change(before: Row, after: Row) -> tuple[float, bool]:
    """By how much an attack's accuracy changed, and whether that exceeds its uncertainty.

    The half-widths of both 95 % intervals are added in quadrature. The models share their records,
    so this errs on the side of caution.
    """
    spread = math.hypot(*(_half_width(row) for row in (before, after)))
    difference = float(after["accuracy"] - before["accuracy"])
    return difference, abs(difference) > spread


def attribution(rows: Mapping[ModelKind, Sequence[Row]]) -> str:
    """How much of the change is retraining and how much is removing weights, in one sentence.

    Args:
        rows: evaluations by the adaptive adversary. Each model faces the attack that does best on
            it, as an adversary would choose.
    """
    if not {"original", "control", "pruned"} <= rows.keys():
        missing = [kind for kind in ("original", "control", "pruned") if kind not in rows]
        return (
            f"Without an attack on the {' and the '.join(missing)} model this run cannot tell "
            "retraining and removing weights apart."
        )
    original, control, pruned = (best_of(rows[kind]) for kind in ("original", "control", "pruned"))
    return (
        f"The best attack goes from {percent(original['accuracy'])} on the original to "
        f"{percent(control['accuracy'])} on the control and {percent(pruned['accuracy'])} on the "
        f"pruned model: **{_step(original, control)} by training on the same records again** and "
        f"**{_step(control, pruned)} by removing weights**."
    )


def defended(undefended: Row, adaptive: Row, non_adaptive: Row | None, defense: str) -> str:
    """What the defence does to the best attack, the adaptive adversary first."""
    difference, clear = change(undefended, adaptive)
    if not clear:
        first = f"Against an adversary who knows it, {defense} changes the best attack by no more than its uncertainty ({points(difference)})"
    else:
        first = f"{capital(defense)} moves the best attack by {points(difference)} to {percent(adaptive['accuracy'])} against an adversary who knows it"
    if non_adaptive is None:
        return f"{first}."
    return f"{first}; one who does not gets {percent(non_adaptive['accuracy'])}."


def _step(before: Row, after: Row) -> str:
    difference, clear = change(before, after)
    return points(difference) + ("" if clear else " (within its uncertainty)")


def _half_width(row: Row) -> float:
    low, high = row["accuracy_ci95"]
    return float(high - low) / 2
