"""Means over reference models, record by record: of all of them, or of all but one in turn.

A model that was trained on a record is no reference for it: it is not usable there. p_y =
sigmoid(phi) is averaged by its logarithm, because p_y vanishes for some models.

All work on blocks of records, so that they need little memory besides their arguments and result.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy.special import log_expit, logsumexp

BLOCK = 1 << 18
"""Values of phi whose float64 copies are in memory at once: a few of these fit the cache."""


def mean_phi(phi: np.ndarray, usable: np.ndarray) -> np.ndarray:
    """(n,) float64 mean over the usable values of (S, n); each record has at least one."""
    return np.asarray(phi.mean(axis=0, dtype=np.float64, where=usable))


def log_mean_p(phi: np.ndarray, usable: np.ndarray) -> np.ndarray:
    """(n,) log of the mean p_y over the usable values of (S, n); each record has at least one."""
    mean = np.empty(phi.shape[1])
    for block in blocks(phi.shape):
        some = usable[:, block]
        mean[block] = logsumexp(_log_p(phi[:, block], some), axis=0) - np.log(some.sum(axis=0))
    return mean


def mean_phi_of_others(phi: np.ndarray, usable: np.ndarray) -> np.ndarray:
    """(S, n) float64: for each model, the mean over the usable values of the other models.

    NaN where no other model is usable.
    """
    means = np.empty(phi.shape)
    for block in blocks(phi.shape):
        some = usable[:, block]
        sums = sums_of_others(np.where(some, phi[:, block].astype(np.float64), 0.0))
        with np.errstate(invalid="ignore"):
            means[:, block] = sums / _others(some)
    return means


def log_mean_p_of_others(phi: np.ndarray, usable: np.ndarray) -> np.ndarray:
    """(S, n): for each model, the log of the mean p_y over the usable ones of the other models.

    NaN where no other model is usable. Each p_y is divided by the largest one of its record; for
    the model that has the largest one, by the largest of the others. So every sum has a term of 1,
    however small the values are.
    """
    means = np.empty(phi.shape)
    for block in blocks(phi.shape):
        some = usable[:, block]
        log_p = _log_p(phi[:, block], some)
        top = log_p.argmax(axis=0), np.arange(log_p.shape[1])
        largest = np.broadcast_to(log_p[top], log_p.shape).copy()
        sums = sums_of_others(_divided(log_p, log_p[top]))
        log_p[top] = -np.inf
        largest[top] = log_p.max(axis=0)
        sums[top] = _divided(log_p, largest[top]).sum(axis=0)
        with np.errstate(invalid="ignore"):
            means[:, block] = largest + np.log(sums / _others(some))
    return means


def sums_of_others(values: np.ndarray) -> np.ndarray:
    """(S, n): for each row, the sum of the other rows: of those before it and those after it.

    A total less the row itself would lose digits where the row is nearly all of it.
    """
    sums = np.zeros_like(values)
    np.add.accumulate(values[:-1], axis=0, out=sums[1:])
    sums[:-1] += np.add.accumulate(values[:0:-1], axis=0)[::-1]
    return sums


def blocks(shape: tuple[int, ...]) -> Iterator[slice]:
    """Columns of (S, n), a block of at most BLOCK values after the other, or a single column."""
    width = max(1, BLOCK // max(1, shape[0]))
    for start in range(0, shape[1], width):
        yield slice(start, start + width)


def _log_p(phi: np.ndarray, usable: np.ndarray) -> np.ndarray:
    """(S, n) log p_y in float64; -inf where it is not usable."""
    return np.where(usable, log_expit(phi.astype(np.float64)), -np.inf)


def _divided(log_p: np.ndarray, largest: np.ndarray) -> np.ndarray:
    """(S, n) p_y divided by (n,) the largest, which is -inf where no model is usable."""
    return np.asarray(np.exp(log_p - np.where(np.isneginf(largest), 0.0, largest)))


def _others(usable: np.ndarray) -> np.ndarray:
    """(S, n) for each model, how many other models are usable."""
    return np.asarray(usable.sum(axis=0) - usable)
