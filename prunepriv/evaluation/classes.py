"""Which classes changed: a test for each class, and a rule for all of them.

See assets/method.md#classes-that-changed.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

PERMUTATIONS = 10_000
"""How often membership is permuted within a class."""

LEAST = 10
"""A class with fewer members or non-members is not tested."""

FALSE_DISCOVERIES = 0.05
"""Expected share of wrong names among the classes that a statement names."""

_CHUNK = 1 << 21
_TINY = 1e-12


def can_be_tested(member: np.ndarray) -> bool:
    """Whether a class has enough members and non-members; (n,) bool, its records."""
    return bool(member.sum() >= LEAST and (~member).sum() >= LEAST)


def class_p_values(
    effects: np.ndarray,
    member: np.ndarray,
    rng: np.random.Generator,
    permutations: int = PERMUTATIONS,
) -> np.ndarray:
    """Whether members of one class changed in another way than its non-members.

    T = (mean over members - mean over non-members) / sqrt(var_m / M + var_n / N), two-sided.
    Membership is permuted within the class; all statements about the class use the same
    permutations. (A normal approximation names a false class in 7 to 15 % of runs without any
    change, at 10 to 38 records a group; the permutation in at most 4 %.)

    Args:
        effects: (n, k) what side B says of each record less what side A says, k statements.
        member: (n,) bool, the records of the class.
        rng: draws the permutations.
        permutations: how many.

    Returns:
        (k,) p-values; 1 where all effects are alike.
    """
    effects = np.asarray(effects, dtype=np.float64)
    effects = effects - effects.mean(axis=0)  # so that squares keep their digits
    seen = np.abs(_statistics(member[None], effects)[0])
    reached = np.zeros(effects.shape[1])
    rows = max(1, _CHUNK // len(member))
    for start in range(0, permutations, rows):
        labels = _permuted(member, min(rows, permutations - start), rng)
        drawn = np.abs(_statistics(labels, effects))
        reached += (drawn >= seen * (1 - 1e-9)).sum(axis=0)
    return np.asarray((1 + reached) / (1 + permutations))


def benjamini_hochberg(
    p: Sequence[float] | np.ndarray, rate: float = FALSE_DISCOVERIES
) -> np.ndarray:
    """Which hypotheses are rejected (Benjamini & Hochberg 1995): (m,) bool, in the order of ``p``."""
    p = np.asarray(p, dtype=np.float64)
    order = np.argsort(p, kind="stable")
    passed = p[order] <= rate * (1 + np.arange(len(p))) / max(1, len(p))
    count = int(passed.nonzero()[0].max() + 1) if passed.any() else 0
    rejected = np.zeros(len(p), dtype=bool)
    rejected[order[:count]] = True
    return rejected


def _permuted(member: np.ndarray, rows: int, rng: np.random.Generator) -> np.ndarray:
    """(rows, n) bool: the records with the smallest random numbers are the members.

    Twice as fast as to shuffle every row.
    """
    members = int(member.sum())
    numbers = rng.random((rows, len(member)))
    return np.asarray(numbers <= np.partition(numbers, members - 1, axis=1)[:, members - 1, None])


def _statistics(member: np.ndarray, effects: np.ndarray) -> np.ndarray:
    """(rows, k) T for membership (rows, n); 0 where nothing differs, inf where nothing varies."""
    inside = member.astype(np.float64)
    m = int(member[0].sum())
    n = len(effects) - m
    sums, squares = inside @ effects, inside @ effects**2
    other_sums, other_squares = effects.sum(axis=0) - sums, (effects**2).sum(axis=0) - squares
    difference = sums / m - other_sums / n
    spread = _variance(sums, squares, m) / m + _variance(other_sums, other_squares, n) / n
    statistics: np.ndarray = difference / np.sqrt(np.maximum(spread, _TINY))
    return np.where(np.abs(difference) < _TINY, 0.0, statistics)


def _variance(sums: np.ndarray, squares: np.ndarray, count: int) -> np.ndarray:
    return np.maximum(squares - sums**2 / count, 0.0) / (count - 1)
