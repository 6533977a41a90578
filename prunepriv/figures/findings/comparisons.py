"""Comparisons in words: what changes from one side to another, and whether that is clear.

Every difference that a page tells goes through :func:`told`; every judgement of an attack through
:func:`is_guessing`. The rules are in :mod:`prunepriv.evaluation.words`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from prunepriv import evaluation
from prunepriv.evaluation import CHOSEN, by_attack
from prunepriv.options import ATTACKS
from prunepriv.plan import Target
from prunepriv.prose import join, percent, points, signed

Row = Mapping[str, Any]
"""A row of evaluation.json, of a contrast or of ``Result.headline``."""


def is_guessing(row: Row) -> bool:
    """Whether an attack, or the best of several, is not distinguishable from guessing."""
    return evaluation.is_guessing(row["p"])


def clear_sign(row: Row | None) -> int:
    """1 or -1 where a difference is clear, and 0 where it is undecided or not known."""
    if row is None or not row["clear"]:
        return 0
    return 1 if row["difference"] > 0 else -1


def told(row: Row) -> str:
    """A difference in points, with its word where it is undecided: "+0.8 points (undecided)"."""
    return points(row["difference"]) + doubt(row)


def told_gap(row: Row, digits: int = 3) -> str:
    """A difference of gaps: "+0.031", "+0.002 (undecided)"."""
    return signed(row["difference"], digits) + doubt(row)


def doubt(row: Row | None) -> str:
    """The word of an undecided difference, to stand behind it: " (undecided)".

    A difference that is not known, or not yet, is undecided too.

    Args:
        row: of a contrast; of runs, it may say "why" nothing decides.
    """
    if row is not None and row["clear"]:
        return ""
    why = "" if row is None else row.get("why", "")
    return f" (undecided: {why})" if why else " (undecided)"


def not_ahead(clear: bool, following: str, ahead: str = "ahead of") -> str:
    """What stands behind the first of a ranking: ", not clearly ahead of LiRA"; "" where it is.

    Args:
        clear: whether the first's difference from the next is.
        following: the next's name.
        ahead: how the first differs from it.
    """
    return "" if clear else f", not clearly {ahead} {following}"


def not_ahead_of_attack(lead: Row | None) -> str:
    """The same of attacks.

    Args:
        lead: of ``store.differences.lead``; None where there is no next.
    """
    return "" if lead is None else not_ahead(lead["clear"], ATTACKS[lead["next"]].label)


def pick(
    rows: Sequence[Row] | None,
    metric: str = "accuracy",
    attack: str | None = CHOSEN,
    label: int | None = None,
) -> Row | None:
    """The row of a contrast for one figure, attack and class; None if it has none.

    Args:
        rows: of the contrast; None if it is not there.
        metric: the figure.
        attack: a name, "chosen", or None for gaps and accuracies of models.
        label: the class; None is over all records.
    """
    found = (
        row
        for row in rows or ()
        if row["class"] == label and row["metric"] == metric and row["attack"] == attack
    )
    return next(found, None)


def _of_attacks(rows: Sequence[Row]) -> list[Row]:
    """The changes of accuracies over all records, of every attack by itself."""
    return [row for name, row in by_attack(rows).items() if name != CHOSEN]


def changes(rows: Sequence[Row], before: Target, after: Target) -> str:
    """What an adversary's choice, and each attack, gain from one target to another.

    Args:
        rows: of the contrast.
        before, after: its two sides.
    """
    where = f"From the {_side(before)} to the {_side(after)}, in this run, "
    row = pick(rows)
    policy = "" if row is None else f"what an adversary would choose changes by {told(row)}; "
    each = _of_attacks(rows)
    clear = sum(bool(one["clear"]) for one in each)
    return (
        f"{where}{policy}the same attack changes by {by_the_same_attack(rows)}, clearly for "
        f"{clear} of {len(each)}."
    )


def _side(target: Target) -> str:
    if target.model != "defended":
        return f"{target.model} model"
    who = "knows" if target.adversary == "adaptive" else "does not know"
    return f"defended model, whose adversary {who} the defence"


def named_classes(rows: Sequence[Row], metric: str, names: Sequence[str]) -> str:
    """Of which classes a gap became clearly larger or smaller, by name.

    Args:
        rows: of a contrast.
        metric: the gap.
        names: of the classes.
    """
    tested = [
        row
        for row in rows
        if row["class"] is not None and row["metric"] == metric and row["attack"] is None
    ]
    parts = []
    for word, sign in (("larger", 1), ("smaller", -1)):
        changed = [
            names[row["class"]] for row in tested if row["clear"] and row["difference"] * sign > 0
        ]
        if changed:
            parts.append(
                f"clearly {word} in {len(changed)} of {len(tested)} classes ({join(changed)})"
            )
    if not tested:
        return "not tested: every class has fewer than 10 members or non-members"
    return join(parts) if parts else f"clearly in none of {len(tested)} classes"


def by_the_same_attack(rows: Sequence[Row]) -> str:
    """The range of a change: "between -3.8 (Conf) and +3.0 points (RMIA, undecided)"."""
    each = _of_attacks(rows)
    if not each:
        return "not known"
    low, high = (pick_by(each, key=lambda r: r["difference"]) for pick_by in (min, max))
    if low is high:
        return f"{points(low['difference'])} ({_named(low)})"
    return (
        f"between {signed(100 * low['difference'], 1)} ({_named(low)}) and "
        f"{points(high['difference'])} ({_named(high)})"
    )


def _named(row: Row) -> str:
    """An attack, and the word of its difference where it is undecided: "RMIA, undecided"."""
    return label_of(row) if row["clear"] else f"{label_of(row)}, undecided"


def by_which(rows: Collection[Row]) -> str:
    """The attacks of some rows: "SAMIA", or "SAMIA, LiRA and SAMIA" if they differ."""
    labels = [label_of(row) for row in rows]
    return labels[0] if len(set(labels)) == 1 else join(labels)


def does(row: Row) -> str:
    """An attack's accuracy, its name, and whether it is more than guessing: "79.0 % (Conf)"."""
    word = ", not distinguishable from guessing" if is_guessing(row) else ""
    return f"{percent(row['accuracy'])} ({label_of(row)}{word})"


def chosen_attack(row: Row) -> str:
    """Which attack a headline is about, and why: "SAMIA, chosen beforehand"."""
    how = "chosen beforehand" if row["chosen"] else "the best after the fact"
    return f"{label_of(row)}, {'fixed by you' if row.get('fixed') else how}"


def by_who_knows(row: Row, policy: str) -> str:
    """What an adversary who knows the defence attacks with: the policy, or the attack that is fixed."""
    return f"{label_of(row)} by an adversary who knows it" if row.get("fixed") else policy


def in_contrast(row: Row) -> str:
    """Which attack of a contrast belongs to a headline: the policy, or the attack that is fixed."""
    return str(row["attack"]) if row.get("fixed") else CHOSEN


def after_the_fact(rows: Sequence[Row], chance: Row, lead: Row | None) -> str:
    """The attack that does best on the target itself, beside what chance makes of the best.

    Args:
        rows: all attacks on the target.
        chance: of ``Result.chance``.
        lead: how far the best is ahead of the next, see ``store.differences.lead``.
    """
    best = max(rows, key=lambda row: row["accuracy"])
    several = f"the best of {chance['attacks']} attacks" if chance["attacks"] > 1 else "the attack"
    return (
        f"After the fact, {label_of(best)} does best with {percent(best['accuracy'])}"
        f"{not_ahead_of_attack(lead)}; with permuted membership, {several} stays below "
        f"{percent(chance['null95'])} in 95 % of cases (p = {chance['p']:.2g})."
    )


def label_of(row: Row) -> str:
    """The label of a row's attack."""
    return ATTACKS[row["attack"]].label
