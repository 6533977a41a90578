"""What a chart shows, in one or two plain sentences from this run's numbers.

Nothing here is a template with a verdict: where an interval covers chance the sentence says so, and
where a change goes the other way than the paper's, it goes the other way.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
import pandas as pd

from prunepriv.evaluation import Confusion
from prunepriv.figures.classes import GAP_LABELS, Z95, Gap
from prunepriv.figures.leaderboard import Series
from prunepriv.figures.palette import CHANCE, KINDS
from prunepriv.figures.records import RecordSignals
from prunepriv.figures.roc import Curve, meaningful
from prunepriv.figures.scales import Quantity
from prunepriv.options import ATTACKS, Adversary, ModelKind
from prunepriv.prose import join, percent, points, signed

BEYOND = "LiRA, RMIA and label-only attacks are not part of this version."


def gap_of(signals: RecordSignals, quantity: Quantity) -> tuple[float, float]:
    """Mean over members minus mean over non-members, and half of its 95 % interval.

    nan where one of the groups is empty, or too small for an interval.
    """
    values = signals.values(quantity)
    groups = [values[signals.member], values[~signals.member]]
    if not all(map(len, groups)):
        return float("nan"), float("nan")
    squares = [g.var(ddof=1) / len(g) if len(g) > 1 else float("nan") for g in groups]
    return float(groups[0].mean() - groups[1].mean()), float(Z95 * np.sqrt(sum(squares)))


def leakage(signals: Mapping[ModelKind, RecordSignals], quantity: Quantity, only: str = "") -> str:
    """The gap of the last undefended model there is, and where it comes from.

    Args:
        only: name of the class that is shown; empty for all records.
    """
    gaps = {kind: gap_of(one, quantity) for kind, one in signals.items()}
    front = next(k for k in ("pruned", "control", "original", "defended") if k in gaps)
    gap, margin = gaps[front]
    where = f"the {KINDS[front].label.lower()} model" + (f", {only}" if only else "")
    if not np.isfinite(gap):
        return f"In {where} there are not both members and non-members to compare."
    parts = [f"{_difference(gap, margin, quantity)} in {where}."]
    if {"original", "control", "pruned"} <= set(gaps):
        parts.append(_causes({kind: one[0] for kind, one in gaps.items()}))
    if front == "pruned" and "defended" in gaps:
        parts.append(f"The defence leaves a gap of {signed(gaps['defended'][0], 3)}.")
    return " ".join(parts)


def _difference(gap: float, margin: float, quantity: Quantity) -> str:
    digits = 3 if abs(gap) >= 0.1 else 4
    how_much = f"{abs(gap):.{digits}f}"
    if np.isfinite(margin):
        how_much += f" (\u00b1 {margin:.{digits}f})"
    if np.isfinite(margin) and abs(gap) <= margin:
        return f"Members and non-members do not differ in mean {quantity} beyond chance, by {how_much},"
    if quantity == "confidence":
        return f"The model is {how_much} {'more' if gap > 0 else 'less'} confident on members than on non-members"
    return f"Answers are {how_much} {'more' if gap > 0 else 'less'} sensitive on members than on non-members"


def _causes(gaps: Mapping[ModelKind, float]) -> str:
    retraining = gaps["control"] - gaps["original"]
    removing = gaps["pruned"] - gaps["control"]
    total = gaps["pruned"] - gaps["original"]
    return (
        f"Since the original the gap has changed by {signed(total, 3)}: {signed(retraining, 3)} by "
        f"retraining (original \u2192 control) and {signed(removing, 3)} by removing weights "
        "(control \u2192 pruned)."
    )


def records_in_bin(
    signals: RecordSignals, chosen: np.ndarray, words: str, quantity: Quantity
) -> str:
    """Who lies in a bar.

    Args:
        chosen: (n,) bool.
        words: the bar's ends, "0.967 to 1".
    """
    members = int((chosen & signals.member).sum())
    others = int((chosen & ~signals.member).sum())
    if members + others == 0:
        return f"No record has a {quantity} of {words}."
    share = members / (members + others)
    return (
        f"{members:,} members and {others:,} non-members have a {quantity} of {words}: whoever calls "
        f"them all members is right for {percent(share, 0)}."
    )


def class_bars(table: pd.DataFrame, by: ModelKind, metric: Gap) -> str:
    """Which classes stand out, and how many gaps are no more than chance."""
    ours = table[table["model"] == by].sort_values("gap", ascending=False)
    most, least = ours.iloc[0], ours.iloc[-1]
    covered = int((ours["gap"].abs() <= ours["margin"]).sum())
    tail = (
        f"; {covered} of {len(ours)} intervals cover zero" if ours["margin"].notna().any() else ""
    )
    return (
        f"In the {KINDS[by].label.lower()} model the {GAP_LABELS[metric].lower()} is largest for "
        f"{most['name']} ({signed(most['gap'])}) and smallest for {least['name']} "
        f"({signed(least['gap'])}){tail}."
    )


STEPS: tuple[tuple[ModelKind, ModelKind, str], ...] = (
    ("original", "control", "by retraining (original \u2192 control)"),
    ("control", "pruned", "by removing weights (control \u2192 pruned)"),
    ("pruned", "defended", "by the defence (pruned \u2192 defended)"),
)


def class_changes(table: pd.DataFrame, metric: Gap) -> str:
    """In how many classes each step widened the gap."""
    wide = table.pivot_table(index="class", columns="model", values="gap")
    parts = [
        f"in {int((wide[after] > wide[before]).sum())} of {len(wide)} classes {what}"
        for before, after, what in STEPS
        if {before, after} <= set(wide.columns)
    ]
    if not parts:
        return f"{GAP_LABELS[metric]} of {len(wide)} classes, largest first."
    return f"The {GAP_LABELS[metric].lower()} widened {join(parts)}."


def class_detail(means: pd.DataFrame, by: ModelKind, name: str | None) -> str:
    """One class beside all of them, under one model."""
    rows = means[means["model"] == by].set_index("records")
    difference = (rows["members"] - rows["non-members"]).astype(float)
    gaps = {str(which): float(gap) for which, gap in difference.items()}
    overall = f"over all classes the gap is {signed(gaps['all classes'])}"
    where = f"In the {KINDS[by].label.lower()} model"
    gap = gaps.get(name) if name is not None else None
    if gap is None:
        return f"{where} {overall}; click a bar to see its class here."
    if not np.isfinite(gap):
        return f"{name} has not both members and non-members among the target's records; {overall}."
    return f"{where} {name} has a gap of {signed(gap)}; {overall}."


def distances(table: pd.DataFrame, before: ModelKind) -> str:
    """In how many classes the two distributions drifted apart."""
    classes = table["class"].nunique()
    parts = [
        f"in {int((rows['after'] > rows['before']).sum())} of {classes} classes of the "
        f"{KINDS[kind].label.lower()} model"
        for kind in KINDS
        if len(rows := table[table["model"] == kind])
    ]
    return (
        f"Members' and non-members' distributions lie further apart than in the "
        f"{KINDS[before].label.lower()} model {join(parts)}."
    )


def interval(row: Mapping[str, Any]) -> str:
    """A leaderboard row's accuracy: "78.3 % (95 % interval 76.5 to 80.1 %)"."""
    low, high = row["accuracy_ci95"]
    return f"{percent(row['accuracy'])} (95 % interval {100 * low:.1f} to {percent(high)})"


def is_guessing(row: Mapping[str, Any]) -> bool:
    """Whether the interval covers random guessing."""
    low, high = row["accuracy_ci95"]
    return bool(low <= CHANCE <= high)


def best_attack(
    row: Mapping[str, Any], series: Series, reference: Mapping[str, Any] | None = None
) -> str:
    """The best attack, its interval, chance, and the unpruned reference.

    Args:
        row, reference: rows of the leaderboard; the reference is the best attack on the original.
    """
    name, model = ATTACKS[row["attack"]].label, KINDS[series.model].label.lower()
    versus = "" if series.model != "defended" else f" by {_adversary(series)}"
    if is_guessing(row):
        return (
            f"Even the best attack on the {model} model{versus}, {name} with {interval(row)}, is not "
            "distinguishable from guessing."
        )
    tail = ""
    if reference is not None:
        other = ATTACKS[reference["attack"]].label
        tail = (
            f"; on the original model the best, {other}, reaches {percent(reference['accuracy'])}"
        )
    return (
        f"{name} does best on the {model} model{versus}: {interval(row)} of its verdicts are right, "
        f"where guessing gives 50 %{tail}."
    )


def _adversary(series: Series) -> str:
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


def defence(
    pruned: Mapping[str, Any],
    adaptive: Mapping[str, Any] | None,
    non_adaptive: Mapping[str, Any] | None,
    name: str,
    first: Adversary = "adaptive",
) -> str:
    """What the defence takes from the best attack, against either adversary.

    Args:
        pruned, adaptive, non_adaptive: best rows of the leaderboard.
        name: the defence, "PPB 4".
        first: the adversary in view.
    """
    start = float(pruned["accuracy"])
    parts = {}
    for adversary, row, who in (
        ("adaptive", adaptive, "an adversary who knows it"),
        ("non_adaptive", non_adaptive, "one who does not"),
    ):
        if row is not None:
            end = float(row["accuracy"])
            parts[adversary] = (
                f"against {who} {name} takes the best attack from {percent(start)} to {percent(end)} "
                f"({points(end - start)}{_doubt(pruned, row)})."
            )
    ordered = [parts[who] for who in sorted(parts, key=lambda who: who != first)]
    return " ".join(part[0].upper() + part[1:] for part in ordered)


def _doubt(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """What to say of a change between two rows of the leaderboard.

    Half-widths of both 95 % intervals add in quadrature. The models share their records, so this
    errs on the side of caution.
    """
    if is_guessing(after):
        return ", not distinguishable from guessing"
    spread = float(np.hypot(*(np.ptp(row["accuracy_ci95"]) / 2 for row in (before, after))))
    within = abs(after["accuracy"] - before["accuracy"]) <= spread
    return ", within its uncertainty" if within else ""


def price(reports: Mapping[ModelKind, Mapping[str, Any]], name: str) -> str:
    """What the defence costs in accuracy."""
    before, after = reports["pruned"], reports["defended"]
    change = after["non_member_accuracy"] - before["non_member_accuracy"]
    verb = "costs" if change < 0 else "gains"
    return (
        f"{name} {verb} {abs(100 * change):.1f} points of accuracy on non-members "
        f"({percent(before['non_member_accuracy'])} \u2192 {percent(after['non_member_accuracy'])}) and moves "
        f"accuracy on members by {points(after['member_accuracy'] - before['member_accuracy'])}."
    )


def trade(utility: float, leakage_change: float, name: str) -> str:
    """The arrow in words: changes of accuracy on non-members and of the best attack's."""
    return (
        f"From pruned to {name}: the best attack changes by {points(leakage_change)}, accuracy on "
        f"non-members by {points(utility)}."
    )


def defended_classes(table: pd.DataFrame, metric: Gap, name: str) -> str:
    """In how many classes the defence narrowed the gap, and where most is left."""
    wide = table.pivot_table(index="name", columns="model", values="gap")
    narrowed = int((wide["defended"].abs() < wide["pruned"].abs()).sum())
    left = wide["defended"].idxmax()
    return (
        f"{name} narrows the {GAP_LABELS[metric].lower()} in {narrowed} of {len(wide)} classes; most is "
        f"left in {left} ({signed(float(wide['defended'].max()))})."
    )


def defended_signals(
    signals: Mapping[ModelKind, RecordSignals], quantity: Quantity, name: str
) -> str:
    """The gap without and with the defence."""
    before, after = (gap_of(signals[kind], quantity)[0] for kind in ("pruned", "defended"))
    return (
        f"{name} changes the {quantity} gap between members and non-members from {signed(before, 3)} to "
        f"{signed(after, 3)}."
    )
