"""Attacks that compare one number with a threshold fitted on the shadows."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping

import numpy as np

from prunepriv.attacks.base import Attack, FitSettings, Fitted, PooledShadows, Queries
from prunepriv.progress import Report, silent


class ThresholdAttack(Attack):
    """A statistic of the posteriors, compared with the threshold that is best on the shadows."""

    @abstractmethod
    def statistic(self, queries: Queries) -> np.ndarray:
        """(n,) float64, high for members."""

    def fit(self, shadows: PooledShadows, settings: FitSettings, report: Report = silent) -> Fitted:
        score, member = self.score({}, shadows.queries), shadows.member
        overall = best_threshold(score, member)
        if not self.per_class:
            return {"thresholds": np.array([overall])}
        thresholds = []
        for label in range(shadows.queries.classes):
            of_class = shadows.queries.label == label
            both = member[of_class].any() and not member[of_class].all()
            thresholds.append(
                best_threshold(score[of_class], member[of_class]) if both else overall
            )
        return {"thresholds": np.array(thresholds)}

    def score(self, fitted: Mapping[str, np.ndarray], queries: Queries) -> np.ndarray:
        return queries.in_chunks(self.statistic)


class Corr(ThresholdAttack):
    """The gap attack: a member is classified correctly (Yeom et al. 2018; Leino & Fredrikson 2020).

    Needs the predicted label only.
    """

    def statistic(self, queries: Queries) -> np.ndarray:
        return np.asarray(queries.logits.argmax(axis=1) == queries.label, dtype=np.float64)

    def fit(self, shadows: PooledShadows, settings: FitSettings, report: Report = silent) -> Fitted:
        """Nothing to learn: correct means member."""
        return {"thresholds": np.array([0.5])}


class Conf(ThresholdAttack):
    """Confidence in the true label (Yeom et al. 2018; per class: Song & Mittal 2021).

    Needs the posterior of the true label.
    """

    per_class = True

    def statistic(self, queries: Queries) -> np.ndarray:
        return of_label(queries.posteriors, queries.label)


class Entr(ThresholdAttack):
    """Negative entropy of the posteriors, in nats (Shokri et al. 2017; Song & Mittal 2021).

    Needs all posteriors, and the true label for its threshold.
    """

    per_class = True

    def statistic(self, queries: Queries) -> np.ndarray:
        log_p = queries.log_posteriors
        return np.asarray((np.exp(log_p) * log_p).sum(axis=1))


class Mentr(ThresholdAttack):
    """Negative modified entropy (Song & Mittal 2021, equation 8).

    (1 - p_y) log p_y + sum over k != y of p_k log(1 - p_k), in nats: 0 for a confident right
    prediction, with no lower bound for a confident wrong one. Where p is near 1, 1 - p is the sum
    of the other posteriors, so that it keeps its digits.

    Needs all posteriors and the true label.
    """

    per_class = True

    def statistic(self, queries: Queries) -> np.ndarray:
        log_p, label = queries.log_posteriors, queries.label
        p = np.exp(log_p)
        log_rest = np.log1p(-np.minimum(p, 0.5))
        rows, top = np.arange(len(p)), p.argmax(axis=1)
        others = p.copy()
        others[rows, top] = 0
        rest_of_top = np.maximum(others.sum(axis=1), np.finfo(np.float64).tiny)
        log_rest[rows, top] = np.log(rest_of_top)
        terms = p * log_rest
        terms[rows, label] = 0
        rest_of_label = np.where(top == label, rest_of_top, 1 - p[rows, label])
        return np.asarray(rest_of_label * log_p[rows, label] + terms.sum(axis=1))


class Top1Conf(ThresholdAttack):
    """Largest posterior, one threshold for all classes (Salem et al. 2019).

    Needs the largest posterior only, and no label.
    """

    def statistic(self, queries: Queries) -> np.ndarray:
        return np.asarray(queries.posteriors.max(axis=1))


def of_label(values: np.ndarray, label: np.ndarray) -> np.ndarray:
    """(n,) entry of each row of (n, C) at the row's label."""
    return np.asarray(np.take_along_axis(values, label[:, None], axis=1)[:, 0])


def best_threshold(score: np.ndarray, member: np.ndarray) -> float:
    """The observed score t that maximises the balanced accuracy of "member if score >= t".

    See :func:`threshold_between`.

    Args:
        score: (n,) of members and non-members.
        member: (n,) bool.
    """
    return threshold_between(score[member], score[~member])


def threshold_between(members: np.ndarray, others: np.ndarray) -> float:
    """The same from the scores of members and of non-members.

    O(n log n): both are sorted once, and members are looked up in both. If several scores are
    equally good, the lowest is returned. It is a member's: a score of non-members only is worse
    than the next higher one, which clears them too; the highest is worse than the lowest of all.

    Args:
        members: (m,), at least one; sorted in place, because a fit on 256 shadows has millions.
        others: (k,), the same.
    """
    members.sort()
    others.sort()
    gain = np.searchsorted(others, members) / len(others)
    gain -= np.searchsorted(members, members) / len(members)
    return float(members[gain.argmax()])
