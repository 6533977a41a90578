"""What a chart shows, in one or two plain sentences from this run's numbers.

No sentence assumes a result: it says so where an interval covers chance, and where a change goes in
the opposite direction to the paper's.
"""

from prunepriv.figures.findings.attacks import (
    BEYOND,
    agreement,
    best_attack,
    best_of,
    cut,
    cut_rates,
    cut_verdicts,
    interval,
    is_guessing,
    low_rates,
    not_run,
    own_threshold,
    roc_linear,
    roc_log,
    votes,
)
from prunepriv.figures.findings.changes import Row, change, within_uncertainty
from prunepriv.figures.findings.classes import class_bars, class_changes, class_detail, distances
from prunepriv.figures.findings.defenses import (
    defended_classes,
    defended_signals,
    defense,
    noise,
    others,
    price,
    trade,
)
from prunepriv.figures.findings.models import curves, sparsity
from prunepriv.figures.findings.overview import (
    accuracy_before,
    attack_interval,
    attacks_in_short,
    attribution,
    defended,
    epochs_kept,
    gap_before,
    gap_list,
    gaps,
    kept_epoch,
    removed,
    split,
)
from prunepriv.figures.findings.signals import gap_of, leakage, records_in_bin
from prunepriv.figures.findings.sweeps import knowledge, seeds, sweep_lines, sweep_matrix

__all__ = [
    "BEYOND",
    "Row",
    "accuracy_before",
    "agreement",
    "attack_interval",
    "attacks_in_short",
    "attribution",
    "best_attack",
    "best_of",
    "change",
    "class_bars",
    "class_changes",
    "class_detail",
    "curves",
    "cut",
    "cut_rates",
    "cut_verdicts",
    "defended",
    "defended_classes",
    "defended_signals",
    "defense",
    "distances",
    "epochs_kept",
    "gap_before",
    "gap_list",
    "gap_of",
    "gaps",
    "interval",
    "is_guessing",
    "kept_epoch",
    "knowledge",
    "leakage",
    "low_rates",
    "noise",
    "not_run",
    "others",
    "own_threshold",
    "price",
    "records_in_bin",
    "removed",
    "roc_linear",
    "roc_log",
    "seeds",
    "sparsity",
    "split",
    "sweep_lines",
    "sweep_matrix",
    "trade",
    "votes",
    "within_uncertainty",
]
