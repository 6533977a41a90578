"""The attack that an adversary would choose, before it sees the target's records.

See assets/method.md#choosing-an-attack.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from prunepriv.evaluation.verdicts import decisions
from prunepriv.options import ATTACKS

CHOSEN = "chosen"
"""In a comparison, in place of an attack: what each side's adversary would choose."""

REFERENCE_TOLERANCE = 0.03
"""How far a reference attack's estimate may be off: it has about 2.2 references of five shadows
where it is judged, and five on the target, so it reads 2 to 3 points low."""


class Estimate(NamedTuple):
    """How good an attack is, as its adversary knows it: on shadow records not used to fit it.

    Attributes:
        attack: its name.
        accuracy: balanced accuracy.
        standard_error: of the accuracy, in the same unit; whole records vary.
    """

    attack: str
    accuracy: float
    standard_error: float


def own_estimate(
    attack: str, decision: np.ndarray, member: np.ndarray, record: np.ndarray
) -> Estimate:
    """Of verdicts about records of all shadows.

    A record that several shadows hold counts as one observation: its rows vary together.

    Args:
        attack: its name.
        decision: (n,) bool.
        member: (n,) bool, with members and non-members.
        record: (n,) which record each row is about.
    """
    verdict = decisions(decision, member)
    right = (decision == member).astype(np.float64)
    expected = np.where(member, verdict.tpr, 1 - verdict.fpr)
    count = np.where(member, member.sum(), (~member).sum())
    _, which = np.unique(record, return_inverse=True)
    influence = np.bincount(which, (right - expected) / count / 2)
    records = len(influence)
    correction = records / (records - 1) if records > 1 else 1.0
    error = float(np.sqrt(correction * (influence**2).sum()))
    return Estimate(attack, verdict.accuracy, error)


def chosen(estimates: Sequence[Estimate]) -> Estimate | None:
    """The best, or the strongest of those that may be as good; None if there are no estimates.

    As good are those within one standard error of the best; within REFERENCE_TOLERANCE where the
    best or the other one is a reference attack. The fixed order of strength makes the choice stable.
    """
    if not estimates:
        return None
    best = max(estimates, key=lambda one: one.accuracy)
    equals = [one for one in estimates if best.accuracy - one.accuracy <= _tolerance(best, one)]
    return min(equals, key=lambda one: ATTACKS[one.attack].strength)


def _tolerance(best: Estimate, other: Estimate) -> float:
    kinds = {ATTACKS[one.attack].kind for one in (best, other)}
    return REFERENCE_TOLERANCE if "reference" in kinds else best.standard_error
