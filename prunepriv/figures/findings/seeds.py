"""Sentences about one experiment's runs under several seeds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from prunepriv.evaluation import CHOSEN, SEEDS_THAT_DECIDE
from prunepriv.options import ATTACKS
from prunepriv.prose import join, points, signed

Row = Mapping[str, Any]
"""A row of ``store.over_seeds``."""

MOST_TOLD = 5
"""Rows that are told one by one; of more, only those that are clear are named."""

MOST_VALUES = 8
"""Clear rows that are named with their values."""

BASIS = (
    "Every seed draws other splits of the same data set and trains anew. The interval is Student's t "
    "over training and splits; the splits share records, so it is not over other populations, and it "
    "is no bound on what is possible."
)


def over_seeds(rows: Mapping[str, Row], fractions: bool = True) -> str:
    """The mean differences over seeds, each with its interval and its word.

    Args:
        rows: by what they are called; not empty.
        fractions: the values are fractions, told in points.
    """
    seeds = next(iter(rows.values()))["seeds"]
    start = f"Mean over {seeds} seeds"
    few = "" if seeds >= SEEDS_THAT_DECIDE else " Three seeds or more decide."
    if len(rows) <= MOST_TOLD:
        parts = [f"{what}{_by(row)} {_told(row, fractions)}" for what, row in rows.items()]
        return f"{start}: {'; '.join(parts)}.{few}"
    clear = {what: row for what, row in rows.items() if row["clear"]}
    if not clear:
        return f"{start}: all {len(rows)} differences are undecided.{few}"
    named = join([_named(what, row, len(clear), fractions) for what, row in clear.items()])
    rest = len(rows) - len(clear)
    tail = f"; the other {rest} are undecided" if rest else ""
    return f"{start}: clear for {len(clear)} of {len(rows)} ({named}){tail}.{few}"


def _named(what: str, row: Row, count: int, fractions: bool) -> str:
    """One of the clear differences; of many, without its value."""
    if count > MOST_VALUES:
        return what
    by = _by(row) if row["attack"] == CHOSEN else ""
    return f"{what}{by} {_value(row['mean'], fractions)}"


def _by(row: Row) -> str:
    """Which attack the difference belongs to: " (LiRA)", " (LiRA, then SAMIA)"."""
    if row["attack"] is None:
        return ""
    before, after = (ATTACKS[row[side]].label for side in ("from_attack", "to_attack"))
    return f" ({before})" if before == after else f" ({before}, then {after})"


def _told(row: Row, fractions: bool) -> str:
    told = _value(row["mean"], fractions)
    word = "clear" if row["clear"] else "undecided"
    if row["ci95"] is None:
        return f"{told} ({word})"
    low, high = (signed(100 * end, 1) if fractions else signed(end, 3) for end in row["ci95"])
    return f"{told} ({low} to {high}, {word})"


def _value(value: float, fractions: bool) -> str:
    return points(value) if fractions else signed(value, 3)
