"""How good the best of several attacks looks by chance alone (assets/method.md#chance)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

PERMUTATIONS = 2_000
"""How often membership is permuted; a p-value is at least 1 / (PERMUTATIONS + 1)."""

GUESSING = 0.05
"""An attack whose p-value is at least this is not distinguishable from guessing."""

_CHUNK = 1 << 22
_ROUNDING = 1e-9
"""Two accuracies that differ by less are equal."""


@dataclass(frozen=True)
class Chance:
    """What permuted membership does to the best of several attacks.

    Attributes:
        best: the best balanced accuracy that was seen.
        null95: 95th percentile of the best under permuted membership.
        p: share of permutations whose best is at least as good, 0 to 1.
        of_each: (attacks,) the same for each attack's accuracy: counted against the best of all.
        alone: (attacks,) share of permutations in which that attack itself is at least as good; it
            may be told of an attack that was chosen beforehand.
    """

    best: float
    null95: float
    p: float
    of_each: np.ndarray
    alone: np.ndarray


def chance(
    decisions: np.ndarray,
    member: np.ndarray,
    rng: np.random.Generator,
    permutations: int = PERMUTATIONS,
) -> Chance:
    """Hold the verdicts of all attacks, permute membership, and take the best balanced accuracy.

    An attack that calls a share r of the records members has TPR and FPR near r under permutation:
    50 % is exact on average.

    Args:
        decisions: (attacks, n) bool verdicts.
        member: (n,) bool, with members and non-members.
        rng: draws the permutations.
        permutations: how many.
    """
    verdicts = decisions.T.astype(np.float32)
    seen = _accuracies(member[None], verdicts)[0]
    drawn = []
    rows = max(1, _CHUNK // len(member))
    for start in range(0, permutations, rows):
        labels = np.tile(member, (min(rows, permutations - start), 1))
        drawn.append(_accuracies(rng.permuted(labels, axis=1), verdicts))
    each = np.concatenate(drawn)
    best = each.max(axis=1)
    return Chance(
        best=float(seen.max()),
        null95=float(np.percentile(best, 95)),
        p=float(p_value(best, seen.max())),
        of_each=p_value(best[:, None], seen),
        alone=p_value(each, seen),
    )


def p_value(null: np.ndarray, seen: np.ndarray | float) -> np.ndarray:
    """(1 + draws at or above what was seen) / (1 + draws), along the first axis."""
    reached = (null >= seen - _ROUNDING).sum(axis=0)
    return np.asarray((1 + reached) / (1 + len(null)))


def _accuracies(member: np.ndarray, verdicts: np.ndarray) -> np.ndarray:
    """(rows, attacks) balanced accuracies, from membership (rows, n) and verdicts (n, attacks)."""
    members = int(member[0].sum())
    found = member.astype(np.float32) @ verdicts
    wrong = verdicts.sum(axis=0) - found
    tpr, fpr = found / members, wrong / (member.shape[1] - members)
    accuracies: np.ndarray = (tpr.astype(np.float64) + 1 - fpr) / 2
    return accuracies
