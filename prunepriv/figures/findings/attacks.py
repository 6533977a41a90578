"""Sentences about attacks: how well they do, and whether that is more than guessing."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np
import pandas as pd

from prunepriv.evaluation import Confusion, first_two, more_often
from prunepriv.figures.findings.comparisons import (
    Row,
    after_the_fact,
    chosen_attack,
    is_guessing,
    not_ahead,
    not_ahead_of_attack,
)
from prunepriv.figures.palette import KINDS
from prunepriv.figures.roc import Curve, meaningful
from prunepriv.options import ATTACKS
from prunepriv.plan import Target
from prunepriv.prose import join, percent, short, signed

BEYOND = "Online LiRA, quantile regression and label-only attacks are not part of this version."


def interval(row: Row) -> str:
    """The 95 % interval of an attack's accuracy: "76.5 to 80.1 %"."""
    low, high = row["accuracy_ci95"]
    return f"{100 * low:.1f} to {percent(high)}"


def best_attack(
    headline: Row, rows: Sequence[Row], chance: Row, series: Target, lead: Row | None = None
) -> str:
    """The attack chosen beforehand, what its adversary expected, and the best after the fact.

    Args:
        headline: of ``Result.headline``.
        rows: all attacks on that target.
        chance: of ``Result.chance``.
        series: the target.
        lead: how far the best is ahead of the next, see ``store.differences.lead``.
    """
    model = KINDS[series.model].words
    versus = "" if series.model != "defended" else f" ({_adversary(series)})"
    does = f"{percent(headline['accuracy'])} (95 % interval {interval(headline)})"
    expected = ""
    if headline["chosen"]:
        expected = (
            f", expected {percent(headline['estimate'])} \u00b1 "
            f"{100 * headline['standard_error']:.1f} from shadow records"
        )
    who = f"{chosen_attack(headline)}{expected}"
    if is_guessing(headline):
        first = f"{who}, is not distinguishable from guessing on the {model} model{versus}: {does}."
    else:
        first = f"{who}, is right on the {model} model{versus}: {does}; guessing gives 50 %."
    return f"{first} {after_the_fact(rows, chance, lead)}"


def _adversary(series: Target) -> str:
    return "adaptive adversary" if series.adversary == "adaptive" else "non-adaptive adversary"


def sampled_fit(fit: Row | None) -> str:
    """That an attack network was fitted on some of the shadow records only; "" if on all of them.

    Args:
        fit: of ``Result.fit_of``; None for an attack that is no network.
    """
    if fit is None or fit["records"] == fit["of"]:
        return ""
    return (
        f"{ATTACKS[fit['attack']].label} was fitted on {fit['records']:,} of {fit['of']:,} shadow "
        f"records, the most that the recipe fast takes with {fit['classes']} classes."
    )


def what_is_fitted(attack: str) -> str:
    """What of an attack is fitted on shadows, and what is not."""
    option = ATTACKS[attack]
    return f"Fitted on shadows: {option.fitted}. Not fitted: {option.fixed}."


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
    """How many members are found when very few non-members may be called members."""
    parts = []
    for alpha in (0.01, 0.001):
        tpr, count = curve.points.tpr_at_fpr(alpha)
        if meaningful(alpha, curve.non_members):
            parts.append(
                f"it finds {percent(tpr)} of the members at {100 * alpha:g} % FPR ({count:,} false positives)"
            )
        else:
            parts.append(
                f"{curve.non_members:,} non-members are too few to measure it at {100 * alpha:g} % FPR"
            )
    found = "; ".join(parts)
    return f"{curve.label} at low false positive rates: {found}."


def precision_at(row: Row, prior: float = 0.01) -> str:
    """How an attack looks to a person whom it accuses, where members are few.

    Args:
        row: of the evaluation.
        prior: share of members among those asked; in ``precision_at_prior``.
    """
    found = row["precision_at_prior"][f"{prior:g}"]
    name, parts = ATTACKS[row["attack"]].label, []
    for threshold, where in (
        ("balanced", "its own threshold"),
        ("low_fpr", "the threshold for 1 % FPR on the shadows"),
    ):
        one = found[threshold]
        if one is None or one["value"] is None:
            parts.append(f"at {where} it accuses nobody")
            continue
        low, high = one["ci95"]
        told = f"{percent(one['value'])} ({100 * low:.1f} to {percent(high)})"
        parts.append(f"at {where} {told} of those it accuses are members")
    return f"If {percent(prior, 0)} of those asked are members: {join(parts)} ({name})."


def low_rates(table: pd.DataFrame, lead: Row | None) -> str:
    """The best attack when 1 % of the non-members may be called members.

    Args:
        table: :func:`prunepriv.figures.roc.low_fpr_table`.
        lead: how far the best is ahead of the next, see ``store.differences.lead``.
    """
    rows = table[table["fpr"] == 0.01]
    best = rows.iloc[int(rows["tpr"].argmax())].to_dict()
    found = f"{best['attack']} finds the most members at 1 % FPR, {percent(best['tpr'])}"
    text = f"{found}{not_ahead_of_attack(lead)}"
    return (
        f"{text}."
        if best["meaningful"]
        else f"{text}, but there are too few non-members to be sure."
    )


def own_threshold(curve: Curve, thresholds: Sequence[float], text: str) -> str:
    """The attack's own thresholds, and its rates with them.

    Args:
        thresholds: fitted on shadow models: one, or one per class.
        text: where the slider starts.
    """
    own = curve.own
    does = f"accuracy {percent(own.accuracy)}, TPR {percent(own.tpr)}, FPR {percent(own.fpr)}"
    if len(thresholds) == 1:
        return f"The slider starts at {text}, the attack's own threshold, fitted on shadow models ({does})."
    return (
        f"This attack has one threshold for each class, fitted on shadow models, from "
        f"{short(min(thresholds))} to {short(max(thresholds))} ({does}). The slider sets one "
        f"threshold for all classes. It starts at their median over the records, {text}."
    )


def cut(counts: Confusion, threshold: str) -> str:
    """Which records are called members at a threshold."""
    members = counts.true_positives + counts.false_negatives
    others = counts.false_positives + counts.true_negatives
    return (
        f"Records with a score of at least {threshold} are called members: these are "
        f"{counts.true_positives:,} of {members:,} members and {counts.false_positives:,} of "
        f"{others:,} non-members."
    )


def cut_rates(counts: Confusion) -> str:
    """The point on the ROC in words."""
    return (
        f"That is a TPR of {percent(counts.tpr)} at an FPR of {percent(counts.fpr)}: an advantage "
        f"(TPR \u2212 FPR) of {signed(counts.advantage, 3)}; 0 is guessing."
    )


def cut_verdicts(counts: Confusion) -> str:
    """How often the verdicts at a threshold are right."""
    precision = counts.precision()
    tail = (
        "no record is called a member"
        if precision is None
        else f"{percent(precision)} of the records called members are members"
    )
    return f"{percent(counts.accuracy)} of verdicts are right (balanced accuracy); {tail}."


def agreement(pairs: pd.DataFrame, decisions: Mapping[str, np.ndarray], member: np.ndarray) -> str:
    """Which two attacks differ most, and how often all agree.

    Args:
        pairs: of ``figures.agreement.agreement_heatmap``.
        decisions: by attack, (n,) bool.
        member: (n,) bool.
    """
    verdicts = np.array(list(decisions.values()))
    unanimous = float((verdicts == verdicts[0]).all(axis=0).mean())
    named = {ATTACKS[name].label: said for name, said in decisions.items()}
    rows = pairs[["attack", "other", "alike"]].to_dict("records")
    places = first_two([-row["alike"] for row in rows]) or (0,)
    worst, *following = (rows[place] for place in places)
    behind = ""
    if following:
        differ = [named[row["attack"]] != named[row["other"]] for row in (worst, *following)]
        clear = more_often(differ[0], differ[1], member).clear
        after = following[0]
        behind = not_ahead(clear, f"{after['attack']} and {after['other']}")
    return (
        f"{worst['attack']} and {worst['other']} differ most{behind}: they agree on "
        f"{percent(float(worst['alike']), 0)} of the records; all {len(verdicts)} attacks agree on "
        f"{percent(unanimous, 0)}."
    )


def votes(table: pd.DataFrame) -> str:
    """How many members all attacks find, and how many no attack finds."""
    most = int(table["attacks"].max())
    share = table.set_index(["group", "attacks"])["share"]
    return (
        f"{percent(float(share['members', most]), 0)} of the members and "
        f"{percent(float(share['non-members', most]), 0)} of the non-members are called members by "
        f"all {most} attacks; no attack finds {percent(float(share['members', 0]), 0)} of the members."
    )
