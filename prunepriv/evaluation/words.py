"""The three words of every comparison, and the one rule for each.

See assets/method.md#comparisons.
"""

from __future__ import annotations

from typing import Literal

from prunepriv.evaluation.intervals import Interval
from prunepriv.evaluation.permuted import GUESSING

Word = Literal["clear", "undecided"]
"""Of a difference."""

SEEDS_THAT_DECIDE = 3
"""From so many seeds on, the interval over seeds decides; with two it is only shown."""


def is_clear(ci95: Interval | None) -> bool:
    """Whether the 95 % interval of a difference excludes 0; an interval that is missing does not.

    Args:
        ci95: of the paired difference of one run, or from three seeds on that over seeds.
    """
    if ci95 is None:
        return False
    low, high = ci95
    return low > 0 or high < 0


def word_of(ci95: Interval | None) -> Word:
    """The word for a difference."""
    return "clear" if is_clear(ci95) else "undecided"


def is_guessing(p: float) -> bool:
    """Whether an attack, or the best of several, is not distinguishable from guessing.

    Args:
        p: of chance.py.
    """
    return p >= GUESSING
