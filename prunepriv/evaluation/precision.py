"""Precision where members are few: of those accused, which share are members.

See assets/method.md#precision-at-a-prior.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from prunepriv.evaluation.intervals import RESAMPLES, Interval, percentiles
from prunepriv.evaluation.verdicts import Confusion

PRIORS = (0.01, 0.1, 0.5)
"""Shares of members among those asked."""


class Precision(NamedTuple):
    """Share of members among those called members; None if no record is called a member."""

    value: float | None
    ci95: Interval


def precision_at(
    prior: float, counts: Confusion, rng: np.random.Generator, draws: int = RESAMPLES
) -> Precision:
    """Precision if a share ``prior`` of those asked are members.

    q TPR / (q TPR + (1 - q) FPR). Its interval comes from draws of TPR and FPR out of
    Beta(k + 1/2, n - k + 1/2), where k of n were called members: where no false positive was seen,
    the interval does not shrink to 1.

    Args:
        prior: in (0, 1).
        counts: verdicts at one threshold, chosen on shadows.
        rng: draws the rates.
        draws: how many.
    """
    tpr = _rates(counts.true_positives, counts.false_negatives, rng, draws)
    fpr = _rates(counts.false_positives, counts.true_negatives, rng, draws)
    found, wrong = prior * tpr, (1 - prior) * fpr
    return Precision(counts.precision(prior), percentiles(found / (found + wrong)))


def _rates(called: int, not_called: int, rng: np.random.Generator, draws: int) -> np.ndarray:
    return rng.beta(called + 0.5, not_called + 0.5, draws)
