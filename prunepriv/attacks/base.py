"""What an attack is, what it may learn from and what it may see of the target.

Every score is high for members. What an attack sees of the target contains no membership; only
:mod:`prunepriv.evaluation` compares scores with the true membership.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, Self

import numpy as np
from scipy.special import log_softmax

from prunepriv.progress import Report, silent

Fitted = dict[str, np.ndarray]
"""What an attack learned from shadows, as arrays by name."""

Recipe = Literal["fast", "paper"]

CHUNK = 8192
"""Records whose float64 posteriors are in memory at once."""

TRAINED_ON = 1
VALIDATED_ON = 2


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


@dataclass(frozen=True)
class Compared:
    """The confidence of one model in records, and of other models in the same records.

    All are scaled confidences phi = log p_y / (1 - p_y) (Carlini et al. 2022).

    Attributes:
        phi: (n,) under the attacked model.
        reference: (S, n) under the reference models.
        usable: (S, n) bool, whether a reference model was not trained on the record; if it was, its
            value is not read.
    """

    phi: np.ndarray
    reference: np.ndarray
    usable: np.ndarray


@dataclass(frozen=True)
class ReferenceQueries:
    """What the adversary of a reference attack sees of one model.

    Attributes:
        records: the records to attack; each is outside the training of at least one reference.
        population: other records, known to be non-members, that RMIA compares with.
    """

    records: Compared
    population: Compared

    @classmethod
    def from_arrays(
        cls,
        phi: np.ndarray,
        population_phi: np.ndarray,
        confidences: Sequence[Mapping[str, np.ndarray]],
        populations: Sequence[Mapping[str, np.ndarray]],
    ) -> Self:
        """From the target's confidences, and the tables of its shadows in the same records.

        No shadow was trained on a record of the target: all shadows are references for all records.

        Args:
            phi: (n,) of the target in its own records.
            population_phi: (P,) of the target in the records of the shadow half.
            confidences: of each shadow, the tables of its `confidences` step.
            populations: of each shadow, the tables of its `population` step.
        """
        shadows = ReferenceShadows.from_arrays(populations)
        usable = shadows.seen != TRAINED_ON
        known = usable.any(axis=0)
        reference = np.stack([tables["phi"] for tables in confidences])
        return cls(
            records=Compared(phi, reference, np.ones(reference.shape, dtype=bool)),
            population=Compared(population_phi[known], shadows.phi[:, known], usable[:, known]),
        )


@dataclass(frozen=True)
class ReferenceShadows:
    """The confidence of every shadow model in every record of the shadow half.

    Attributes:
        phi: (S, P) scaled confidences.
        seen: (S, P) uint8: 0 if the shadow did not use the record, 1 if it was trained on it, 2 if
            it used the record for early stopping.
    """

    phi: np.ndarray
    seen: np.ndarray

    @classmethod
    def from_arrays(cls, populations: Sequence[Mapping[str, np.ndarray]]) -> Self:
        """From the tables of each shadow's `population` step."""
        return cls(
            np.stack([tables["phi"] for tables in populations]),
            np.stack([tables["seen"] for tables in populations]),
        )

    def as_target(self, shadow: int) -> tuple[ReferenceQueries, np.ndarray]:
        """One shadow as the target and the others as its references, and its members (n,) bool.

        Validation records are neither members nor non-members: they are left out. Records that all
        others were trained on are left out as well. The population is the remaining records that
        this shadow was not trained on, with its validation records.
        """
        others = np.arange(len(self.phi)) != shadow
        usable, seen = self.seen[others] != TRAINED_ON, self.seen[shadow]
        known = usable.any(axis=0)

        def compared(rows: np.ndarray) -> Compared:
            return Compared(self.phi[shadow, rows], self.phi[others][:, rows], usable[:, rows])

        records = known & (seen != VALIDATED_ON)
        queries = ReferenceQueries(compared(records), compared(known & (seen != TRAINED_ON)))
        return queries, seen[records] == TRAINED_ON


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
