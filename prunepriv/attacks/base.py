"""What an attack is, what it may learn from and what it may see of the target.

A score is high for members, everywhere. What an attack sees of the target carries no membership,
so it cannot peek; only :mod:`prunepriv.evaluation` compares with the truth.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from scipy.special import log_softmax

from prunepriv.progress import Report, silent

Fitted = dict[str, np.ndarray]
"""What an attack learned from shadows, as arrays by name."""

Recipe = Literal["fast", "paper"]


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
