"""Differences between runs of a sweep: paired by seed, or of one seed by its records.

See assets/method.md#comparisons.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from prunepriv.evaluation.intervals import Interval, mean_and_t_interval, percentiles
from prunepriv.evaluation.words import SEEDS_THAT_DECIDE, is_clear


@dataclass(frozen=True)
class OverRuns:
    """What the runs of one setting have more than those of another.

    Attributes:
        value: mean over seeds.
        ci95: over seeds; of one seed over its records; None where there is no interval.
        clear: the word of the difference: not "undecided".
        seeds: how many.
        why: why nothing decides, such as "one seed"; "" where an interval does.
    """

    value: float
    ci95: Interval | None
    clear: bool
    seeds: int
    why: str = ""


def over_runs(differences: Sequence[float], drawn: np.ndarray | None = None) -> OverRuns:
    """Of the differences of each seed.

    Args:
        differences: one for each seed that both settings have; at least one.
        drawn: (resamples,) of one seed, the difference in resamples of records that both runs
            share; None where they share none, or are not at hand.

    Raises:
        ValueError: no differences.
    """
    value, low, high = mean_and_t_interval(differences)
    seeds = len(differences)
    if seeds == 1:
        ci95 = None if drawn is None else percentiles(drawn)
        return OverRuns(value, ci95, is_clear(ci95), seeds, "one seed" if ci95 is None else "")
    ci95 = None if low is None or high is None else (low, high)
    if seeds < SEEDS_THAT_DECIDE:
        return OverRuns(value, ci95, False, seeds, "two seeds")
    return OverRuns(value, ci95, is_clear(ci95), seeds)
