"""Who knows which records: assets/method.md#data-split.

All records are shuffled and halved. The target model takes the first half: 45 % to train on (its
members), 10 % for early stopping, 45 % never seen (its non-members). Each shadow model splits the
*other* half in the same way, by a seed of its own. So no shadow ever sees a record of the target's.

The same seed gives the very split of the authors' release, which calls scikit-learn's
``train_test_split``: figures can be compared run by run.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np

from prunepriv.errors import ExperimentError

SMALLEST = 40
"""Fewest records that leave every model a training, a validation and a test set worth the name."""


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
        """What the shadows are made of, and what each of them did with it.

        Returns:
            (P,) int64 records, ascending, and (S, P) uint8: 0 where the shadow never saw the record
            (its test set), 1 where it was trained on it, 2 where it is of its validation set.
        """
        parts = (self.shadow_test, self.shadow_train, self.shadow_validation)
        records = np.sort(np.concatenate([part[0] for part in parts]))
        seen = np.zeros((self.shadows, len(records)), dtype=np.uint8)
        for use, part in enumerate(parts):
            np.put_along_axis(seen, np.searchsorted(records, part), use, axis=1)
        return records, seen

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> Self:
        """What :meth:`to_arrays` gave."""
        return cls(**arrays)


def split(n: int, shadows: int, seed: int, limit: int | None = None) -> Splits:
    """Split ``n`` records between the target and its shadow models.

    Shadow k's records depend on the seed and on k alone, not on how many shadows there are.

    Args:
        n: records in the data set.
        shadows: shadow models, 1 at least.
        seed: of the shuffling, 0 at least.
        limit: keep only the first so many shuffled records.

    Raises:
        ExperimentError: too few records or shadows.
    """
    kept = n if limit is None else min(n, limit)
    if kept < SMALLEST:
        raise ExperimentError(
            f"a split needs {SMALLEST} records at least, got {kept}: "
            "raise the limit or choose a larger data set"
        )
    if shadows < 1:
        raise ExperimentError(
            f"shadows must be 1 at least, for every attack learns from them, got {shadows}"
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
    """The target's half and the shadows', equally many; of an odd number one is left out."""
    half = len(records) // 2
    shuffled = _shuffled(records, seed)
    return shuffled[len(records) - half :], shuffled[:half]


def _parts(records: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """45 % to train, 10 % to validate, 45 % to test, in the release's rounding."""
    test = math.ceil(0.45 * len(records))
    shuffled = _shuffled(records, seed)
    rest = _shuffled(shuffled[test:], seed)
    validation = math.ceil(0.1818 * len(rest))
    return rest[validation:], rest[:validation], shuffled[:test]


def _shuffled(records: np.ndarray, seed: int) -> np.ndarray:
    """In the order that scikit-learn's ``train_test_split(random_state=seed)`` cuts into pieces."""
    return records[np.random.RandomState(seed).permutation(len(records))]
