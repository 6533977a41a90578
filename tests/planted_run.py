"""Finished runs whose differences are known: none, clear ones, and ones that nothing decides.

As synthetic_run.py, but what models and attacks say of the target's records is planted. All models of
a run share the records' noise, so that paired differences are as planted::

    write_planted_run(store, experiment, "undecided")
"""

from __future__ import annotations

from typing import Literal, get_args
from unittest.mock import patch

import numpy as np
from scipy.special import softmax

from prunepriv.experiment import Experiment
from prunepriv.experiment.sweep import value_of
from prunepriv.options import ModelKind
from prunepriv.plan import Step, read_name
from prunepriv.seeding import derive
from prunepriv.store.artifacts import ArtifactStore, Draft
from prunepriv.store.result import Result
from tests import synthetic_run

Planted = Literal["null", "clear", "undecided"]
PLANTED: tuple[Planted, ...] = get_args(Planted)
"""Null: members are like non-members, in all models alike. Clear: all models differ by far.
Undecided: members differ from non-members, and the models differ by noise alone."""

LEVELS = {
    "original": 0.7,
    "control": 1.5,
    "control_matched": 1.6,
    "pruned": 3.0,
    "defended": 1.8,
    "non_adaptive": 0.8,
}
"""Of a clear run: how far members are from non-members, in standard deviations."""

STRENGTHS = {"conf": 0.8, "top1_conf": 0.6, "samia": 1.2}
"""Of a clear run's attacks; in every run the adversaries expect most of the last one."""

WRONG = 0.5
"""Of a clear run: the level's share that is left to an adversary who is wrong about the pruning, and
of models that were trained for few epochs."""

FEW_EPOCHS = 5


def write_planted_run(store: ArtifactStore, experiment: Experiment, what: Planted) -> None:
    """Write every artifact of a run, with the figures that are planted."""

    def score(draft: Draft, step: Step, result: Result, rng: np.random.Generator) -> None:
        _score(draft, step, result, what)

    def draw(
        kind: ModelKind,
        label: np.ndarray,
        member: np.ndarray,
        classes: int,
        rng: np.random.Generator,
    ) -> dict[str, np.ndarray]:
        return _signals(kind, label, member, classes, experiment, what)

    with (
        patch.dict(synthetic_run.WRITERS, {"score": score, "fit": _fit}),
        patch.object(synthetic_run, "_draw", draw),
    ):
        rng = np.random.default_rng(experiment.seed)
        synthetic_run.write_synthetic_run(store, experiment, rng)


def _level(who: str, experiment: Experiment, what: Planted) -> float:
    """How far members are from non-members."""
    if what != "clear":
        return 0.0 if what == "null" else 1.5
    level = LEVELS[who]
    if who == "pruned":
        level *= experiment.pruning.sparsity / 0.7
        if experiment.training.epochs <= FEW_EPOCHS:
            level *= WRONG
        if value_of(experiment, "knowledge.sparsity") != experiment.pruning.sparsity:
            level *= WRONG
    return level


def _noise(
    experiment: Experiment, what: Planted, who: str, member: np.ndarray, *purpose: str
) -> np.ndarray:
    """(n,) of the records; in an undecided run each model adds some that hardly moves a mean."""
    n = len(member)
    shared = np.random.default_rng(derive(experiment.seed, *purpose)).normal(size=n)
    if what != "undecided":
        return shared
    setting = f"{who} {experiment.pruning} {experiment.training} {experiment.knowledge}"
    own = np.random.default_rng(derive(experiment.seed, setting, *purpose)).normal(size=n)
    for group in (member, ~member):  # what one record gains, the next one like it loses
        place = np.flatnonzero(group)[np.argsort(shared[group])]
        own[place[1::2]] = -own[place[: len(place) // 2 * 2 : 2]]
    return np.asarray(shared + 0.3 * own)


def _signals(
    kind: ModelKind,
    label: np.ndarray,
    member: np.ndarray,
    classes: int,
    experiment: Experiment,
    what: Planted,
) -> dict[str, np.ndarray]:
    """Of one model: the true class leads by more on members, and by less on non-members."""
    n, level = len(label), _level(kind, experiment, what)
    lead = 3.0 + np.where(member, level, -0.4 * level)
    lead += _noise(experiment, what, kind, member, "lead")
    if what == "clear":  # the first class leaks most by far, and the second least
        lead += np.where(member, 1, -1) * (3.0 * (label == 0) - 2.0 * (label == 1))
    rng = np.random.default_rng(derive(experiment.seed, "logits"))
    logits = rng.normal(0, 1, (n, classes))
    logits[np.arange(n), label] = lead
    p = softmax(logits, axis=1)
    sensitivity = p * (1 - p) * rng.gamma(20.0, 0.05, p.shape)
    return {"logits": logits.astype(np.float32), "sensitivity": sensitivity.astype(np.float32)}


def _fit(draft: Draft, step: Step, result: Result, rng: np.random.Generator) -> None:
    synthetic_run.write_fit(draft, step, STRENGTHS[step.params["attack"]] / 1.5)


def _score(draft: Draft, step: Step, result: Result, what: Planted) -> None:
    """Members score higher by the level; the threshold is halfway."""
    name, experiment = read_name(step.name), result.experiment
    signals = result.signals(name.source)  # type: ignore[arg-type]
    assert signals is not None
    who = "non_adaptive" if name.adversary == "non_adaptive" else name.source
    strength = STRENGTHS[name.attack] if what == "clear" else 1.0
    level = strength * _level(who, experiment, what)
    score = level * signals.member
    score = score + _noise(experiment, what, who, signals.member, "score", name.attack)
    decision = score >= level / 2
    draft.tensors("score", {"score": score, "decision": decision.astype(np.uint8)})
    draft.json("thresholds", [level / 2])
