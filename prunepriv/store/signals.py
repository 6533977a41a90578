"""A model's answers on its records, as its signals artifact holds them.

A record keeps the data set's own index from the split to the last table, so that a picture, its
class and its membership always belong together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from scipy.special import softmax

Quantity = Literal["confidence", "sensitivity"]
QUANTITIES: tuple[Quantity, ...] = ("confidence", "sensitivity")
"""The two signals of a record: its true label's posterior, and how much that changes."""


@dataclass(frozen=True)
class TargetSignals:
    """The answers of the target model of one kind on its members and non-members.

    Attributes:
        record: (n,) the data set's own index of each record.
        member: (n,) bool.
        label: (n,) true class.
        logits: (n, classes) float32.
        sensitivity: (n, classes) float32, 0 or more: assets/method.md#prediction-sensitivity.
    """

    record: np.ndarray
    member: np.ndarray
    label: np.ndarray
    logits: np.ndarray
    sensitivity: np.ndarray

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> TargetSignals:
        """From the arrays in ``signals.safetensors`` of a signals artifact."""
        return cls(
            record=arrays["record"],
            member=arrays["member"].astype(bool),
            label=arrays["label"],
            logits=arrays["logits"],
            sensitivity=arrays["sensitivity"],
        )

    @cached_property
    def posteriors(self) -> np.ndarray:
        """(n, classes) float64 in [0, 1], rows sum to 1."""
        return np.asarray(softmax(self.logits.astype(np.float64), axis=1))

    @cached_property
    def confidence(self) -> np.ndarray:
        """(n,) posterior of the true label."""
        return np.asarray(self.posteriors[np.arange(len(self.label)), self.label])

    @cached_property
    def label_sensitivity(self) -> np.ndarray:
        """(n,) prediction sensitivity of the true label."""
        return np.asarray(self.sensitivity[np.arange(len(self.label)), self.label])

    @cached_property
    def correct(self) -> np.ndarray:
        """(n,) whether the model classifies the record correctly."""
        return np.asarray(self.logits.argmax(axis=1) == self.label)


@dataclass(frozen=True)
class RecordSignals:
    """The per-record part of a model's signals: small enough to keep in memory.

    Attributes:
        record: (n,) the data set's own index.
        member: (n,) bool.
        label: (n,) true class.
        confidence: (n,) posterior of the true label, 0 to 1.
        sensitivity: (n,) prediction sensitivity of the true label, 0 or more.
        correct: (n,) bool, whether the model classifies the record correctly.
    """

    record: np.ndarray
    member: np.ndarray
    label: np.ndarray
    confidence: np.ndarray
    sensitivity: np.ndarray
    correct: np.ndarray

    def values(self, quantity: Quantity) -> np.ndarray:
        """(n,) the confidence or the sensitivity."""
        return self.confidence if quantity == "confidence" else self.sensitivity

    def of_class(self, label: int | None) -> RecordSignals:
        """Only the records of one class; all of them for None."""
        if label is None:
            return self
        keep = self.label == label
        return RecordSignals(
            self.record[keep],
            self.member[keep],
            self.label[keep],
            self.confidence[keep],
            self.sensitivity[keep],
            self.correct[keep],
        )


def reduce_signals(signals: TargetSignals) -> RecordSignals:
    """The per-record part of a model's signals.

    Only the posterior of the true label is computed: for 27,000 records of 100 classes this takes
    20 ms, and all posteriors take 150 ms.
    """
    rows = np.arange(len(signals.label))
    top = signals.logits.max(axis=1)
    total = np.exp(signals.logits - top[:, None], dtype=np.float32).sum(axis=1, dtype=np.float64)
    of_label = signals.logits[rows, signals.label]
    return RecordSignals(
        record=signals.record,
        member=signals.member,
        label=signals.label,
        confidence=np.exp((of_label - top).astype(np.float64)) / total,
        sensitivity=signals.sensitivity[rows, signals.label].astype(np.float64),
        correct=signals.logits.argmax(axis=1) == signals.label,
    )
