"""Intervals: from resamples of records, and over seeds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.special import stdtr, stdtrit

RESAMPLES = 2_000
"""How often records are resampled."""

Interval = tuple[float, float]


class MeanInterval(NamedTuple):
    """Mean over seeds and its 95 % t-interval; no interval (None) from a single seed."""

    mean: float
    low: float | None
    high: float | None


def percentiles(values: np.ndarray) -> Interval:
    """The central 95 % of the values."""
    low, high = np.percentile(values, [2.5, 97.5])
    return float(low), float(high)


def mean_and_t_interval(values: Sequence[float]) -> MeanInterval:
    """Mean over seeds and the 95 % interval from Student's t; it may exceed [0, 1].

    Raises:
        ValueError: no values.
    """
    if not len(values):
        raise ValueError("a mean needs at least one value, got no values: give one per seed")
    mean = float(np.mean(values))
    if len(values) == 1:
        return MeanInterval(mean, None, None)
    error = np.std(values, ddof=1) / np.sqrt(len(values))
    half = stdtrit(len(values) - 1, 0.975) * error
    return MeanInterval(mean, float(mean - half), float(mean + half))


def mean_p_value(values: Sequence[float]) -> float:
    """Two-sided p of the mean over seeds against 0, by Student's t; 1 from a single seed.

    It is below 0.05 exactly where the interval of :func:`mean_and_t_interval` excludes 0.
    """
    if len(values) < 2:
        return 1.0
    mean, error = float(np.mean(values)), float(np.std(values, ddof=1) / np.sqrt(len(values)))
    if error == 0:
        return 1.0 if mean == 0 else 0.0
    return float(2 * stdtr(len(values) - 1, -abs(mean) / error))
