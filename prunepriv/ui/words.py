"""Choices as people say them; numbers and times are in ``prunepriv.prose``."""

from __future__ import annotations

from prunepriv.experiment import Experiment
from prunepriv.options import APPROACHES, DEFENSES, MODELS
from prunepriv.pipeline.plan import StepKind
from prunepriv.prose import duration

__all__ = ["STEP_WORDS", "defense_of", "describe", "duration", "pruning_of"]


def pruning_of(experiment: Experiment) -> str:
    """What was removed: "L1 unstructured 60 %"."""
    return (
        f"{APPROACHES[experiment.pruning.approach].label} {100 * experiment.pruning.sparsity:g} %"
    )


def defense_of(experiment: Experiment) -> str:
    """What protected it: "PPB 4", or "no defence"."""
    if experiment.defense.name == "none":
        return "no defence"
    return f"{DEFENSES[experiment.defense.name].label} {experiment.defense.strength:g}"


def describe(experiment: Experiment) -> str:
    """A run in one line: what a reader needs to tell it from its neighbours."""
    parts = [
        experiment.data.option.label,
        MODELS[experiment.model.name].label,
        pruning_of(experiment),
        defense_of(experiment),
        f"seed {experiment.seed}",
    ]
    if experiment.data.limit is not None:
        parts.insert(1, f"first {experiment.data.limit:,} records")
    return " · ".join(parts)


STEP_WORDS: tuple[tuple[tuple[StepKind, ...], str], ...] = (
    (("data", "split"), "Read and split the data"),
    (("train",), "Train the target and its shadows"),
    (("fine_tune",), "Prune and fine-tune"),
    (("signals", "confidences", "divergence"), "Ask the models"),
    (("fit",), "Fit the attacks on the shadows"),
    (("score", "evaluation", "checks"), "Attack, evaluate and check"),
)
"""Stages of a run as people follow them, and the kinds of step in each."""
