"""The figures of the attacks on a target, and the differences between two targets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from prunepriv.evaluation import (
    CHOSEN,
    CLASS_PERMUTATIONS,
    METRICS,
    PERMUTATIONS,
    PRIORS,
    RESAMPLES,
    Chance,
    Confusion,
    Difference,
    Draws,
    Estimate,
    by_class,
    chance,
    chosen,
    decisions,
    evaluate,
    figure_of,
    paired,
    precision_at,
    resample,
)
from prunepriv.pipeline.context import StepContext, Writer
from prunepriv.plan import attack_of_role, fit_role
from prunepriv.seeding import derive
from prunepriv.store.artifacts import Draft
from prunepriv.store.signals import TargetSignals

FEW = (
    "a tenth of the shadow records, kept from every fit, holds no members or no non-members: "
    "use more records or more shadows"
)
"""Why no attack can be chosen beforehand."""

GAPS = ("confidence", "sensitivity", "generalization")


class _Attacked:
    """A target, and the scores and verdicts of all its attacks.

    Args:
        context: of the step.
        side: prefix of its inputs' roles.
    """

    def __init__(self, context: StepContext, side: str = "") -> None:
        tables = context.arrays(f"{side}signals", "signals")
        self.signals = TargetSignals.from_arrays(tables)
        self.member = self.signals.member
        self.scores: dict[str, np.ndarray] = {}
        self.verdicts: dict[str, np.ndarray] = {}
        for role in context.inputs:
            attack = attack_of_role(role.removeprefix(side))
            if role.startswith(side) and attack is not None:
                table = context.arrays(role, "score")
                self.scores[attack] = table["score"]
                self.verdicts[attack] = table["decision"].astype(bool)


def evaluation(context: StepContext) -> Writer:
    """The figures of every attack on a target, the attack chosen beforehand, and chance."""
    seed = context.params["seed"]
    attacked = _Attacked(context)
    draws = _draws(attacked.member, seed)
    resampled = resample(
        {name: (attacked.scores[name], said) for name, said in attacked.verdicts.items()}, draws
    )
    by_chance = chance(
        np.stack(list(attacked.verdicts.values())),
        attacked.member,
        np.random.default_rng(derive(seed, "permuted membership")),
        PERMUTATIONS,
    )
    known = {name: context.inputs[fit_role(name)].json("estimate") for name in attacked.scores}
    rng = np.random.default_rng(derive(seed, "precision"))
    rows = []
    for place, (name, score) in enumerate(attacked.scores.items()):
        figures = evaluate(score, attacked.verdicts[name], draws, resampled[name])
        rows.append(
            {
                "attack": name,
                **figures.to_dict(),
                "p": float(by_chance.of_each[place]),
                **_estimated(known[name]),
                "precision_at_prior": _precision(attacked, name, known[name], rng),
            }
        )
    choice = _choice(list(attacked.scores), known, by_chance)

    def write(draft: Draft) -> None:
        draft.json("evaluation", rows)
        draft.json("choice", choice)
        draft.json("chance", _told(by_chance, len(rows)))
        draft.tensors("resamples", _columns(resampled))

    return write


def contrast(context: StepContext) -> Writer:
    """Paired differences from one target to another, attack by attack and class by class."""
    before, after = _Attacked(context, "from:"), _Attacked(context, "to:")
    pairs = list(_pairs(context, before, after))
    one_model = context.inputs["from:signals"].key == context.inputs["to:signals"].key
    effects = {} if one_model else _effects(before.signals, after.signals)
    rows = [
        *_whole(context, pairs),
        *_gaps(effects, before.member, context.params["seed"]),
        *_classes(pairs, effects, before, after, context.params["seed"]),
    ]
    return lambda draft: draft.json("contrast", rows)


def _draws(member: np.ndarray, seed: int) -> Draws:
    """The same for every target of a run, because all have the same records."""
    return Draws.of_run(member, seed, RESAMPLES)


def _estimated(known: Mapping[str, Any] | None) -> dict[str, float | None]:
    """What the attack's adversary expects of it."""
    if known is None:
        return {"estimate": None, "standard_error": None}
    return {"estimate": known["accuracy"], "standard_error": known["standard_error"]}


def _precision(
    attacked: _Attacked, name: str, known: Mapping[str, Any] | None, rng: np.random.Generator
) -> dict[str, dict[str, dict[str, Any] | None]]:
    """By prior: at the attack's own threshold, and where 1 % of shadow non-members are accused."""
    counts: dict[str, Confusion | None] = {
        "balanced": decisions(attacked.verdicts[name], attacked.member),
        "low_fpr": None
        if known is None
        else decisions(attacked.scores[name] > known["low_fpr_limit"], attacked.member),
    }
    return {
        f"{prior:g}": {
            threshold: None if found is None else _precision_row(prior, found, rng)
            for threshold, found in counts.items()
        }
        for prior in PRIORS
    }


def _precision_row(prior: float, counts: Confusion, rng: np.random.Generator) -> dict[str, Any]:
    value, ci95 = precision_at(prior, counts, rng)
    return {"value": value, "ci95": list(ci95)}


def _choice(
    names: list[str], known: Mapping[str, Mapping[str, Any] | None], by_chance: Chance
) -> dict[str, Any]:
    """The chosen attack, or why there is none."""
    estimates = [
        Estimate(name, one["accuracy"], one["standard_error"])
        for name in names
        if (one := known[name]) is not None
    ]
    best = chosen(estimates)
    if best is None:
        return {"attack": None, "estimate": None, "standard_error": None, "p": None, "why": FEW}
    return {
        "attack": best.attack,
        "estimate": best.accuracy,
        "standard_error": best.standard_error,
        "p": float(by_chance.alone[names.index(best.attack)]),
        "why": None,
    }


def _told(by_chance: Chance, attacks: int) -> dict[str, Any]:
    return {
        "attacks": attacks,
        "best": by_chance.best,
        "null95": by_chance.null95,
        "p": by_chance.p,
    }


def _columns(resampled: Mapping[str, Mapping[str, np.ndarray]]) -> dict[str, np.ndarray]:
    return {
        f"{name}.{metric}": values
        for name, metrics in resampled.items()
        for metric, values in metrics.items()
    }


# --- contrasts ---


def _row(
    attack: str | None, metric: str, which: int | None, difference: Difference
) -> dict[str, Any]:
    row: dict[str, Any] = {
        "attack": attack,
        "metric": metric,
        "class": which,
        "difference": difference.value,
        "ci95": list(difference.ci95),
        "clear": difference.clear,
    }
    return row if difference.p is None else {**row, "p": difference.p}


_Pair = tuple[str, str, str]


def _pairs(context: StepContext, before: _Attacked, after: _Attacked) -> Iterator[_Pair]:
    """What is compared: its name, and the attack on each side."""
    for attack in before.scores:
        if attack in after.scores:
            yield attack, attack, attack
    choices = [context.inputs[side].json("choice")["attack"] for side in ("from", "to")]
    if None not in choices:
        yield CHOSEN, choices[0], choices[1]


def _whole(context: StepContext, pairs: Sequence[_Pair]) -> Iterator[dict[str, Any]]:
    """Each attack's figures over all records."""
    figures = [
        {row["attack"]: row for row in context.inputs[side].json("evaluation")}
        for side in ("from", "to")
    ]
    drawn = [context.arrays(side, "resamples") for side in ("from", "to")]
    for name, one, other in pairs:
        for metric in METRICS:
            values = [
                figure_of(rows[attack], metric)
                for rows, attack in zip(figures, (one, other), strict=True)
            ]
            change = drawn[1][f"{other}.{metric}"] - drawn[0][f"{one}.{metric}"]
            yield _row(name, metric, None, paired(values[0], values[1], change))


def _gaps(
    effects: Mapping[str, np.ndarray], member: np.ndarray, seed: int
) -> Iterator[dict[str, Any]]:
    """How models differ, whoever attacks them; nothing where both sides are one model."""
    if not effects:
        return
    ours, theirs = _draws(member, seed).means(np.stack([effects[name] for name in GAPS], 1))
    for column, name in enumerate(GAPS):
        change = ours[:, column] - theirs[:, column]
        inside, outside = effects[name][member], effects[name][~member]
        yield _row(None, name, None, paired(0.0, float(inside.mean() - outside.mean()), change))
    right = effects["generalization"][~member]
    change = theirs[:, GAPS.index("generalization")]
    yield _row(None, "non_member_accuracy", None, paired(0.0, float(right.mean()), change))


def _effects(before: TargetSignals, after: TargetSignals) -> dict[str, np.ndarray]:
    """(n,) what each signal of a record changes by."""
    return {
        "confidence": after.confidence - before.confidence,
        "sensitivity": after.label_sensitivity.astype(np.float64) - before.label_sensitivity,
        "generalization": after.correct.astype(np.float64) - before.correct,
    }


def _classes(
    pairs: Sequence[_Pair],
    gaps: Mapping[str, np.ndarray],
    before: _Attacked,
    after: _Attacked,
    seed: int,
) -> Iterator[dict[str, Any]]:
    """Accuracies of attacks and gaps, class by class."""
    verdicts = {
        name: after.verdicts[other].astype(np.float64) - before.verdicts[one]
        for name, one, other in pairs
    }
    found = by_class(
        {**verdicts, **gaps},
        dict.fromkeys(verdicts, 0.5) | dict.fromkeys(gaps, 1.0),
        before.member,
        before.signals.label,
        derive(seed, "classes"),
        resamples=RESAMPLES,
        permutations=CLASS_PERMUTATIONS,
    )
    for name, of_classes in found.items():
        attack, metric = (None, name) if name in gaps else (name, "accuracy")
        for which, difference in of_classes.items():
            yield _row(attack, metric, which, difference)
