"""Verdicts about records, counted: how many are right among members and among non-members."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Confusion:
    """Counts of right and wrong verdicts; rates of an empty group are nan."""

    true_positives: int
    false_positives: int
    false_negatives: int
    true_negatives: int

    @property
    def tpr(self) -> float:
        """Share of members called members."""
        return _share(self.true_positives, self.true_positives + self.false_negatives)

    @property
    def fpr(self) -> float:
        """Share of non-members called members."""
        return _share(self.false_positives, self.false_positives + self.true_negatives)

    @property
    def accuracy(self) -> float:
        """Balanced accuracy: mean of the two groups' shares of right verdicts."""
        return (self.tpr + 1 - self.fpr) / 2

    @property
    def advantage(self) -> float:
        """TPR - FPR, in [-1, 1]; 0 is guessing (Yeom et al. 2018)."""
        return self.tpr - self.fpr

    def precision(self, prior: float = 0.5) -> float | None:
        """Share of members among those called members, where a fraction ``prior`` are members.

        None if no record is called a member.
        """
        found, wrong = prior * self.tpr, (1 - prior) * self.fpr
        return found / (found + wrong) if found + wrong > 0 else None


def decisions(decision: np.ndarray, member: np.ndarray) -> Confusion:
    """Counts of verdicts already made.

    Args:
        decision: (n,) bool, True for "member".
        member: (n,) bool, the truth.

    Raises:
        ValueError: lengths differ.
    """
    decision, member = np.asarray(decision, dtype=bool), np.asarray(member, dtype=bool)
    if decision.shape != member.shape:
        raise ValueError(f"decision and member differ: {decision.shape} and {member.shape}")
    return Confusion(
        true_positives=int((decision & member).sum()),
        false_positives=int((decision & ~member).sum()),
        false_negatives=int((~decision & member).sum()),
        true_negatives=int((~decision & ~member).sum()),
    )


def balanced_accuracy(decision: np.ndarray, member: np.ndarray) -> float:
    """Mean of the shares of members and of non-members with a right verdict; 0.5 is guessing."""
    return decisions(decision, member).accuracy


def _share(part: int, whole: int) -> float:
    return part / whole if whole else float("nan")
