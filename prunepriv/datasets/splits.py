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
class Splits:
    """Indices into a data set.

    Attributes:
        target_train, target_validation, target_test: int64 (t,), (v,) and (u,).
        shadow_train, shadow_validation, shadow_test: int64 (S, t), (S, v) and (S, u), one row per
            shadow model; the sizes are the target's.
    """

    target_train: np.ndarray
    target_validation: np.ndarray
    target_test: np.ndarray
    shadow_train: np.ndarray
    shadow_validation: np.ndarray
    shadow_test: np.ndarray

    @property
    def shadows(self) -> int:
        """Number of shadow models."""
        return len(self.shadow_train)

    def to_arrays(self) -> dict[str, np.ndarray]:
        """The fields by name, as they are stored."""
        return dict(vars(self))

    def shadow_half(self) -> tuple[np.ndarray, np.ndarray]:
        """The records that the shadows use, and how each shadow uses them.

        Returns:
            (P,) int64 records, ascending, and (S, P) uint8: 0 if the record is in the shadow's test
            set (it never saw the record), 1 if in its training set, 2 if in its validation set.
        """
        parts = (self.shadow_test, self.shadow_train, self.shadow_validation)
        records = np.sort(np.concatenate([part[0] for part in parts]))
        seen = np.zeros((self.shadows, len(records)), dtype=np.uint8)
        for use, part in enumerate(parts):
            np.put_along_axis(seen, np.searchsorted(records, part), use, axis=1)
        return records, seen

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> Self:
        """The splits from the arrays of :meth:`to_arrays`."""
        return cls(**arrays)


def split(n: int, shadows: int, seed: int, limit: int | None = None) -> Splits:
    """Split ``n`` records between the target and its shadow models.

    Shadow k's records depend on the seed and on k alone, not on how many shadows there are.

    Args:
        n: records in the data set.
        shadows: number of shadow models, at least 1.
        seed: seed of the shuffling, at least 0.
        limit: keep only the first `limit` shuffled records; None keeps all.

    Raises:
        ExperimentError: too few records or shadows.
    """
    kept = n if limit is None else min(n, limit)
    if kept < SMALLEST:
        raise ExperimentError(
            f"a split needs at least {SMALLEST} records, got {kept}: "
            "raise the limit or choose a larger data set"
        )
    if shadows < 1:
        raise ExperimentError(
            f"shadows must be at least 1, because every attack learns from them, got {shadows}"
        )
    pool = np.arange(n) if kept == n else _shuffled(np.arange(n), seed)[:kept]
    target, others = _halves(pool, seed)
    shadow = [_parts(others, seed + k) for k in range(shadows)]
    train, validation, test = (np.stack(part) for part in zip(*shadow, strict=True))
    own = _parts(target, seed)
    return Splits(
        target_train=own[0],
        target_validation=own[1],
        target_test=own[2],
        shadow_train=train,
        shadow_validation=validation,
        shadow_test=test,
    )


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
