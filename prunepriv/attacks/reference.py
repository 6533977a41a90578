"""Attacks that compare the target with reference models that were not trained on the record.

The shadow models are the references, offline: each was trained without any of the target's
records. All read phi = log p_y / (1 - p_y), so p_y = sigmoid(phi) keeps its digits near 0 and 1.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping

import numpy as np
from scipy.special import log_expit, log_ndtr

from prunepriv.attacks.base import Fitted, ReferenceAttack
from prunepriv.attacks.compared import Compared, ReferenceQueries, ReferenceShadows
from prunepriv.attacks.means import blocks, mean_phi
from prunepriv.attacks.threshold import threshold_between
from prunepriv.errors import ExperimentError
from prunepriv.progress import Report, silent


class OfflineAttack(ReferenceAttack):
    """A reference attack whose threshold is fitted on each shadow, taken as the target in turn."""

    @abstractmethod
    def learn(self, shadows: ReferenceShadows) -> Fitted:
        """The values that scores need in addition to the queries."""

    def fit(self, shadows: ReferenceShadows, report: Report = silent) -> Fitted:
        learned = self.learn(shadows)
        members, others = self._scores(learned, shadows, report)
        if not members.size or not others.size:
            raise ExperimentError(
                "reference attacks need shadow models that were trained on different records, "
                f"got {len(shadows.phi)} that leave none to compare: give more shadows or records"
            )
        return {**learned, "thresholds": np.array([threshold_between(members, others)])}

    def _scores(
        self, learned: Fitted, shadows: ReferenceShadows, report: Report
    ) -> tuple[np.ndarray, np.ndarray]:
        """Scores of all shadows' members, and of all their non-members."""
        of_members, of_others = [], []
        for shadow in range(len(shadows.phi)):
            queries, member = shadows.as_target(shadow)
            score = self.score(learned, queries)
            of_members.append(score[member])
            of_others.append(score[~member])
            report((shadow + 1) / len(shadows.phi))
        return np.concatenate(of_members), np.concatenate(of_others)


class Lira(OfflineAttack):
    """Offline likelihood ratio, one-sided: log Phi((phi - mean phi_out) / s) (Carlini et al. 2022).

    The mean is per record, over the reference models. The spread s is the same for all records:
    with few models, a spread per record would be mostly noise. So s and Phi change no order, and
    the verdicts are those of the difference phi - mean phi_out, difference calibration (Watson et
    al. 2022), as long as that is below about 38 s: from there on the score is 0 in float64.

    Needs the posterior of the true label, and the records to attack beforehand.
    """

    def learn(self, shadows: ReferenceShadows) -> Fitted:
        return {"spread": np.array([pooled_spread(shadows.phi, shadows.usable)])}

    def score(self, fitted: Mapping[str, np.ndarray], queries: ReferenceQueries) -> np.ndarray:
        seen = queries.records
        excess = seen.phi - seen.mean_phi()
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
        mean = np.exp(seen.log_mean_p())
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
        return np.asarray(log_expit(seen.phi.astype(np.float64)) - seen.log_mean_p())


def pooled_spread(phi: np.ndarray, usable: np.ndarray) -> float:
    """Standard deviation of phi around each record's mean over the models not trained on it.

    A record with m such models has m - 1 degrees of freedom: a record with only one is not used.

    Args:
        phi: (S, P).
        usable: (S, P) bool.
    """
    squares, degrees = 0.0, 0
    for block in blocks(phi.shape):
        counted = usable[:, block].sum(axis=0)
        rows = counted > 1
        some, values = usable[:, block][:, rows], phi[:, block][:, rows]
        squares += ((values - mean_phi(values, some)) ** 2).sum(where=some)
        degrees += int((counted[rows] - 1).sum())
    return float(max(np.sqrt(squares / max(1, degrees)), 1e-6))  # not zero if all models agree
