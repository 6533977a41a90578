"""Fits and scores of attacks."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch

from prunepriv.attacks import (
    Attack,
    FitSettings,
    Queries,
    ReferenceAttack,
    ReferenceQueries,
    get_attack,
)
from prunepriv.pipeline.context import StepContext, Writer
from prunepriv.pipeline.held_out import Shadows, fit_alone, fit_compared
from prunepriv.signals import scaled_confidence
from prunepriv.store.artifacts import Draft


def fit(context: StepContext) -> Writer:
    """Fit an attack on the shadows, and judge it on records of theirs that it did not use.

    The step reads nothing else.
    """
    name = context.params["attack"]
    attack = get_attack(name)
    if isinstance(attack, ReferenceAttack):
        tables = context.of_shadows("shadow", "population")
        fitted, estimate = fit_compared(
            name, attack, tables, context.params["seed"], context.report
        )
    else:
        shadows = Shadows(context.of_shadows("shadow", "signals"), context.params["seed"])
        fitted, estimate = fit_alone(name, attack, shadows, _settings(context), context.report)

    def write(draft: Draft) -> None:
        draft.tensors("fit", fitted)
        draft.json("estimate", estimate)

    return write


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


def _settings(context: StepContext) -> FitSettings:
    return FitSettings(recipe=context.params.get("recipe", "fast"), seed=context.params["seed"])


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
