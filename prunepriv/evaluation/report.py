"""Everything that is reported about one attack on one model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from prunepriv.evaluation.curves import ScoreCurve
from prunepriv.evaluation.intervals import Interval, percentiles
from prunepriv.evaluation.resamples import Draws, resample
from prunepriv.evaluation.verdicts import decisions

LOW_FPRS = (0.01, 0.001)
"""False positive rates at which attacks are compared (Carlini et al. 2022)."""

LOW_FPR_NON_MEMBERS = 5_000
"""With fewer non-members, TPR at 0.1 % FPR depends on too few false positives to have a meaning."""


@dataclass(frozen=True, slots=True)
class AttackEvaluation:
    """One attack on one model.

    Intervals are 95 % bootstrap intervals over records within this run, members and non-members
    resampled separately. They do not cover other seeds; see :func:`mean_and_t_interval`.

    Attributes:
        accuracy: balanced accuracy of the attack's own decisions; 0.5 is guessing.
        auc: area under the ROC curve; a tie counts half.
        tpr_at_fpr: largest TPR at FPR <= 0.01 and <= 0.001, by "0.01" and "0.001".
        false_positives_at_fpr: how many non-members are called members there.
        tpr, fpr: of the attack's own decisions.
        advantage: tpr - fpr.
        precision: for equal numbers of members and non-members; None if none is called a member.
        members, non_members: how many of each.
    """

    accuracy: float
    accuracy_ci95: Interval
    auc: float
    auc_ci95: Interval
    tpr_at_fpr: dict[str, float]
    tpr_at_fpr_ci95: dict[str, Interval]
    false_positives_at_fpr: dict[str, int]
    tpr: float
    fpr: float
    advantage: float
    precision: float | None
    members: int
    non_members: int

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; intervals become lists."""
        plain = asdict(self)
        for name in ("accuracy_ci95", "auc_ci95"):
            plain[name] = list(plain[name])
        plain["tpr_at_fpr_ci95"] = {a: list(i) for a, i in self.tpr_at_fpr_ci95.items()}
        return plain


def evaluate(
    score: np.ndarray,
    decision: np.ndarray,
    draws: Draws,
    resampled: Mapping[str, np.ndarray] | None = None,
) -> AttackEvaluation:
    """Everything that is reported about one attack on one model.

    Args:
        score: (n,) high for members.
        decision: (n,) bool, the attack's own verdict.
        draws: of the records, with the truth about them.
        resampled: figures of the attack in these draws, where they are known already.

    Raises:
        ValueError: lengths differ, a score is nan, or one of the groups is empty.
    """
    member = draws.member
    curve = ScoreCurve(score, member)
    verdict = decisions(decision, member)
    if resampled is None:
        resampled = resample({"it": (score, decision)}, draws)["it"]
    rng = np.random.default_rng(draws.seed)
    low = {f"{alpha:g}": curve.tpr_at_fpr(alpha) for alpha in LOW_FPRS}
    return AttackEvaluation(
        accuracy=verdict.accuracy,
        accuracy_ci95=percentiles(resampled["accuracy"]),
        auc=curve.auc,
        auc_ci95=percentiles(resampled["auc"]),
        tpr_at_fpr={name: point.tpr for name, point in low.items()},
        tpr_at_fpr_ci95={f"{a:g}": curve.tpr_at_fpr_interval(a, rng) for a in LOW_FPRS},
        false_positives_at_fpr={name: point.false_positives for name, point in low.items()},
        tpr=verdict.tpr,
        fpr=verdict.fpr,
        advantage=verdict.advantage,
        precision=verdict.precision(),
        members=len(curve.members),
        non_members=len(curve.non_members),
    )
