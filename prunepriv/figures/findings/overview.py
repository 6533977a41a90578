"""Overview's sentences: a run in short, step by step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from prunepriv.figures.findings.attacks import interval, sampled_fit
from prunepriv.figures.findings.comparisons import (
    Row,
    by_the_same_attack,
    by_which,
    by_who_knows,
    chosen_attack,
    does,
    in_contrast,
    is_guessing,
    pick,
    told,
)
from prunepriv.figures.findings.models import Size
from prunepriv.figures.palette import KINDS
from prunepriv.options import ModelKind
from prunepriv.prose import percent, signed, size_statement

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
        return f"not distinguishable from guessing (p = {row['p']:.2g}; {interval(row)})"
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


def kept_epoch(
    network: str,
    epochs: int,
    kept: Mapping[str, float],
    on_members: float | None,
    while_training: bool = True,
) -> str:
    """Which epoch was kept, and how good it is.

    Args:
        network: its name and size.
        kept: the history's point of that epoch.
        on_members: accuracy of the finished model, in eval mode; None where it was not measured.
        while_training: whether the history's member accuracy is that of batches while they are
            learnt, with dropout and batch norm in training mode.
    """
    told = f"{network}, epoch {kept['epoch']} of {epochs} kept: accuracy "
    validation = f"{percent(kept['validation_accuracy'])} on validation records"
    if on_members is None:
        when = " while training" if while_training else ""
        return f"{told}{percent(kept['member_accuracy'])} on members{when}, {validation}."
    curve = " The members' curve is measured while training." if while_training else ""
    return f"{told}{percent(on_members)} on members, {validation}.{curve}"


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
    return ", ".join(
        f"{signed(pair[0] - pair[1])} ({KINDS[kind].words})" for kind, pair in means.items()
    )


def attacks_in_short(headline: Row, chance: Row, kind: ModelKind, fit: Row | None = None) -> str:
    """The chosen attack on a model, or that it is guessing.

    Args:
        headline: of ``Result.headline``.
        chance: of ``Result.chance``.
        fit: of ``Result.fit_of``, of the chosen attack.
    """
    return f"{_does(headline, chance, kind)} {sampled_fit(fit)}".rstrip()


def _does(headline: Row, chance: Row, kind: ModelKind) -> str:
    does = f"{percent(headline['accuracy'])} ({interval(headline)})"
    if is_guessing(headline):
        return (
            f"{chosen_attack(headline)}, is guessing on the {kind} model: {does}. The best of "
            f"{chance['attacks']} attacks has p = {chance['p']:.2g}."
        )
    return f"{chosen_attack(headline)}, is right on the {kind} model: {does}."


def attribution(
    headlines: Mapping[ModelKind, Row],
    retraining: Sequence[Row] | None,
    removing: Sequence[Row] | None,
    equally_long: tuple[Sequence[Row], Sequence[Row]] | None = None,
) -> str:
    """How much of the change is retraining and how much is removing weights.

    Args:
        headlines: of ``Result.headline``, by the adaptive adversary.
        retraining, removing: the contrasts original -> control and control -> pruned.
        equally_long: the same by way of the control that was trained as long as the pruned model.
    """
    three: tuple[ModelKind, ...] = ("original", "control", "pruned")
    if retraining is None or removing is None or not set(three) <= headlines.keys():
        missing = [kind for kind in three if kind not in headlines]
        return (
            f"Without an attack on the {' and the '.join(missing)} model this run cannot "
            "separate the effects of retraining and removing weights."
        )
    rows = [headlines[kind] for kind in three]
    attack = in_contrast(rows[0])
    figures = [
        percent(row["accuracy"]) + (" (guessing)" if is_guessing(row) else "") for row in rows
    ]
    return (
        f"In this run, {_policy(rows)} is right {figures[0]} of the time on the original, "
        f"{figures[1]} on the control and {figures[2]} on the pruned model: "
        f"{_change(retraining, attack, 'by training on the same records again')} and "
        f"{_change(removing, attack, 'by removing weights')}. By the same attack, training again gives "
        f"{by_the_same_attack(retraining)}, and removing weights {by_the_same_attack(removing)}."
        + _equally_long(equally_long, attack)
    )


def _policy(rows: Sequence[Row]) -> str:
    if all(row.get("fixed") for row in rows):
        return by_which(rows)
    if all(row["chosen"] for row in rows):
        return f"what an adversary would choose beforehand ({by_which(rows)})"
    return f"the best attack after the fact ({by_which(rows)})"


def _equally_long(contrasts: tuple[Sequence[Row], Sequence[Row]] | None, attack: str) -> str:
    """The same steps by way of the control that was trained as long as the pruned model."""
    if contrasts is None:
        return ""
    retraining, removing = contrasts
    return (
        " By way of the control that was trained equally long these are "
        f"{_change(retraining, attack, 'by training again')} and "
        f"{_change(removing, attack, 'by removing weights')}."
    )


def epochs_kept(kept: Mapping[ModelKind, int]) -> str:
    """For how many epochs the kept weights of each model were fine-tuned.

    Args:
        kept: epochs by kind of model; not empty.
    """
    told = ", ".join(f"{KINDS[kind].words} {epochs}" for kind, epochs in kept.items())
    return f"Epochs of fine-tuning kept: {told}."


def _change(contrast: Sequence[Row], attack: str, cause: str) -> str:
    row = pick(contrast, attack=attack)
    return f"no attack chosen beforehand {cause}" if row is None else f"**{told(row)} {cause}**"


def defended(adaptive: Row, non_adaptive: Row | None, contrast: Sequence[Row], defense: str) -> str:
    """What the defence does to the chosen attack, the adaptive adversary first.

    Args:
        adaptive, non_adaptive: of ``Result.headline``, on the defended model.
        contrast: pruned -> defended, against the adaptive adversary.
        defense: its name, "PPB 4".
    """
    change = pick(contrast, attack=in_contrast(adaptive))
    by = "" if change is None else f" by {told(change)}"
    what = by_who_knows(adaptive, "the attack that an adversary who knows it would choose")
    first = (
        f"In this run, {defense} changes {what}{by} to {does(adaptive)}; by the same attack "
        f"{by_the_same_attack(contrast)}"
    )
    if non_adaptive is None:
        return f"{first}."
    return f"{first}. An adversary who does not know it reaches {does(non_adaptive)}."
