"""What an attack is, what it may learn from and what it may see of the target.

Every score is high for members. What an attack sees of the target contains no membership; only
:mod:`prunepriv.evaluation` compares scores with the true membership.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from scipy.special import log_softmax

from prunepriv.attacks.compared import ReferenceQueries, ReferenceShadows
from prunepriv.progress import Report, silent

Fitted = dict[str, np.ndarray]
"""What an attack learned from shadows, as arrays by name."""

Recipe = Literal["fast", "paper"]

CHUNK = 8192
"""Records whose float64 posteriors are in memory at once."""


@dataclass(frozen=True)
class Queries:
    """What the adversary sees of records scored by one model, or by several, one after another.

    Attributes:
        logits: (n, C) float32; attacks read posteriors, or logits where posteriors lose digits.
        sensitivity: (n, C) float32, prediction sensitivity per class; None if it was not measured,
            because no attack of the run reads it.
        label: (n,) true classes in 0..C-1.
    """

    logits: np.ndarray
    sensitivity: np.ndarray | None
    label: np.ndarray

    @property
    def classes(self) -> int:
        return int(self.logits.shape[1])

    @property
    def log_posteriors(self) -> np.ndarray:
        """(n, C) float64, 0 or less."""
        return np.asarray(log_softmax(self.logits.astype(np.float64), axis=1))

    @property
    def posteriors(self) -> np.ndarray:
        """(n, C) float64 in [0, 1]."""
        return np.asarray(np.exp(self.log_posteriors))

    def __len__(self) -> int:
        return len(self.label)

    def take(self, rows: np.ndarray | slice) -> Queries:
        """Some of the records."""
        sensitivity = None if self.sensitivity is None else self.sensitivity[rows]
        return Queries(self.logits[rows], sensitivity, self.label[rows])

    def in_chunks(self, function: Callable[[Queries], np.ndarray]) -> np.ndarray:
        """Apply a function that works record by record to a few thousand records at a time.

        The 440,000 shadow records of Purchase have 350 MB of float64 posteriors.
        """
        starts = range(0, len(self), CHUNK)
        return np.concatenate([function(self.take(slice(at, at + CHUNK))) for at in starts])


@dataclass(frozen=True)
class PooledShadows:
    """Records of all shadow models, one model after another, with membership.

    Attributes:
        queries: the records of each shadow, scored by that shadow.
        member: (n,) bool, whether the shadow was trained on the record.
    """

    queries: Queries
    member: np.ndarray

    def take(self, rows: np.ndarray) -> PooledShadows:
        """Some of the records."""
        return PooledShadows(self.queries.take(rows), self.member[rows])


@dataclass(frozen=True)
class FitSettings:
    """How attack networks are trained; threshold attacks have no settings."""

    recipe: Recipe = "fast"
    seed: int = 0


class Attack(ABC):
    """An attack: it is fitted on shadows, then scores records; it has no state of its own."""

    per_class: ClassVar[bool] = False
    """Whether the threshold depends on the true label."""

    @abstractmethod
    def fit(self, shadows: PooledShadows, settings: FitSettings, report: Report = silent) -> Fitted:
        """Learn from the shadows only; "thresholds" is always among the arrays.

        Raises:
            Cancelled: from `report`.
        """

    @abstractmethod
    def score(self, fitted: Mapping[str, np.ndarray], queries: Queries) -> np.ndarray:
        """(n,) float64 scores, high for members."""

    def decide(
        self, fitted: Mapping[str, np.ndarray], queries: Queries, score: np.ndarray
    ) -> np.ndarray:
        """(n,) bool verdicts: the score reaches the threshold (of the record's class)."""
        thresholds = fitted["thresholds"]
        limit = thresholds[queries.label] if self.per_class else thresholds[0]
        return np.asarray(score >= limit)


class ReferenceAttack(ABC):
    """An attack that compares with models not trained on the record; it has no state of its own.

    It reads only phi of a record, so it needs the posterior of the true label. The records to
    attack must be known beforehand, because the reference models score them too.
    """

    @abstractmethod
    def fit(self, shadows: ReferenceShadows, report: Report = silent) -> Fitted:
        """Learn from the shadows only; "thresholds", one for all classes, is among the arrays.

        Raises:
            Cancelled: from `report`.
        """

    @abstractmethod
    def score(self, fitted: Mapping[str, np.ndarray], queries: ReferenceQueries) -> np.ndarray:
        """(n,) float64 scores, high for members; each depends on its record and the population."""

    def decide(
        self, fitted: Mapping[str, np.ndarray], queries: ReferenceQueries, score: np.ndarray
    ) -> np.ndarray:
        """(n,) bool verdicts: the score reaches the threshold."""
        return np.asarray(score >= fitted["thresholds"][0])
