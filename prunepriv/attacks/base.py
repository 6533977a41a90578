"""What an attack is, what it may learn from and what it may see of the target.

A score is high for members, everywhere. What an attack sees of the target carries no membership,
so it cannot peek; only :mod:`prunepriv.evaluation` compares with the truth.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal, Self

import numpy as np
from scipy.special import log_softmax

from prunepriv.progress import Report, silent

Fitted = dict[str, np.ndarray]
"""What an attack learned from shadows, as arrays by name."""

Recipe = Literal["fast", "paper"]

CHUNK = 8192
"""Records whose float64 posteriors are held at once."""

TRAINED_ON = 1
VALIDATED_ON = 2


@dataclass(frozen=True)
class Queries:
    """What the adversary sees of records under one model, or under several in a row.

    Attributes:
        logits: (n, C) float32; attacks read posteriors, and logits where those lose digits.
        sensitivity: (n, C) float32, prediction sensitivity per class.
        label: (n,) true classes in 0..C-1.
    """

    logits: np.ndarray
    sensitivity: np.ndarray
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
        return Queries(self.logits[rows], self.sensitivity[rows], self.label[rows])

    def in_chunks(self, function: Callable[[Queries], np.ndarray]) -> np.ndarray:
        """What a function says record by record, of a few thousand at a time.

        The 440,000 shadow records of Purchase have 350 MB of float64 posteriors.
        """
        starts = range(0, len(self), CHUNK)
        return np.concatenate([function(self.take(slice(at, at + CHUNK))) for at in starts])


@dataclass(frozen=True)
class PooledShadows:
    """Records of all shadow models in a row, with membership.

    Attributes:
        queries: what the shadows say of their own records.
        member: (n,) bool, whether the shadow was trained on the record.
    """

    queries: Queries
    member: np.ndarray


@dataclass(frozen=True)
class Compared:
    """How sure one model is of records, and how sure others are of the same.

    All are scaled confidences phi = log p_y / (1 - p_y) (Carlini et al. 2022).

    Attributes:
        phi: (n,) under the attacked model.
        reference: (S, n) under the reference models.
        usable: (S, n) bool, whether a reference model was not trained on the record; where it was,
            its value is not read.
    """

    phi: np.ndarray
    reference: np.ndarray
    usable: np.ndarray


@dataclass(frozen=True)
class ReferenceQueries:
    """What the adversary of a reference attack sees of one model.

    Attributes:
        records: those to be told apart; each is out of one reference model's training at least.
        population: others, known not to be members, that RMIA compares with.
    """

    records: Compared
    population: Compared

    @classmethod
    def from_arrays(
        cls, target: Mapping[str, np.ndarray], shadows: Mapping[str, np.ndarray]
    ) -> Self:
        """From what `confidences` steps wrote of the target's kind and of the shadows'.

        No shadow ever saw one of the target's records: all are references of all.
        """
        usable = shadows["seen"] != TRAINED_ON
        known = usable.any(axis=0)
        reference = shadows["phi"][1:]
        return cls(
            records=Compared(target["phi"][0], reference, np.ones(reference.shape, dtype=bool)),
            population=Compared(
                target["population_phi"][0, known],
                shadows["population_phi"][1:, known],
                usable[:, known],
            ),
        )


@dataclass(frozen=True)
class ReferenceShadows:
    """What every shadow model says of every record of the shadow half.

    Attributes:
        phi: (S, P) scaled confidences.
        seen: (S, P) uint8: 0 where the shadow never saw the record, 1 where it was trained on it,
            2 where the record told it when to stop.
    """

    phi: np.ndarray
    seen: np.ndarray

    @classmethod
    def from_arrays(cls, tables: Mapping[str, np.ndarray]) -> Self:
        """From what a `confidences` step wrote; its target's row is left aside."""
        return cls(tables["population_phi"][1:], tables["seen"])

    def as_target(self, shadow: int) -> tuple[ReferenceQueries, np.ndarray]:
        """One shadow in the target's place, attacked with the others, and its members (n,) bool.

        Validation records are neither members nor strangers: they are left out, as are records that
        all others were trained on. The population is all that this shadow was not trained on.
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
    """How attack networks are trained; thresholds have nothing to choose."""

    recipe: Recipe = "fast"
    seed: int = 0


class Attack(ABC):
    """Fitted on shadows, then asked for scores; holds no state of its own."""

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
    """Compares with models that never saw the record; fitted on shadows, holds no state of its own.

    Of a record it reads phi only, so it needs the posterior of the true label. The records to
    attack must be known beforehand, for the reference models are asked about them too.
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
