"""Which model uses which records: assets/method.md#data-split.

All records are shuffled and halved. The target model takes the first half: 45 % to train on (its
members), 10 % for early stopping, 45 % that it never sees (its non-members). Each shadow model
splits the *other* half in the same way, with its own seed. So no shadow ever sees a record of the
target.

The same seed gives exactly the split of the authors' release, which calls scikit-learn's
``train_test_split``, so that figures can be compared run by run.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np

from prunepriv.errors import ExperimentError

SMALLEST = 40
"""Fewest records to split: with fewer, training, validation and test sets are too small."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Split:
    """The records of one model, as indices into a data set.

    Attributes:
        train, validation, test: int64 (t,), (v,) and (u,); the sizes are the same for all models.
    """

    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray

    @property
    def own(self) -> np.ndarray:
        """(t + u,) the model's members, then its non-members: the records that it is queried on."""
        return np.concatenate([self.train, self.test])

    @property
    def half(self) -> np.ndarray:
        """(t + v + u,) all its records, ascending; all shadows have the same half."""
        return np.sort(np.concatenate([self.train, self.validation, self.test]))

    @property
    def used(self) -> np.ndarray:
        """(t + v + u,) uint8, how the model uses each record of its half.

        0 if it never saw the record, 1 if it was trained on it, 2 if it was validated on it.
        """
        half = self.half
        use = np.zeros(len(half), dtype=np.uint8)
        use[np.searchsorted(half, self.train)] = 1
        use[np.searchsorted(half, self.validation)] = 2
        return use

    def to_arrays(self) -> dict[str, np.ndarray]:
        """The fields by name, as they are stored."""
        return dict(vars(self))

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> Self:
        """The split from the arrays of :meth:`to_arrays`."""
        return cls(**arrays)


def split(n: int, number: int, seed: int, limit: int | None = None) -> Split:
    """The records of one model: 0 is the target, 1 and up are its shadows.

    They depend on the seed and on the model's number, not on how many shadows there are.

    Args:
        n: records in the data set.
        number: of the model, at least 0.
        seed: seed of the shuffling, at least 0.
        limit: keep only the first `limit` shuffled records; None keeps all.

    Raises:
        ExperimentError: too few records.
    """
    kept = n if limit is None else min(n, limit)
    if kept < SMALLEST:
        raise ExperimentError(
            f"a split needs at least {SMALLEST} records, got {kept}: "
            "raise the limit or choose a larger data set"
        )
    pool = np.arange(n) if kept == n else _shuffled(np.arange(n), seed)[:kept]
    target, others = _halves(pool, seed)
    # the release numbers its shadows from 0
    train, validation, test = (
        _parts(target, seed) if number == 0 else _parts(others, seed + number - 1)
    )
    return Split(train=train, validation=validation, test=test)


def _halves(records: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """The target's half and the shadows' half; of an odd number one record is left out."""
    half = len(records) // 2
    shuffled = _shuffled(records, seed)
    return shuffled[len(records) - half :], shuffled[:half]


def _parts(records: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """45 % to train, 10 % to validate, 45 % to test, rounded as in the authors' release."""
    test = math.ceil(0.45 * len(records))
    shuffled = _shuffled(records, seed)
    rest = _shuffled(shuffled[test:], seed)
    validation = math.ceil(0.1818 * len(rest))
    return rest[validation:], rest[:validation], shuffled[:test]


def _shuffled(records: np.ndarray, seed: int) -> np.ndarray:
    """Shuffled as by scikit-learn's ``train_test_split(random_state=seed)``, before it cuts."""
    return records[np.random.RandomState(seed).permutation(len(records))]
