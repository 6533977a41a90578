"""Fits, scores and evaluations of attacks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch

from prunepriv.attacks import (
    Attack,
    FitSettings,
    PooledShadows,
    Queries,
    ReferenceAttack,
    ReferenceQueries,
    ReferenceShadows,
    get_attack,
)
from prunepriv.evaluation import evaluate
from prunepriv.pipeline.context import StepContext, Writer
from prunepriv.plan import attack_of_role
from prunepriv.seeding import derive
from prunepriv.signals import scaled_confidence
from prunepriv.store.artifacts import Draft


def fit(context: StepContext) -> Writer:
    """Fit an attack on the shadows; the step reads nothing else."""
    attack = get_attack(context.params["attack"])
    if isinstance(attack, ReferenceAttack):
        tables = context.of_shadows("shadow", "population")
        fitted = attack.fit(ReferenceShadows.from_arrays(tables), context.report)
    else:
        shadows = pooled(context.of_shadows("shadow", "signals"))
        fitted = attack.fit(shadows, _settings(context), context.report)
    return lambda draft: draft.tensors("fit", fitted)


def pooled(shadows: Sequence[Mapping[str, np.ndarray]]) -> PooledShadows:
    """Records of all shadow models, from ``signals.safetensors`` of each one's artifact."""
    joined = {name: np.concatenate([one[name] for one in shadows]) for name in shadows[0]}
    queries = Queries(joined["logits"], joined.get("sensitivity"), joined["label"])
    return PooledShadows(queries, joined["member"].astype(bool))


def score(context: StepContext) -> Writer:
    """An attack's scores of the target's records, and its verdicts."""
    attack = get_attack(context.params["attack"])
    fitted = context.arrays("fit", "fit")
    if isinstance(attack, ReferenceAttack):
        scores, decision = _compare(context, attack, fitted)
    else:
        scores, decision = _score_alone(context, attack, fitted)

    def write(draft: Draft) -> None:
        draft.tensors("score", {"score": scores, "decision": decision.astype(np.uint8)})
        draft.json("thresholds", fitted["thresholds"].tolist())

    return write


def evaluation(context: StepContext) -> Writer:
    """The figures of every attack on a target."""
    member = context.arrays("signals", "signals")["member"].astype(bool)
    rows = []
    for role, artifact in context.inputs.items():
        attack = attack_of_role(role)
        if attack is None:
            continue
        table = artifact.tensors("score")
        rng = np.random.default_rng(derive(context.params["seed"], "bootstrap", attack))
        figures = evaluate(table["score"], table["decision"].astype(bool), member, rng)
        rows.append({"attack": attack, **figures.to_dict()})
    return lambda draft: draft.json("evaluation", rows)


def _settings(context: StepContext) -> FitSettings:
    return FitSettings(
        recipe=context.params.get("recipe", "fast"), seed=context.params.get("seed", 0)
    )


def _score_alone(
    context: StepContext, attack: Attack, fitted: Mapping[str, np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """Scores and verdicts from the target's signals only."""
    tables = context.arrays("signals", "signals")
    queries = Queries(tables["logits"], tables["sensitivity"], tables["label"])
    scores = attack.score(fitted, queries)
    return scores, attack.decide(fitted, queries, scores)


def _compare(
    context: StepContext, attack: ReferenceAttack, fitted: Mapping[str, np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """Scores and verdicts from the confidences of the target and of its reference models."""
    own = context.arrays("signals", "signals")
    queries = ReferenceQueries.from_arrays(
        phi=scaled_confidence(*map(torch.from_numpy, (own["logits"], own["label"])))
        .float()
        .numpy(),
        population_phi=context.arrays("population", "population")["phi"],
        confidences=context.of_shadows("confidences", "confidences"),
        populations=context.of_shadows("population", "population"),
    )
    scores = attack.score(fitted, queries)
    return scores, attack.decide(fitted, queries, scores)
