"""Whether what is said between figures holds: on synthetic records whose truth is known.

Each study makes many cheap runs. Scores of two attacks on the same records share a part, as those
of two models do; the truth is known from the distributions.
"""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr

from benchmarks.machine import describe
from prunepriv.evaluation import (
    METRICS,
    Draws,
    ScoreCurve,
    benjamini_hochberg,
    chance,
    class_p_values,
    decisions,
    is_guessing,
    paired,
    resample,
)

SHIFTS = 1.0, 1.25
"""How much higher members score, on the two sides, in standard deviations."""

SHARED = 0.6
"""Share of the variance that both sides have in common."""

ATTACKS, CLASSES = 12, 30


def report(runs: int, sizes: tuple[int, ...] = (500, 2000)) -> None:
    """Print coverage of paired intervals, and rates of false statements.

    Args:
        runs: of each study.
        sizes: numbers of records.
    """
    print(describe())
    print(f"{runs:,} runs each")
    print("| records | statement | rate | goal |")
    print("|---|---|---|---|")
    for size in sizes:
        for metric, rate in covered(size, runs).items():
            goal = "at least 94 %" if metric.startswith("tpr") else "94 to 96.5 %"
            print(f"| {size:,} | interval of {metric} covers the truth | {rate:.2%} | {goal} |")
        leaks = best_of_twelve(size, runs)
        print(
            f"| {size:,} | best of {ATTACKS} attacks reported, none leaks | {leaks:.2%} | 4 to 6 % |"
        )
    named = false_names(runs)
    print(f"| 20 to 76 a class | a class named, none changed | {named:.2%} | at most 6 % |")
    print(describe())


def covered(records: int, runs: int, resamples: int = 2000) -> dict[str, float]:
    """By metric: in which share of runs the paired interval holds the true difference."""
    truth = _truths()
    member = np.arange(records) < records // 2
    held = dict.fromkeys(METRICS, 0)
    for run in range(runs):
        rng = np.random.default_rng([run, records])
        scores = _scores(member, rng)
        attacks = {side: (score, score >= shift / 2) for side, (score, shift) in scores.items()}
        drawn = resample(attacks, Draws(member, run, resamples))
        for metric in METRICS:
            values = [_figure(*attacks[side], member, metric) for side in ("from", "to")]
            change = drawn["to"][metric] - drawn["from"][metric]
            low, high = paired(values[0], values[1], change).ci95
            held[metric] += low <= truth[metric] <= high
    return {metric: count / runs for metric, count in held.items()}


def best_of_twelve(records: int, runs: int, permutations: int = 2000) -> float:
    """In which share of runs a leak is reported, where no attack knows anything."""
    member = np.arange(records) < records // 2
    reported = 0
    for run in range(runs):
        rng = np.random.default_rng([run, records, 1])
        common = rng.normal(size=records)
        scores = common + rng.normal(size=(ATTACKS, records))
        verdicts = scores > rng.normal(size=(ATTACKS, 1)) / 2
        reported += not is_guessing(chance(verdicts, member, rng, permutations).p)
    return reported / runs


def false_names(runs: int, permutations: int = 1000) -> float:
    """In which share of runs a class is named as changed, where none is."""
    named = 0
    for run in range(runs):
        rng = np.random.default_rng([run, 2])
        p = []
        for size in rng.integers(20, 77, CLASSES).tolist():
            effects = rng.choice([-1.0, 0.0, 1.0], size=(size, 1), p=[0.06, 0.86, 0.08])
            member = rng.permutation(size) < size // 2
            p.append(float(class_p_values(effects, member, rng, permutations)[0]))
        named += bool(benjamini_hochberg(p).any())
    return named / runs


def _scores(member: np.ndarray, rng: np.random.Generator) -> dict[str, tuple[np.ndarray, float]]:
    shared = rng.normal(size=len(member)) * np.sqrt(SHARED)
    own = rng.normal(size=(2, len(member))) * np.sqrt(1 - SHARED)
    return {
        side: (shift * member + shared + noise, shift)
        for side, shift, noise in zip(("from", "to"), SHIFTS, own, strict=True)
    }


def _figure(score: np.ndarray, decision: np.ndarray, member: np.ndarray, metric: str) -> float:
    if metric == "accuracy":
        return decisions(decision, member).accuracy
    curve = ScoreCurve(score, member)
    return curve.auc if metric == "auc" else curve.tpr_at_fpr(0.01).tpr


def _truths() -> dict[str, float]:
    """Differences of the two sides in the population: scores are normal with variance 1."""
    accuracy = [float(ndtr(shift / 2)) for shift in SHIFTS]
    auc = [float(ndtr(shift / np.sqrt(2))) for shift in SHIFTS]
    limit = 2.3263478740408408  # 1 % of a standard normal lies above
    tpr = [float(ndtr(shift - limit)) for shift in SHIFTS]
    both = zip(METRICS, (accuracy, auc, tpr), strict=True)
    return {metric: after - before for metric, (before, after) in both}
