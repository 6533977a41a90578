"""How well an attack tells members from non-members, and what may be said between two figures.

Numpy and scipy only. See assets/method.md#reporting.

Every *score* is high for members. Positive means "called a member": the true positive rate (TPR) is
the share of members called members, the false positive rate (FPR) the share of non-members called
members. All rates are fractions in [0, 1].
"""

from prunepriv.evaluation.choice import CHOSEN, Estimate, chosen, own_estimate
from prunepriv.evaluation.classes import (
    LEAST,
    benjamini_hochberg,
    can_be_tested,
    class_p_values,
)
from prunepriv.evaluation.classes import PERMUTATIONS as CLASS_PERMUTATIONS
from prunepriv.evaluation.contrasts import Difference, by_attack, by_class, paired
from prunepriv.evaluation.curves import (
    LOW_FPR,
    LowFpr,
    Roc,
    ScoreCurve,
    confusion,
    limit_at_low_fpr,
    roc_curve,
    tpr_at_fpr,
)
from prunepriv.evaluation.intervals import (
    RESAMPLES,
    Interval,
    MeanInterval,
    mean_and_t_interval,
    mean_p_value,
    percentiles,
)
from prunepriv.evaluation.over_runs import OverRuns, over_runs
from prunepriv.evaluation.permuted import PERMUTATIONS, Chance, chance, p_value
from prunepriv.evaluation.precision import PRIORS, Precision, precision_at
from prunepriv.evaluation.rankings import apart, first_two, more_often
from prunepriv.evaluation.report import (
    LOW_FPR_NON_MEMBERS,
    LOW_FPRS,
    AttackEvaluation,
    evaluate,
)
from prunepriv.evaluation.resamples import METRICS, Draws, figure_of, resample
from prunepriv.evaluation.verdicts import (
    Confusion,
    balanced_accuracy,
    decisions,
)
from prunepriv.evaluation.words import SEEDS_THAT_DECIDE, Word, is_clear, is_guessing, word_of

__all__ = [
    "CHOSEN",
    "CLASS_PERMUTATIONS",
    "LEAST",
    "LOW_FPR",
    "LOW_FPRS",
    "LOW_FPR_NON_MEMBERS",
    "METRICS",
    "PERMUTATIONS",
    "PRIORS",
    "RESAMPLES",
    "SEEDS_THAT_DECIDE",
    "AttackEvaluation",
    "Chance",
    "Confusion",
    "Difference",
    "Draws",
    "Estimate",
    "Interval",
    "LowFpr",
    "MeanInterval",
    "OverRuns",
    "Precision",
    "Roc",
    "ScoreCurve",
    "Word",
    "apart",
    "balanced_accuracy",
    "benjamini_hochberg",
    "by_attack",
    "by_class",
    "can_be_tested",
    "chance",
    "chosen",
    "class_p_values",
    "confusion",
    "decisions",
    "evaluate",
    "figure_of",
    "first_two",
    "is_clear",
    "is_guessing",
    "limit_at_low_fpr",
    "mean_and_t_interval",
    "mean_p_value",
    "more_often",
    "over_runs",
    "own_estimate",
    "p_value",
    "paired",
    "percentiles",
    "precision_at",
    "resample",
    "roc_curve",
    "tpr_at_fpr",
    "word_of",
]
