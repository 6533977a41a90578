"""Who knows which records: METHOD section 1.

All records are shuffled and halved. The target model takes the first half: 45 % to train on (its
members), 10 % for early stopping, 45 % never seen (its non-members). Each shadow model splits the
*other* half in the same way, by a seed of its own. So no shadow ever sees a record of the target's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np

from prunepriv.errors import ExperimentError
from prunepriv.seeding import derive

SMALLEST = 40
"""Fewest records that leave every model a training, a validation and a test set worth the name."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Splits:
    """np.ndarray into a data set.

    Attributes:
        target_train, target_validation, target_test: int64 (t,), (v,) and (t,).
        shadow_train, shadow_validation, shadow_test: int64 (S, t), (S, v) and (S, t), one row per
            shadow model; the sizes t and v are the target's.
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
    half = kept // 2  # of an odd number one record is left out: both halves are alike
    order = _generator(seed, "halves").permutation(n)
    target = _parts(order[:half])
    others = order[half : 2 * half]
    shadow = [_parts(_generator(seed, "shadow", k).permutation(others)) for k in range(shadows)]
    train, validation, test = (np.stack(part) for part in zip(*shadow, strict=True))
    return Splits(
        target_train=target[0],
        target_validation=target[1],
        target_test=target[2],
        shadow_train=train,
        shadow_validation=validation,
        shadow_test=test,
    )


def _parts(records: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """45 % to train, 45 % to test, equally many; the 10 % between them (and the rest) to validate."""
    size = len(records) * 45 // 100
    return records[:size], records[size:-size], records[-size:]


def _generator(seed: int, *purpose: str | int) -> np.random.Generator:
    """An independent stream for each purpose under one seed."""
    return np.random.default_rng(derive(seed, "split", *purpose))
