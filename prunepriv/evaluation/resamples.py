"""Resamples of a target's records, the same for everything that is said about these records.

Members and non-members are drawn with replacement, apart. What is compared on the same records is
computed on the same draws, so the difference of two figures has an interval of its own: the noise
that both share cancels out. See assets/method.md#comparisons.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from prunepriv.evaluation.curves import LOW_FPR, allowed_false_positives
from prunepriv.evaluation.intervals import RESAMPLES
from prunepriv.seeding import derive

METRICS = ("accuracy", "auc", "tpr_at_fpr_0.01")
"""What is resampled of an attack."""

TOP = 64
"""How many of the highest non-members are looked at first, beside eight for each allowed one: the
threshold is nearly always among them."""

_CHUNK = 1 << 18
"""Counts in memory at once: few enough for the processor's cache."""


def figure_of(row: Mapping[str, Any], metric: str) -> float:
    """A figure of METRICS, from an attack's row of the evaluation."""
    name, _, alpha = metric.partition("_fpr_")
    return float(row[f"{name}_fpr"][alpha] if alpha else row[metric])


@dataclass(frozen=True)
class Draws:
    """The draws of one target's records. Iterating gives them in chunks, always the same.

    Attributes:
        member: (n,) bool.
        seed: of the draws; equal for models that are compared.
        resamples: how many.
    """

    member: np.ndarray
    seed: int
    resamples: int = RESAMPLES

    @classmethod
    def of_run(cls, member: np.ndarray, seed: int, resamples: int = RESAMPLES) -> Self:
        """The same for all targets of a run, and for all runs of the same data and seed.

        Args:
            member: (n,) bool.
            seed: of the experiment.
            resamples: how many.
        """
        return cls(member, derive(seed, "resampled records"), resamples)

    def __iter__(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """How often each member was drawn (rows, M), and each non-member (rows, N), float32."""
        rng = np.random.default_rng(self.seed)
        members, others = int(self.member.sum()), int((~self.member).sum())
        rows = max(1, _CHUNK // max(members, others))
        for start in range(0, self.resamples, rows):
            size = min(rows, self.resamples - start)
            yield _counts(members, size, rng), _counts(others, size, rng)

    def means(self, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Means of columns in every resample.

        Args:
            values: (n, k).

        Returns:
            Over members and over non-members, (resamples, k) each.
        """
        ours = values[self.member].astype(np.float32)
        theirs = values[~self.member].astype(np.float32)
        drawn = [(m @ ours / len(ours), o @ theirs / len(theirs)) for m, o in self]
        return np.concatenate([m for m, _ in drawn]), np.concatenate([o for _, o in drawn])


def resample(
    attacks: Mapping[str, tuple[np.ndarray, np.ndarray]], draws: Draws
) -> dict[str, dict[str, np.ndarray]]:
    """Figures of attacks in every resample.

    Args:
        attacks: by name, scores (n,) and verdicts (n,) bool.
        draws: of the records.

    Returns:
        By attack and by metric (METRICS), (resamples,) float32.
    """
    sides = {name: _Sides(*arrays, draws.member) for name, arrays in attacks.items()}
    found: dict[str, dict[str, list[np.ndarray]]] = {
        name: {metric: [] for metric in METRICS} for name in attacks
    }
    for members, others in draws:
        for name, side in sides.items():
            for metric, values in zip(METRICS, side.figures(members, others), strict=True):
                found[name][metric].append(values)
    return {
        name: {metric: np.concatenate(parts) for metric, parts in metrics.items()}
        for name, metrics in found.items()
    }


class _Sides:
    """An attack's scores and verdicts, prepared for resamples.

    Args:
        score: (n,) high for members.
        decision: (n,) bool.
        member: (n,) bool.
    """

    def __init__(self, score: np.ndarray, decision: np.ndarray, member: np.ndarray) -> None:
        self._right = decision[member].astype(np.float32), (~decision[~member]).astype(np.float32)
        ours, theirs = score[member], score[~member]
        self._rising = np.argsort(theirs, kind="stable")
        rising = theirs[self._rising]
        self._below = np.searchsorted(rising, ours, side="left")
        self._not_above = np.searchsorted(rising, ours, side="right")
        self._falling = np.argsort(-ours, kind="stable")
        # members above each non-member, the highest non-member first
        self._above = len(ours) - np.searchsorted(np.sort(ours), rising[::-1], side="right")

    def figures(
        self, members: np.ndarray, others: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(rows,) balanced accuracy, AUC and TPR at LOW_FPR, from counts (rows, M) and (rows, N)."""
        right_members, right_others = self._right
        m, n = len(right_members), len(right_others)
        accuracy = (members @ right_members / m + others @ right_others / n) / 2
        ascending = others[:, self._rising]
        beaten = np.zeros((len(others), n + 1), dtype=np.float32)
        np.cumsum(ascending, axis=1, out=beaten[:, 1:])
        wins = np.vecdot(members, beaten[:, self._below] + beaten[:, self._not_above])
        return accuracy, wins / (2 * m * n), self._tpr(members, ascending[:, ::-1])

    def _tpr(self, members: np.ndarray, descending: np.ndarray) -> np.ndarray:
        """The threshold is chosen anew: the score of the non-member that is one too many."""
        n = descending.shape[1]
        allowed = allowed_false_positives(LOW_FPR, n)
        if allowed >= n:
            return np.ones(len(members), dtype=np.float32)
        for top in (min(n, max(1, TOP + 8 * (allowed + 1))), n):
            too_many = descending[:, :top].cumsum(axis=1) > allowed
            if too_many[:, -1].all():
                break
        above = self._above[too_many.argmax(axis=1)]
        found = np.zeros((len(members), above.max() + 1), dtype=np.float32)
        np.cumsum(members[:, self._falling[: above.max()]], axis=1, out=found[:, 1:])
        found_above: np.ndarray = found[np.arange(len(members)), above] / members.shape[1]
        return found_above


def _counts(records: int, resamples: int, rng: np.random.Generator) -> np.ndarray:
    """(resamples, records) float32: how often each record was drawn with replacement."""
    drawn = rng.integers(0, records, (resamples, records), dtype=np.int64)
    drawn += np.arange(resamples)[:, None] * records
    counts = np.bincount(drawn.ravel(), minlength=resamples * records)
    return counts.reshape(resamples, records).astype(np.float32)
