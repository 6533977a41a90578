"""Which of several comes first, and whether it is ahead of the next (assets/method.md#rankings).

What comes first is told as ahead only where its difference from the next is clear. Of k equals, the
first is then called ahead by chance in at most 5 % of cases, and in fewer the more there are: the
first two of many lie close together.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from prunepriv.evaluation.contrasts import Difference, paired
from prunepriv.evaluation.intervals import RESAMPLES
from prunepriv.evaluation.words import is_clear


def first_two(values: Sequence[float]) -> tuple[int, int] | None:
    """The places of the largest value and of the next; of equals, the earlier comes first.

    Args:
        values: nan where there is none.

    Returns:
        None if there are fewer than two values.
    """
    known = [place for place, value in enumerate(values) if not math.isnan(value)]
    order = sorted(known, key=lambda place: -values[place])
    return (order[0], order[1]) if len(order) > 1 else None


def apart(value: float, margin: float, other: float, other_margin: float) -> Difference:
    """What one figure has more than another one of other records, such as those of two classes.

    Args:
        value, other: the figures.
        margin, other_margin: half-widths of their 95 % intervals; nan where there is none.
    """
    half = math.hypot(margin, other_margin)
    ci95 = (value - other - half, value - other + half)
    return Difference(value - other, ci95, is_clear(ci95))


def more_often(
    often: np.ndarray,
    seldom: np.ndarray,
    member: np.ndarray,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> Difference:
    """How much more often one statement holds than another, on the same records.

    Of each record it is -1, 0 or 1 more. So how many there are of each in a resample has a
    multinomial distribution, among members and among non-members, and no record has to be drawn.

    Args:
        often, seldom: (n,) bool, whether each statement holds.
        member: (n,) bool.
        seed, resamples: of the draws, and how many.
    """
    rng = np.random.default_rng(seed)
    gain = often.astype(np.int64) - seldom
    drawn = np.zeros(resamples)
    for group in (gain[member], gain[~member]):
        if len(group):
            counts = np.bincount(group + 1, minlength=3)
            less, _, more = rng.multinomial(len(group), counts / len(group), resamples).T
            drawn += more - less
    return paired(float(seldom.mean()), float(often.mean()), drawn / len(gain))
