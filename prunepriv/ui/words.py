"""Choices and times as people say them; numbers are in ``prunepriv.prose``."""

from __future__ import annotations

import math

from prunepriv.experiment import Experiment
from prunepriv.options import APPROACHES, DEFENSES, MODELS
from prunepriv.pipeline.plan import StepKind


def duration(seconds: float) -> str:
    """12.3 as "12 s", 200 as "3 min 20 s", 7300 as "2 h 2 min"."""
    whole = max(0, math.ceil(seconds) if seconds < 10 else round(seconds))
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest and minutes < 10 else f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60} min"


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
