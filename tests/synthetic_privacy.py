"""DP-SGD's guarantee in a synthetic run, with made-up epsilons; Opacus is not imported."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from prunepriv.experiment import completed
from prunepriv.experiment.parts import Defense
from prunepriv.plan import Step

STEPS_AN_EPOCH = 20


def private_training(step: Step, epochs: int) -> dict[str, Any] | None:
    """DP-SGD's guarantee, in the form that fine-tuning reports it."""
    if step.kind != "fine_tune":
        return None
    defense = completed(Defense, step.params["defense"])
    if defense["name"] != "dp_sgd":
        return None
    noise = defense["strength"]
    promise = {"epsilon": 1.6 / noise if noise else None, "delta": 1e-5, "noise_multiplier": noise}
    steps = STEPS_AN_EPOCH * epochs
    return {
        **promise, "clip": defense["clip"], "sample_rate": 0.1, "steps": steps,
        "covers": "fine_tune",
    }  # fmt: skip


def guarantee(told: Mapping[str, Any], epochs: int) -> dict[str, Any]:
    """Of all steps that may be taken: twice the epsilon of those that were.

    Args:
        told: :func:`private_training`.
        epochs: that fine-tuning may take; a made-up curve may be longer.
    """
    taken = told["epsilon"]
    budget = max(STEPS_AN_EPOCH * epochs, told["steps"])
    more = {"budget_steps": budget, "epsilon_of_steps": taken}
    return {**told, **more, "epsilon": None if taken is None else 2 * taken}
