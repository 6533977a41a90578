"""Drawn signals of known leakage, for tests of attacks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from prunepriv.attacks import PooledShadows, Queries


@dataclass(frozen=True)
class Drawn:
    queries: Queries
    member: np.ndarray

    def shadows(self) -> PooledShadows:
        return PooledShadows(self.queries, self.member)


def draw(
    seed: int, n: int = 600, classes: int = 5, *, leak: float = 0.0, in_sensitivity: float = 0.0
) -> Drawn:
    """Records whose membership shows only in what is asked for.

    Args:
        leak: how much further a member's true class leads.
        in_sensitivity: how much less, as a power of e, a member's posteriors react.
    """
    rng = np.random.default_rng(seed)
    member = rng.permutation(np.arange(n) % 2 == 0)
    label = rng.integers(0, classes, n)
    logits = rng.normal(0, 1.5, (n, classes))
    logits[np.arange(n), label] += 1.0 + leak * member
    sensitivity = rng.lognormal(-2, 0.5, (n, classes)) * np.exp(-in_sensitivity * member)[:, None]
    queries = Queries(logits.astype(np.float32), sensitivity.astype(np.float32), label)
    return Drawn(queries, member)


def take(queries: Queries, rows: np.ndarray) -> Queries:
    return Queries(queries.logits[rows], queries.sensitivity[rows], queries.label[rows])
