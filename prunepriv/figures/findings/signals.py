"""Sentences about confidence and sensitivity: the gap, and its causes."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from prunepriv.evaluation import is_clear
from prunepriv.figures.classes import Z95
from prunepriv.figures.findings.comparisons import Row, told_gap
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


def leakage(
    signals: Mapping[ModelKind, RecordSignals],
    quantity: Quantity,
    only: str = "",
    retraining: Row | None = None,
    removing: Row | None = None,
    both: Row | None = None,
    equally_long: tuple[Row | None, Row | None] = (None, None),
) -> str:
    """The gap of the last undefended model that is given, and its causes.

    Args:
        only: name of the class that is shown; empty for all records.
        retraining, removing: the rows of this gap in the contrasts original -> control and
            control -> pruned; None where they are not known.
        both: the same in the contrast original -> pruned.
        equally_long: the same by way of the control that was trained as long as the pruned model.
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
    if retraining is not None and removing is not None:
        parts.append(_causes(retraining, removing, both, equally_long))
    if front == "pruned" and "defended" in gaps:
        parts.append(f"The defence leaves a gap of {signed(gaps['defended'][0], 3)}.")
    return " ".join(parts)


def _difference(gap: float, margin: float, quantity: Quantity, where: str) -> str:
    digits = 3 if abs(gap) >= 0.1 else 4
    how_much = f"{abs(gap):.{digits}f}"
    known = np.isfinite(margin)
    if known:
        how_much += f" (\u00b1 {margin:.{digits}f})"
    if known and not is_clear((gap - margin, gap + margin)):
        return (
            f"The mean {quantity} of members and non-members differs by {how_much} {where} "
            "(undecided)."
        )
    return (
        f"Mean {quantity} is {how_much} {'higher' if gap > 0 else 'lower'} on members than on "
        f"non-members {where}{'' if known else ' (undecided)'}."
    )


def _causes(
    retraining: Row,
    removing: Row,
    both: Row | None,
    equally_long: tuple[Row | None, Row | None],
) -> str:
    total = {"difference": retraining["difference"] + removing["difference"], "clear": False}
    return (
        "In this run, from the original to the pruned model the gap changed by "
        f"{told_gap(both or total)}: "
        f"{told_gap(retraining)} by retraining (original \u2192 control) and {told_gap(removing)} by "
        "removing weights (control \u2192 pruned)." + _equally_long(equally_long)
    )


def _equally_long(rows: tuple[Row | None, Row | None]) -> str:
    """The same steps by way of the control that was trained as long as the pruned model."""
    retraining, removing = rows
    if retraining is None or removing is None:
        return ""
    return (
        " By way of the control that was trained equally long these are "
        f"{told_gap(retraining)} and {told_gap(removing)}."
    )


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
