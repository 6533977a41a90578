"""Sentences about confidence and sensitivity: the gap, and its causes."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from prunepriv.figures.classes import Z95
from prunepriv.figures.findings.changes import within_uncertainty
from prunepriv.figures.palette import KINDS
from prunepriv.options import ModelKind
from prunepriv.prose import percent, signed
from prunepriv.store.signals import Quantity, RecordSignals


def gap_of(signals: RecordSignals, quantity: Quantity) -> tuple[float, float]:
    """Mean over members minus mean over non-members, and half of its 95 % interval.

    nan where one of the groups is empty, or too small for an interval.
    """
    values = signals.values(quantity)
    groups = [values[signals.member], values[~signals.member]]
    if not all(map(len, groups)):
        return float("nan"), float("nan")
    squares = [g.var(ddof=1) / len(g) if len(g) > 1 else float("nan") for g in groups]
    return float(groups[0].mean() - groups[1].mean()), float(Z95 * np.sqrt(sum(squares)))


def leakage(signals: Mapping[ModelKind, RecordSignals], quantity: Quantity, only: str = "") -> str:
    """The gap of the last undefended model that is given, and its causes.

    Args:
        only: name of the class that is shown; empty for all records.
    """
    gaps = {kind: gap_of(one, quantity) for kind, one in signals.items()}
    front = next(
        k for k in ("pruned", "control", "control_matched", "original", "defended") if k in gaps
    )
    gap, margin = gaps[front]
    where = f"in the {KINDS[front].words} model" + (f", class {only}" if only else "")
    if not np.isfinite(gap):
        return f"Members or non-members are missing {where}, so there is no gap."
    parts = [_difference(gap, margin, quantity, where)]
    if {"original", "control", "pruned"} <= set(gaps):
        parts.append(_causes(gaps))
    if front == "pruned" and "defended" in gaps:
        parts.append(f"The defence leaves a gap of {signed(gaps['defended'][0], 3)}.")
    return " ".join(parts)


def _difference(gap: float, margin: float, quantity: Quantity, where: str) -> str:
    digits = 3 if abs(gap) >= 0.1 else 4
    how_much = f"{abs(gap):.{digits}f}"
    if np.isfinite(margin):
        how_much += f" (\u00b1 {margin:.{digits}f})"
    if np.isfinite(margin) and abs(gap) <= margin:
        return (
            f"The mean {quantity} of members and non-members differs by {how_much} {where}, which "
            "may be chance."
        )
    return (
        f"Mean {quantity} is {how_much} {'higher' if gap > 0 else 'lower'} on members than on "
        f"non-members {where}."
    )


def _causes(gaps: Mapping[ModelKind, tuple[float, float]]) -> str:
    total = gaps["pruned"][0] - gaps["original"][0]
    return (
        f"From the original to the pruned model the gap changed by {signed(total, 3)}: "
        f"{_step(gaps['original'], gaps['control'])} by retraining (original \u2192 control) and "
        f"{_step(gaps['control'], gaps['pruned'])} by removing weights (control \u2192 pruned)."
        + _equally_long(gaps)
    )


def _equally_long(gaps: Mapping[ModelKind, tuple[float, float]]) -> str:
    """The same steps by way of the control that was trained as long as the pruned model."""
    if "control_matched" not in gaps:
        return ""
    control = gaps["control_matched"]
    return (
        " By way of the control that was trained equally long these are "
        f"{_step(gaps['original'], control)} and {_step(control, gaps['pruned'])}."
    )


def _step(before: tuple[float, float], after: tuple[float, float]) -> str:
    """A change of the gap, and whether it exceeds its uncertainty."""
    change = after[0] - before[0]
    doubtful = within_uncertainty(change, before[1], after[1])
    return signed(change, 3) + (", within its uncertainty," if doubtful else "")


def records_in_bin(
    signals: RecordSignals, chosen: np.ndarray, words: str, quantity: Quantity
) -> str:
    """How many members and non-members a bar holds.

    Args:
        chosen: (n,) bool.
        words: the bar's ends, "0.967 to 1".
    """
    members = int((chosen & signals.member).sum())
    others = int((chosen & ~signals.member).sum())
    if members + others == 0:
        return f"No record has a {quantity} of {words}."
    share = members / (members + others)
    return (
        f"{members:,} members and {others:,} non-members have a {quantity} of {words}: an attack "
        f"that calls them all members is right for {percent(share, 0)}."
    )
