"""Sentences about attacks: how well they do, and whether that is more than guessing."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np
import pandas as pd

from prunepriv.evaluation import Confusion
from prunepriv.figures.findings.changes import Row
from prunepriv.figures.palette import CHANCE, KINDS
from prunepriv.figures.roc import Curve, meaningful
from prunepriv.options import ATTACKS
from prunepriv.plan import Target
from prunepriv.prose import join, percent, short

BEYOND = "Online LiRA, quantile regression and label-only attacks are not part of this version."


def best_of(rows: Sequence[Row]) -> Row:
    """The attack of highest accuracy; of equals the first."""
    return max(rows, key=lambda row: row["accuracy"])


def interval(row: Row) -> str:
    """The 95 % interval of an attack's accuracy: "76.5 to 80.1 %"."""
    low, high = row["accuracy_ci95"]
    return f"{100 * low:.1f} to {percent(high)}"


def is_guessing(row: Row) -> bool:
    """Whether the interval covers random guessing."""
    low, high = row["accuracy_ci95"]
    return bool(low <= CHANCE <= high)


def best_attack(row: Row, series: Target, reference: Row | None = None) -> str:
    """The best attack, its interval, chance, and the unpruned reference.

    Args:
        row, reference: rows of the leaderboard; the reference is the best attack on the original.
    """
    name, model = ATTACKS[row["attack"]].label, KINDS[series.model].label.lower()
    versus = "" if series.model != "defended" else f" by {_adversary(series)}"
    told = f"{percent(row['accuracy'])} (95 % interval {interval(row)})"
    if is_guessing(row):
        return (
            f"Even the best attack on the {model} model{versus}, {name} with {told}, is not "
            "distinguishable from guessing."
        )
    tail = ""
    if reference is not None:
        other = ATTACKS[reference["attack"]].label
        tail = (
            f"; on the original model the best, {other}, reaches {percent(reference['accuracy'])}"
        )
    return (
        f"{name} does best on the {model} model{versus}: {told} of its verdicts are right, "
        f"where guessing gives 50 %{tail}."
    )


def _adversary(series: Target) -> str:
    return "an adaptive adversary" if series.adversary == "adaptive" else "a non-adaptive adversary"


def not_run(run: Collection[str]) -> str:
    """Which attacks were not run."""
    left = [option.label for name, option in ATTACKS.items() if name not in run]
    return (f"Not run here: {join(left)}. " if left else "") + BEYOND


def roc_linear(curve: Curve) -> str:
    """What the area under the curve means."""
    return (
        f"{curve.label} gives a random member a higher score than a random non-member "
        f"{percent(curve.points.auc)} of the time (AUC {curve.points.auc:.3f}; guessing 0.5)."
    )


def roc_log(curve: Curve) -> str:
    """How many members are found when hardly anyone may be accused wrongly."""
    parts = []
    for alpha in (0.01, 0.001):
        tpr, count = curve.points.tpr_at_fpr(alpha)
        if meaningful(alpha, curve.non_members):
            parts.append(
                f"{percent(tpr)} of the members at {100 * alpha:g} % ({count:,} accused wrongly)"
            )
        else:
            parts.append(
                f"at {100 * alpha:g} % nothing can be said: {curve.non_members:,} non-members are too few"
            )
    found = "; ".join(parts)
    return f"Where few non-members may be accused wrongly, {curve.label} finds {found}."


def low_rates(table: pd.DataFrame) -> str:
    """The best attack where one in a hundred non-members may be accused wrongly."""
    rows = table[table["fpr"] == 0.01]
    best = rows.iloc[int(rows["tpr"].argmax())].to_dict()
    text = f"{best['attack']} finds most members at 1 % false positives, {percent(best['tpr'])}"
    return f"{text}." if best["meaningful"] else f"{text}, but on too few non-members to say so."


def own_threshold(curve: Curve, thresholds: Sequence[float], text: str) -> str:
    """Where the attack's own thresholds lie, and how well it does with them.

    Args:
        thresholds: fitted on shadow models: one, or one per class.
        text: where the slider starts.
    """
    own = curve.own
    does = f"accuracy {percent(own.accuracy)}, TPR {percent(own.tpr)}, FPR {percent(own.fpr)}"
    if len(thresholds) == 1:
        return f"It starts at {text}, the attack's own threshold, fitted on shadow models ({does})."
    return (
        f"This attack has a threshold of its own for each class, fitted on shadow models, from "
        f"{short(min(thresholds))} to {short(max(thresholds))} ({does}). The slider moves one for "
        f"all and starts at their median over the records, {text}."
    )


def cut(counts: Confusion, threshold: str) -> str:
    """Whom a threshold accuses."""
    members = counts.true_positives + counts.false_negatives
    others = counts.false_positives + counts.true_negatives
    return (
        f"Calling every score from {threshold} on a member finds {counts.true_positives:,} of "
        f"{members:,} members and accuses {counts.false_positives:,} of {others:,} non-members."
    )


def cut_rates(counts: Confusion) -> str:
    """The point on the ROC in words."""
    return (
        f"That is a TPR of {percent(counts.tpr)} at an FPR of {percent(counts.fpr)}: {abs(100 * counts.advantage):.1f} points "
        f"{'more' if counts.advantage >= 0 else 'fewer'} than guessing would find there."
    )


def cut_verdicts(counts: Confusion) -> str:
    """How often its verdicts are right."""
    precision = counts.precision()
    tail = "nobody is accused" if precision is None else f"{percent(precision)} of accusations are"
    return f"{percent(counts.accuracy)} of verdicts are right (balanced accuracy); {tail}."


def agreement(pairs: pd.DataFrame, decisions: Mapping[str, np.ndarray]) -> str:
    """Which two attacks differ most, and how often all agree."""
    verdicts = np.array(list(decisions.values()))
    unanimous = float((verdicts == verdicts[0]).all(axis=0).mean())
    worst = pairs.iloc[int(pairs["alike"].argmin())].to_dict()
    return (
        f"{worst['attack']} and {worst['other']} differ most, alike on {percent(float(worst['alike']), 0)} "
        f"of the records; all {len(verdicts)} attacks agree on {percent(unanimous, 0)}."
    )


def votes(table: pd.DataFrame) -> str:
    """How many are found by all attacks, how many by none."""
    most = int(table["attacks"].max())
    share = table.set_index(["group", "attacks"])["share"]
    return (
        f"All {most} attacks call {percent(float(share['members', most]), 0)} of the members and "
        f"{percent(float(share['non-members', most]), 0)} of the non-members members; "
        f"{percent(float(share['members', 0]), 0)} of the members escape every attack."
    )
