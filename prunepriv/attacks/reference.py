"""Attacks that compare the target with reference models that were not trained on the record.

The shadow models are the references, offline: each was trained without any of the target's
records. All read phi = log p_y / (1 - p_y), so p_y = sigmoid(phi) keeps its digits near 0 and 1.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping

import numpy as np
from scipy.special import log_expit, log_ndtr, logsumexp

from prunepriv.attacks.base import (
    TRAINED_ON,
    Compared,
    Fitted,
    ReferenceAttack,
    ReferenceQueries,
    ReferenceShadows,
)
from prunepriv.attacks.threshold import best_threshold
from prunepriv.errors import ExperimentError
from prunepriv.progress import Report, silent


class OfflineAttack(ReferenceAttack):
    """A reference attack whose threshold is fitted on each shadow, taken as the target in turn."""

    @abstractmethod
    def learn(self, shadows: ReferenceShadows) -> Fitted:
        """The values that scores need in addition to the queries."""

    def fit(self, shadows: ReferenceShadows, report: Report = silent) -> Fitted:
        learned = self.learn(shadows)
        scores, members = [], []
        for shadow in range(len(shadows.phi)):
            queries, member = shadows.as_target(shadow)
            scores.append(self.score(learned, queries))
            members.append(member)
            report((shadow + 1) / len(shadows.phi))
        score, of_members = np.concatenate(scores), np.concatenate(members)
        if not of_members.any() or of_members.all():
            raise ExperimentError(
                "reference attacks need shadow models that were trained on different records, "
                f"got {len(shadows.phi)} that leave none to compare: give more shadows or records"
            )
        return {**learned, "thresholds": np.array([best_threshold(score, of_members)])}


class Lira(OfflineAttack):
    """Offline likelihood ratio, one-sided: log Phi((phi - mean phi_out) / s) (Carlini et al. 2022).

    The mean is per record, over the reference models. The spread s is the same for all records:
    with few models, a spread per record would be mostly noise.

    Needs the posterior of the true label, and the records to attack beforehand.
    """

    def learn(self, shadows: ReferenceShadows) -> Fitted:
        return {"spread": np.array([pooled_spread(shadows.phi, shadows.seen != TRAINED_ON)])}

    def score(self, fitted: Mapping[str, np.ndarray], queries: ReferenceQueries) -> np.ndarray:
        seen = queries.records
        excess = seen.phi - masked_mean(seen.reference, seen.usable)
        return np.asarray(log_ndtr(excess / fitted["spread"][0]))


class Rmia(OfflineAttack):
    """Offline robust attack: Pr_z[(p_y / p(x)) / (p_z / p(z)) >= 2] (Zarifzadeh et al. 2024).

    p(x) = ((1 + a) mean_out p_y + 1 - a) / 2 with a = 0.33; both numbers are fixed beforehand and
    never tuned on the target. z runs over all records of the population, each with p(z) from the
    models that were not trained on it.

    Needs the posterior of the true label, the records to attack beforehand, and queries on a
    population.
    """

    def __init__(self, a: float = 0.33, gamma: float = 2.0) -> None:
        self.a, self.gamma = a, gamma

    def learn(self, shadows: ReferenceShadows) -> Fitted:
        return {}

    def score(self, fitted: Mapping[str, np.ndarray], queries: ReferenceQueries) -> np.ndarray:
        """(count + t) / (Z + 1), within 1 / (Z + 1) of the share of z that x dominates.

        t = (p_y / p(x)) (1 - a) / 2 lies in [0, 1] and grows with the ratio: it breaks ties.
        """
        ratio = self._log_ratio(queries.records)
        dominated = np.sort(self._log_ratio(queries.population))
        count = np.searchsorted(dominated, ratio - np.log(self.gamma), side="right")
        tie = np.exp(ratio) * (1 - self.a) / 2
        return np.asarray((count + tie) / (len(dominated) + 1))

    def _log_ratio(self, seen: Compared) -> np.ndarray:
        """(n,) log of p_y / p(x)."""
        mean = np.exp(log_mean_confidence(seen.reference, seen.usable))
        return np.asarray(
            log_expit(seen.phi.astype(np.float64)) - np.log(((1 + self.a) * mean + 1 - self.a) / 2)
        )


class Base(OfflineAttack):
    """log p_y - log mean p_y,out, the ratio that follows from Bayes' rule (Lassila et al. 2025).

    Needs the posterior of the true label, and the records to attack beforehand.
    """

    def learn(self, shadows: ReferenceShadows) -> Fitted:
        return {}

    def score(self, fitted: Mapping[str, np.ndarray], queries: ReferenceQueries) -> np.ndarray:
        seen = queries.records
        mean = log_mean_confidence(seen.reference, seen.usable)
        return np.asarray(log_expit(seen.phi.astype(np.float64)) - mean)


def masked_mean(values: np.ndarray, usable: np.ndarray) -> np.ndarray:
    """(n,) float64 mean over the usable values of (S, n); each record has at least one."""
    return np.asarray(values.mean(axis=0, dtype=np.float64, where=usable))


def log_mean_confidence(phi: np.ndarray, usable: np.ndarray) -> np.ndarray:
    """(n,) log of the mean p_y = sigmoid(phi) over the usable values of (S, n)."""
    log_p = np.where(usable, log_expit(phi.astype(np.float64)), -np.inf)
    return np.asarray(logsumexp(log_p, axis=0) - np.log(usable.sum(axis=0)))


def pooled_spread(phi: np.ndarray, usable: np.ndarray) -> float:
    """Standard deviation of phi around each record's mean over the models not trained on it.

    A record with m such models has m - 1 degrees of freedom: a record with only one is not used.

    Args:
        phi: (S, P).
        usable: (S, P) bool.
    """
    counted = usable.sum(axis=0)
    rows = counted > 1
    deviations = phi[:, rows] - masked_mean(phi[:, rows], usable[:, rows])
    squares = (deviations**2).sum(where=usable[:, rows])
    variance = squares / max(1, (counted[rows] - 1).sum())
    return float(max(np.sqrt(variance), 1e-6))  # not zero if all models agree exactly
