"""Sentences about confidence and sensitivity: the gap, and what made it."""

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
    """The gap of the last undefended model there is, and where it comes from.

    Args:
        only: name of the class that is shown; empty for all records.
    """
    gaps = {kind: gap_of(one, quantity) for kind, one in signals.items()}
    front = next(k for k in ("pruned", "control", "original", "defended") if k in gaps)
    gap, margin = gaps[front]
    where = f"the {KINDS[front].label.lower()} model" + (f", {only}" if only else "")
    if not np.isfinite(gap):
        return f"In {where} there are not both members and non-members to compare."
    parts = [f"{_difference(gap, margin, quantity)} in {where}."]
    if {"original", "control", "pruned"} <= set(gaps):
        parts.append(_causes(gaps))
    if front == "pruned" and "defended" in gaps:
        parts.append(f"The defence leaves a gap of {signed(gaps['defended'][0], 3)}.")
    return " ".join(parts)


def _difference(gap: float, margin: float, quantity: Quantity) -> str:
    digits = 3 if abs(gap) >= 0.1 else 4
    how_much = f"{abs(gap):.{digits}f}"
    if np.isfinite(margin):
        how_much += f" (\u00b1 {margin:.{digits}f})"
    if np.isfinite(margin) and abs(gap) <= margin:
        return f"Mean {quantity} of members and non-members differs by {how_much}, which may be chance,"
    if quantity == "confidence":
        return f"The model is {how_much} {'more' if gap > 0 else 'less'} confident on members than on non-members"
    return f"Answers are {how_much} {'more' if gap > 0 else 'less'} sensitive on members than on non-members"


def _causes(gaps: Mapping[ModelKind, tuple[float, float]]) -> str:
    total = gaps["pruned"][0] - gaps["original"][0]
    return (
        f"Since the original the gap has changed by {signed(total, 3)}: "
        f"{_step(gaps['original'], gaps['control'])} by retraining (original \u2192 control) and "
        f"{_step(gaps['control'], gaps['pruned'])} by removing weights (control \u2192 pruned)."
    )


def _step(before: tuple[float, float], after: tuple[float, float]) -> str:
    """A change of the gap, and whether it exceeds its uncertainty."""
    change = after[0] - before[0]
    doubtful = within_uncertainty(change, before[1], after[1])
    return signed(change, 3) + (", within its uncertainty," if doubtful else "")


def records_in_bin(
    signals: RecordSignals, chosen: np.ndarray, words: str, quantity: Quantity
) -> str:
    """Who lies in a bar.

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
        f"{members:,} members and {others:,} non-members have a {quantity} of {words}: whoever calls "
        f"them all members is right for {percent(share, 0)}."
    )
