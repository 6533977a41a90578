"""The choices of an experiment in words; numbers and times are in ``prunepriv.prose``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from prunepriv.experiment import Experiment
from prunepriv.options import APPROACHES, DEFENSES, MODELS
from prunepriv.plan import StepKind
from prunepriv.prose import count, duration

STRENGTH_SIGNS: Mapping[str, str] = {"dp_sgd": "\N{GREEK SMALL LETTER SIGMA} "}
"""Symbol before a strength that has one."""

__all__ = ["STEP_WORDS", "defense_of", "describe", "duration", "pruning_of"]


def pruning_of(experiment: Experiment) -> str:
    """The pruning in words: "L1 unstructured 60 %"."""
    return (
        f"{APPROACHES[experiment.pruning.approach].label} {100 * experiment.pruning.sparsity:g} %"
    )


def defense_of(experiment: Experiment) -> str:
    """The defence in words: "PPB 4", "DP-SGD σ 1", "label smoothing 0.1", or "no defence"."""
    if experiment.defense.name == "none":
        return "no defence"
    name, sign = defense_name(experiment), STRENGTH_SIGNS.get(experiment.defense.name, "")
    return f"{name} {sign}{experiment.defense.strength:g}"


def defense_name(experiment: Experiment) -> str:
    """The defence's name inside a sentence; abbreviations keep their capitals."""
    label = DEFENSES[experiment.defense.name].label
    return label if label[1:2].isupper() else label[0].lower() + label[1:]


def size_of(architecture: Mapping[str, Any]) -> str:
    """The size of a network, from a report's "architecture"; numbers that are missing are left out."""
    told = f"{count(architecture['parameters'])} parameters"
    multiplications = architecture.get("multiplications")
    if multiplications is None:
        return told
    return f"{told}, {count(multiplications)} multiplications per record"


def describe(experiment: Experiment) -> str:
    """A run in one line, with the settings that distinguish it from other runs."""
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
    (("signals", "population", "confidences", "divergence", "size"), "Score the models"),
    (("fit",), "Fit the attacks on the shadows"),
    (("score", "evaluation", "contrast", "privacy", "checks"), "Attack, evaluate and check"),
)
"""Stages of a run as its progress shows them, and the kinds of step in each."""
