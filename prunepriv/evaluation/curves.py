"""The operating points of a score: one for each threshold."""

from __future__ import annotations

from functools import cached_property
from typing import NamedTuple

import numpy as np

from prunepriv.evaluation.intervals import RESAMPLES, Interval, percentiles
from prunepriv.evaluation.verdicts import Confusion

LOW_FPR = 0.01
"""The false positive rate at which few may be accused (Carlini et al. 2022)."""


class Roc(NamedTuple):
    """Operating points of a score, from "no record is a member" to "every record is".

    The curve is a step function, drawn horizontally first and then up: a rate between two points
    would need random verdicts.

    Attributes:
        fpr: (points,) non-decreasing, from 0 to 1.
        tpr: (points,) non-decreasing, from 0 to 1.
        threshold: (points,) lowest score that is called a member; the first is inf.
    """

    fpr: np.ndarray
    tpr: np.ndarray
    threshold: np.ndarray


class LowFpr(NamedTuple):
    """The best operating point of a score at a low false positive rate.

    Attributes:
        tpr: largest TPR whose FPR is not above the given one.
        false_positives: how many non-members are called members there.
    """

    tpr: float
    false_positives: int


class ScoreCurve:
    """Scores of members and non-members, sorted once: every threshold then takes O(log n).

    Args:
        score: (n,) high for members; infinities are allowed.
        member: (n,) bool.

    Raises:
        ValueError: lengths differ, a score is nan, or one of the groups is empty.
    """

    def __init__(self, score: np.ndarray, member: np.ndarray) -> None:
        score, member = np.asarray(score), np.asarray(member, dtype=bool)
        if score.ndim != 1 or score.shape != member.shape:
            raise ValueError(f"score and member must be (n,), got {score.shape} and {member.shape}")
        if np.isnan(score).any():
            raise ValueError(
                f"score must not hold nan, got {np.isnan(score).sum()} of {len(score)}"
            )
        if member.all() or not member.any():
            raise ValueError(f"both members and non-members are needed, got {member.sum()} members")
        self.members = np.sort(score[member])
        self.non_members = np.sort(score[~member])

    def confusion(self, threshold: float) -> Confusion:
        """Counts of verdicts if every score of ``threshold`` or more is called a member."""
        missed = int(np.searchsorted(self.members, threshold))
        cleared = int(np.searchsorted(self.non_members, threshold))
        return Confusion(
            true_positives=len(self.members) - missed,
            false_positives=len(self.non_members) - cleared,
            false_negatives=missed,
            true_negatives=cleared,
        )

    @cached_property
    def thresholds(self) -> np.ndarray:
        """(distinct,) the different scores, ascending."""
        return np.union1d(self.members, self.non_members)

    def roc(self, *, corners: bool = False) -> Roc:
        """All operating points, or only those at the corners of the step function.

        The points between corners do not change the drawn curve.
        """
        falling = self.thresholds[::-1]
        threshold = np.concatenate([[np.inf], falling])
        tp = np.concatenate([[0], _at_least(self.members, falling)])
        fp = np.concatenate([[0], _at_least(self.non_members, falling)])
        if corners:
            straight = (tp[:-2] == tp[2:]) | (fp[:-2] == fp[2:])
            keep = np.concatenate([[True], ~straight, [True]])
            tp, fp, threshold = tp[keep], fp[keep], threshold[keep]
        return Roc(fp / len(self.non_members), tp / len(self.members), threshold)

    @cached_property
    def auc(self) -> float:
        """Probability that a member scores above a non-member; a tie counts half (Mann-Whitney)."""
        below = np.searchsorted(self.non_members, self.members, side="left").sum()
        not_above = np.searchsorted(self.non_members, self.members, side="right").sum()
        return float((below + not_above) / 2 / len(self.members) / len(self.non_members))

    def tpr_at_fpr(self, alpha: float) -> LowFpr:
        """The largest TPR whose FPR is at most ``alpha``; never interpolated."""
        allowed = allowed_false_positives(alpha, len(self.non_members))
        if allowed >= len(self.non_members):
            return LowFpr(1.0, len(self.non_members))
        # the highest score that must not be called a member; equal scores are not either
        limit = self.non_members[len(self.non_members) - allowed - 1]
        found = len(self.members) - np.searchsorted(self.members, limit, side="right")
        wrong = len(self.non_members) - np.searchsorted(self.non_members, limit, side="right")
        return LowFpr(float(found / len(self.members)), int(wrong))

    def tpr_at_fpr_interval(
        self, alpha: float, rng: np.random.Generator, resamples: int = RESAMPLES
    ) -> Interval:
        """95 % bootstrap interval of :meth:`tpr_at_fpr`, over records, stratified by membership.

        This is exact, and draws no records. With k false positives allowed, the score to exceed is
        the (k+1)-th largest of N non-members drawn with replacement. The index of a drawn record is
        the floor of N times a uniform number, so the index of that score is the floor of N times
        the (k+1)-th largest of N uniform numbers, which is Beta(N - k, k + 1). The number of
        members drawn above that score is binomial.
        """
        count = len(self.non_members)
        allowed = allowed_false_positives(alpha, count)
        if allowed >= count:
            return 1.0, 1.0
        index = (rng.beta(count - allowed, allowed + 1, resamples) * count).astype(np.int64)
        limit = self.non_members[np.minimum(index, count - 1)]
        above = len(self.members) - np.searchsorted(self.members, limit, side="right")
        found = rng.binomial(len(self.members), above / len(self.members))
        return percentiles(found / len(self.members))


def roc_curve(score: np.ndarray, member: np.ndarray, *, corners: bool = False) -> Roc:
    """Operating points of a score, one per distinct value; see :meth:`ScoreCurve.roc`."""
    return ScoreCurve(score, member).roc(corners=corners)


def tpr_at_fpr(score: np.ndarray, member: np.ndarray, alpha: float) -> LowFpr:
    """The largest TPR whose FPR is at most ``alpha``; see :meth:`ScoreCurve.tpr_at_fpr`."""
    return ScoreCurve(score, member).tpr_at_fpr(alpha)


def confusion(score: np.ndarray, member: np.ndarray, threshold: float) -> Confusion:
    """Counts of verdicts if every score of ``threshold`` or more is called a member."""
    return ScoreCurve(score, member).confusion(threshold)


def limit_at_low_fpr(non_members: np.ndarray, alpha: float = LOW_FPR) -> float:
    """The score that at most a share ``alpha`` of the non-members exceed.

    Args:
        non_members: (n,) their scores, n at least 1.
        alpha: below 1.
    """
    place = len(non_members) - allowed_false_positives(alpha, len(non_members)) - 1
    return float(np.partition(non_members, place)[place])


def _at_least(ascending: np.ndarray, threshold: np.ndarray) -> np.ndarray:
    """How many values are at or above each threshold."""
    return len(ascending) - np.searchsorted(ascending, threshold, side="left")


def allowed_false_positives(alpha: float, count: int) -> int:
    """The most false positives k with k / count <= alpha, also if alpha * count is rounded."""
    k = int(alpha * count)
    return k + 1 if (k + 1) / count <= alpha else k
