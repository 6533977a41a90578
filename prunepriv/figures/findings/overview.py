"""Overview's sentences: a run in short, step by step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from prunepriv.figures.findings.attacks import best_of, interval, is_guessing
from prunepriv.figures.findings.changes import Row, change
from prunepriv.figures.findings.models import Size
from prunepriv.options import ATTACKS, ModelKind
from prunepriv.prose import capital, percent, points, signed, size_statement

Means = Mapping[ModelKind, tuple[float, float]]
"""Kind of model -> mean confidence of members, and of non-members."""


def accuracy_before(accuracy: float | None) -> str:
    """What the accuracy on non-members is compared with.

    Args:
        accuracy: the original's; None where the original itself is shown.
    """
    if accuracy is None:
        return "on records that it never saw"
    return f"original model: {percent(accuracy)}"


def gap_before(gap: float | None) -> str:
    """What the confidence gap is compared with.

    Args:
        gap: the original's; None where the original itself is shown.
    """
    return "members minus non-members" if gap is None else f"original model: {signed(gap)}"


def attack_interval(row: Row) -> str:
    """The interval of an attack's accuracy, or that it is guessing."""
    if is_guessing(row):
        return f"not distinguishable from guessing ({interval(row)})"
    return f"95 % interval {interval(row)}"


def split(data: str, classes: int, members: int, half: int) -> str:
    """How many records there are, and on how many the target is trained.

    Args:
        data: the data set's name.
        half: records of the target's half.
    """
    return (
        f"{data}: {2 * half:,} records, {classes} classes. "
        f"The target is trained on {members:,} of them."
    )


def kept_epoch(network: str, epochs: int, kept: Mapping[str, float]) -> str:
    """Which epoch was kept, and how good it is.

    Args:
        network: its name and size.
        kept: the history's point of that epoch.
    """
    return (
        f"{network}, epoch {kept['epoch']} of {epochs} kept: accuracy "
        f"{percent(kept['member_accuracy'], 0)} on members, "
        f"{percent(kept['validation_accuracy'], 0)} on validation records."
    )


def removed(pruning: str, sparsity: float, size: Size | None = None) -> str:
    """How much of the model pruning removed, and what is left.

    Args:
        pruning: approach and requested sparsity, "L1 unstructured 60 %".
        sparsity: achieved, of all prunable weights.
        size: channels removed, and what is left; None where they were not counted.
    """
    told = f"{pruning}: {percent(sparsity)} of the weights were removed; the solid part was kept."
    return f"{told} {size_statement(size)}".rstrip()


def gaps(means: Means) -> str:
    """The confidence gap of every model."""
    return f"Confidence gap between members \u25cf and non-members \u25c6: {gap_list(means)}."


def gap_list(means: Means) -> str:
    """As in "+0.12 (original), +0.31 (pruned)"."""
    return ", ".join(f"{signed(pair[0] - pair[1])} ({kind})" for kind, pair in means.items())


def attacks_in_short(rows: Sequence[Row], kind: ModelKind) -> str:
    """The best attack on a model, or that no attack is better than guessing."""
    if all(is_guessing(row) for row in rows):
        return f"No attack on the {kind} model is distinguishable from guessing."
    best = best_of(rows)
    name = ATTACKS[best["attack"]].label
    return f"{name} does best on the {kind} model: {percent(best['accuracy'])} ({interval(best)})."


def attribution(rows: Mapping[ModelKind, Sequence[Row]]) -> str:
    """How much of the change is retraining and how much is removing weights, in one sentence.

    Args:
        rows: evaluations by the adaptive adversary. Each model faces the attack that does best on
            it, as an adversary would choose.
    """
    if not {"original", "control", "pruned"} <= rows.keys():
        missing = [kind for kind in ("original", "control", "pruned") if kind not in rows]
        return (
            f"Without an attack on the {' and the '.join(missing)} model this run cannot "
            "separate the effects of retraining and removing weights."
        )
    original, control, pruned = (best_of(rows[kind]) for kind in ("original", "control", "pruned"))
    return (
        f"The best attack goes from {percent(original['accuracy'])} on the original to "
        f"{percent(control['accuracy'])} on the control and {percent(pruned['accuracy'])} on the "
        f"pruned model: **{_step(original, control)} by training on the same records again** and "
        f"**{_step(control, pruned)} by removing weights**."
    )


def _step(before: Row, after: Row) -> str:
    difference, clear = change(before, after)
    return points(difference) + ("" if clear else " (within its uncertainty)")


def defended(undefended: Row, adaptive: Row, non_adaptive: Row | None, defense: str) -> str:
    """What the defence does to the best attack, the adaptive adversary first."""
    difference, clear = change(undefended, adaptive)
    if not clear:
        first = f"Against an adversary who knows the defence, {defense} changes the best attack by no more than its uncertainty ({points(difference)})"
    else:
        first = f"{capital(defense)} changes the best attack by {points(difference)} to {percent(adaptive['accuracy'])} against an adversary who knows the defence"
    if non_adaptive is None:
        return f"{first}."
    return (
        f"{first}; an adversary who does not know it reaches {percent(non_adaptive['accuracy'])}."
    )
