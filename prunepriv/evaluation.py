"""How well an attack tells members from non-members. Numpy and scipy only.

See assets/method.md#reporting.

Every *score* is high for members. Positive means "called a member": the true positive rate (TPR) is
the share of members called members, the false positive rate (FPR) the share of non-members called
members. All rates are fractions in [0, 1].
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from scipy.special import stdtrit

LOW_FPRS = (0.01, 0.001)
"""False positive rates at which attacks are compared (Carlini et al. 2022)."""

LOW_FPR_NON_MEMBERS = 5_000
"""With fewer non-members, TPR at 0.1 % FPR depends on too few false positives to have a meaning."""

RESAMPLES = 1_000
_CHUNK = 1 << 17
"""Counts in memory at once while resampling: few enough for the processor's cache."""

Interval = tuple[float, float]


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


class MeanInterval(NamedTuple):
    """Mean over seeds and its 95 % t-interval; no interval (None) from a single seed."""

    mean: float
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Confusion:
    """Counts of right and wrong verdicts; rates of an empty group are nan."""

    true_positives: int
    false_positives: int
    false_negatives: int
    true_negatives: int

    @property
    def tpr(self) -> float:
        """Share of members called members."""
        return _share(self.true_positives, self.true_positives + self.false_negatives)

    @property
    def fpr(self) -> float:
        """Share of non-members called members."""
        return _share(self.false_positives, self.false_positives + self.true_negatives)

    @property
    def accuracy(self) -> float:
        """Balanced accuracy: mean of the two groups' shares of right verdicts."""
        return (self.tpr + 1 - self.fpr) / 2

    @property
    def advantage(self) -> float:
        """TPR - FPR, in [-1, 1]; 0 is guessing (Yeom et al. 2018)."""
        return self.tpr - self.fpr

    def precision(self, prior: float = 0.5) -> float | None:
        """Share of members among those called members, where a fraction ``prior`` are members.

        None if no record is called a member.
        """
        found, wrong = prior * self.tpr, (1 - prior) * self.fpr
        return found / (found + wrong) if found + wrong > 0 else None


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
        allowed = _allowed(alpha, len(self.non_members))
        if allowed >= len(self.non_members):
            return LowFpr(1.0, len(self.non_members))
        # the highest score that must not be called a member; equal scores are not either
        limit = self.non_members[len(self.non_members) - allowed - 1]
        found = len(self.members) - np.searchsorted(self.members, limit, side="right")
        wrong = len(self.non_members) - np.searchsorted(self.non_members, limit, side="right")
        return LowFpr(float(found / len(self.members)), int(wrong))

    def auc_interval(self, rng: np.random.Generator, resamples: int = RESAMPLES) -> Interval:
        """95 % bootstrap interval of the AUC, over records, stratified by membership.

        Each resample counts how often every record was drawn. A cumulative sum of the counts per
        distinct score gives the Mann-Whitney statistic, without sorting.
        """
        member_at = np.searchsorted(self.thresholds, self.members)
        non_member_at = np.searchsorted(self.thresholds, self.non_members)
        rows = max(1, _CHUNK // max(map(len, (self.thresholds, self.members, self.non_members))))
        values: list[np.ndarray] = []
        for start in range(0, resamples, rows):
            size = (min(rows, resamples - start), len(self.thresholds))
            drawn = _resample(member_at, size, rng)
            against = _resample(non_member_at, size, rng)
            # for each distinct score: twice the non-members below it, plus those equal to it
            beaten = 2 * np.cumsum(against, axis=1) - against
            values.append(np.einsum("ij,ij->i", drawn, beaten, dtype=np.float64))
        auc = np.concatenate(values) / 2 / len(self.members) / len(self.non_members)
        return _percentiles(auc)

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
        allowed = _allowed(alpha, count)
        if allowed >= count:
            return 1.0, 1.0
        index = (rng.beta(count - allowed, allowed + 1, resamples) * count).astype(np.int64)
        limit = self.non_members[np.minimum(index, count - 1)]
        above = len(self.members) - np.searchsorted(self.members, limit, side="right")
        found = rng.binomial(len(self.members), above / len(self.members))
        return _percentiles(found / len(self.members))


@dataclass(frozen=True, slots=True)
class AttackEvaluation:
    """One attack on one model.

    Intervals are 95 % bootstrap intervals over records within this run, members and non-members
    resampled separately. They do not cover other seeds; see :func:`mean_and_t_interval`.

    Attributes:
        accuracy: balanced accuracy of the attack's own decisions; 0.5 is guessing.
        auc: area under the ROC curve; a tie counts half.
        tpr_at_fpr: largest TPR at FPR <= 0.01 and <= 0.001, by "0.01" and "0.001".
        false_positives_at_fpr: how many non-members are called members there.
        tpr, fpr: of the attack's own decisions.
        advantage: tpr - fpr.
        precision: for equal numbers of members and non-members; None if none is called a member.
        members, non_members: how many of each.
    """

    accuracy: float
    accuracy_ci95: Interval
    auc: float
    auc_ci95: Interval
    tpr_at_fpr: dict[str, float]
    tpr_at_fpr_ci95: dict[str, Interval]
    false_positives_at_fpr: dict[str, int]
    tpr: float
    fpr: float
    advantage: float
    precision: float | None
    members: int
    non_members: int

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; intervals become lists."""
        plain = asdict(self)
        for name in ("accuracy_ci95", "auc_ci95"):
            plain[name] = list(plain[name])
        plain["tpr_at_fpr_ci95"] = {a: list(i) for a, i in self.tpr_at_fpr_ci95.items()}
        return plain


def evaluate(
    score: np.ndarray, decision: np.ndarray, member: np.ndarray, rng: np.random.Generator
) -> AttackEvaluation:
    """Everything that is reported about one attack on one model.

    Args:
        score: (n,) high for members.
        decision: (n,) bool, the attack's own verdict.
        member: (n,) bool, the truth.
        rng: draws the resamples; the same generator state gives the same intervals.

    Raises:
        ValueError: lengths differ, a score is nan, or one of the groups is empty.
    """
    curve = ScoreCurve(score, member)
    verdict = decisions(decision, member)
    low = {f"{alpha:g}": curve.tpr_at_fpr(alpha) for alpha in LOW_FPRS}
    return AttackEvaluation(
        accuracy=verdict.accuracy,
        accuracy_ci95=accuracy_interval(verdict, rng),
        auc=curve.auc,
        auc_ci95=curve.auc_interval(rng),
        tpr_at_fpr={name: point.tpr for name, point in low.items()},
        tpr_at_fpr_ci95={f"{a:g}": curve.tpr_at_fpr_interval(a, rng) for a in LOW_FPRS},
        false_positives_at_fpr={name: point.false_positives for name, point in low.items()},
        tpr=verdict.tpr,
        fpr=verdict.fpr,
        advantage=verdict.advantage,
        precision=verdict.precision(),
        members=len(curve.members),
        non_members=len(curve.non_members),
    )


def roc_curve(score: np.ndarray, member: np.ndarray, *, corners: bool = False) -> Roc:
    """Operating points of a score, one per distinct value; see :meth:`ScoreCurve.roc`."""
    return ScoreCurve(score, member).roc(corners=corners)


def tpr_at_fpr(score: np.ndarray, member: np.ndarray, alpha: float) -> LowFpr:
    """The largest TPR whose FPR is at most ``alpha``; see :meth:`ScoreCurve.tpr_at_fpr`."""
    return ScoreCurve(score, member).tpr_at_fpr(alpha)


def confusion(score: np.ndarray, member: np.ndarray, threshold: float) -> Confusion:
    """Counts of verdicts if every score of ``threshold`` or more is called a member."""
    return ScoreCurve(score, member).confusion(threshold)


def decisions(decision: np.ndarray, member: np.ndarray) -> Confusion:
    """Counts of verdicts already made.

    Args:
        decision: (n,) bool, True for "member".
        member: (n,) bool, the truth.

    Raises:
        ValueError: lengths differ.
    """
    decision, member = np.asarray(decision, dtype=bool), np.asarray(member, dtype=bool)
    if decision.shape != member.shape:
        raise ValueError(f"decision and member differ: {decision.shape} and {member.shape}")
    return Confusion(
        true_positives=int((decision & member).sum()),
        false_positives=int((decision & ~member).sum()),
        false_negatives=int((~decision & member).sum()),
        true_negatives=int((~decision & ~member).sum()),
    )


def balanced_accuracy(decision: np.ndarray, member: np.ndarray) -> float:
    """Mean of the shares of members and of non-members with a right verdict; 0.5 is guessing."""
    return decisions(decision, member).accuracy


def accuracy_interval(
    verdict: Confusion, rng: np.random.Generator, resamples: int = RESAMPLES
) -> Interval:
    """95 % bootstrap interval of the balanced accuracy, over records, stratified by membership.

    The decisions are fixed, so the number of right ones among M members drawn with replacement is
    Binomial(M, TPR), and similarly for non-members: two binomial draws are exactly one resample.
    """
    members = verdict.true_positives + verdict.false_negatives
    non_members = verdict.false_positives + verdict.true_negatives
    tpr = rng.binomial(members, verdict.tpr, resamples) / members
    tnr = rng.binomial(non_members, 1 - verdict.fpr, resamples) / non_members
    return _percentiles((tpr + tnr) / 2)


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


def _share(part: int, whole: int) -> float:
    return part / whole if whole else float("nan")


def _at_least(ascending: np.ndarray, threshold: np.ndarray) -> np.ndarray:
    """How many values are at or above each threshold."""
    return len(ascending) - np.searchsorted(ascending, threshold, side="left")


def _allowed(alpha: float, count: int) -> int:
    """The most false positives k with k / count <= alpha, also if alpha * count is rounded."""
    k = int(alpha * count)
    return k + 1 if (k + 1) / count <= alpha else k


def _resample(at: np.ndarray, size: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """(resamples, distinct) counts of records drawn with replacement, by index of their score."""
    resamples, distinct = size
    drawn = at[rng.integers(0, len(at), (resamples, len(at)), dtype=np.uint32)]
    drawn += np.arange(resamples)[:, None] * distinct
    counts = np.bincount(drawn.ravel(), minlength=resamples * distinct)
    return counts.reshape(size)


def _percentiles(values: np.ndarray) -> Interval:
    low, high = np.percentile(values, [2.5, 97.5])
    return float(low), float(high)
