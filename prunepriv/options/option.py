"""The types of everything that can be chosen, and how an option is found by its name."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeVar, get_args

from prunepriv.errors import UnknownNameError

ModelKind = Literal["original", "control", "control_matched", "pruned", "defended"]
MODEL_KINDS: tuple[ModelKind, ...] = get_args(ModelKind)
UNPRUNED: tuple[ModelKind, ...] = ("original", "control", "control_matched")
ON_REQUEST: frozenset[ModelKind] = frozenset({"control_matched"})
"""Kinds that "all" leaves out: they are attacked only where they are named."""
MODEL_KIND_SUMMARIES: dict[ModelKind, str] = {
    "original": "trained, never pruned",
    "control": "not pruned, but fine-tuned by the same rule as the pruned model",
    "control_matched": "not pruned, but fine-tuned for as many epochs as were kept of the pruned model",
    "pruned": "pruned, then fine-tuned without a defence",
    "defended": "pruned, then fine-tuned with the defence",
}

Adversary = Literal["adaptive", "non_adaptive"]
ADVERSARIES: tuple[Adversary, ...] = ("adaptive", "non_adaptive")


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """A name that can be chosen, and what users should know about it."""

    name: str
    label: str
    summary: str
    """One plain sentence."""
    source: str = ""
    """The paper or place that it comes from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Knob(Option):
    """A number that is a setting of a bundled generator."""

    default: float
    low: float
    high: float
    step: float


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetOption(Option):
    kind: Literal["tabular", "image"]
    records: int
    shape: tuple[int, ...]
    """(features,) or (channels, height, width)."""
    classes: int
    class_names: tuple[str, ...] = ()
    knobs: tuple[Knob, ...] = ()
    download: str = ""
    """Size of the download, "0.3 MB" for example; empty if the data set is bundled."""

    @property
    def class_labels(self) -> tuple[str, ...]:
        """Names of the classes, in order; "Group 1", "Group 2" and so on if they have none."""
        return self.class_names or tuple(f"Group {number + 1}" for number in range(self.classes))

    @property
    def bundled(self) -> bool:
        """Whether it comes with the program."""
        return not self.download


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelOption(Option):
    serves: Literal["tabular", "image"]
    layers: frozenset[str]
    """Kinds of layer that it has, of "linear", "conv", "batch_norm": what approaches can prune."""
    epochs: int
    """Default for the most epochs of training (assets/method.md#training)."""
    private: bool = False
    """Whether DP-SGD can keep one gradient per record of a batch in memory."""
    stacked: int = 1
    """The most models that one worker trains together: more than 1 for small networks only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApproachOption(Option):
    needs: frozenset[str]
    """The model must have at least one layer of these kinds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DefenseOption(Option):
    strength: str = ""
    """Label of its strength, "Weight λ" for example; empty if it has none."""
    default_strength: float = 0.0
    low: float = 0.0
    high: float = 0.0
    step: float = 1.0
    alone: bool = False
    """Whether every model is trained alone, never in a stack."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttackOption(Option):
    kind: Literal["threshold", "network", "reference"]
    """How it learns from shadows: by thresholds, by a network, or for each record from the answers
    of models that were not trained on it."""
    score: str
    """Its score as a formula in plain text; the score is high for members."""
    needs: str
    """What the adversary needs, in addition to shadow models."""
    fitted: str
    """What is fitted on shadows; the end of a sentence."""
    fixed: str
    """What its score and its verdict use that is not fitted."""
    fast_records: int = sys.maxsize
    """The most shadow records that the recipe `fast` fits it on; of more, it draws a sample."""
    fast_tokens: int = sys.maxsize
    """The same in tokens: a record has one for each class."""
    sensitivity: bool = False
    """Whether it reads prediction sensitivity, which takes ten more queries per record."""
    strength: int = 99
    """Its place in the fixed order of strength that decides between equals; 1 is the strongest, and
    an attack that was not measured comes last."""

    def most_records(self, classes: int) -> int:
        """The most shadow records that the recipe `fast` fits it on."""
        return min(self.fast_records, self.fast_tokens // classes)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipeOption(Option):
    pass


def records_of_fit(available: int, most: int, recipe: str) -> int:
    """How many of the available shadow records an attack is fitted on.

    Args:
        available: those that a fit may use.
        most: of :meth:`AttackOption.most_records`.
        recipe: `fast` draws a sample of more records than that; `paper` uses all of them.
    """
    return available if recipe == "paper" else min(available, most)


AnyOption = TypeVar("AnyOption", bound=Option)


def table(*options: AnyOption) -> dict[str, AnyOption]:
    """A table of options by name; a name that is listed twice is an error at import."""
    named = {option.name: option for option in options}
    if len(named) != len(options):
        raise RuntimeError(f"a name is listed twice: {[option.name for option in options]}")
    return named


def lookup(options: Mapping[str, AnyOption], name: str, what: str) -> AnyOption:
    """The option of this name.

    Raises:
        UnknownNameError: no such name; the message lists the known ones.
    """
    try:
        return options[name]
    except KeyError:
        known = ", ".join(options)
        raise UnknownNameError(f"unknown {what} {name!r}: choose one of {known}") from None
