"""What a chart shows, in one or two plain sentences from this run's numbers.

Nothing here is a template with a verdict: where an interval covers chance the sentence says so, and
where a change goes the other way than the paper's, it goes the other way.
"""

from prunepriv.figures.findings.attacks import (
    BEYOND,
    agreement,
    best_attack,
    cut,
    cut_rates,
    cut_verdicts,
    interval,
    is_guessing,
    low_rates,
    not_run,
    roc_linear,
    roc_log,
    votes,
)
from prunepriv.figures.findings.classes import class_bars, class_changes, class_detail, distances
from prunepriv.figures.findings.defenses import (
    defence,
    defended_classes,
    defended_signals,
    price,
    trade,
)
from prunepriv.figures.findings.signals import gap_of, leakage, records_in_bin
from prunepriv.figures.findings.sparsity import sparsity
from prunepriv.figures.findings.sweeps import knowledge, sweep_lines, sweep_matrix

__all__ = [
    "BEYOND",
    "agreement",
    "best_attack",
    "class_bars",
    "class_changes",
    "class_detail",
    "cut",
    "cut_rates",
    "cut_verdicts",
    "defence",
    "defended_classes",
    "defended_signals",
    "distances",
    "gap_of",
    "interval",
    "is_guessing",
    "knowledge",
    "leakage",
    "low_rates",
    "not_run",
    "price",
    "records_in_bin",
    "roc_linear",
    "roc_log",
    "sparsity",
    "sweep_lines",
    "sweep_matrix",
    "trade",
    "votes",
]
