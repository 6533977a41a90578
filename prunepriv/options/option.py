"""What can be said of anything that can be chosen, and how it is looked up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeVar

from prunepriv.errors import UnknownNameError

ModelKind = Literal["original", "control", "pruned", "defended"]
MODEL_KINDS: tuple[ModelKind, ...] = ("original", "control", "pruned", "defended")
MODEL_KIND_SUMMARIES: dict[ModelKind, str] = {
    "original": "trained, never pruned",
    "control": "not pruned, but fine-tuned exactly as the pruned model was",
    "pruned": "pruned, then fine-tuned without a defence",
    "defended": "pruned, then fine-tuned with the defence",
}

Adversary = Literal["adaptive", "non_adaptive"]
ADVERSARIES: tuple[Adversary, ...] = ("adaptive", "non_adaptive")


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """A name that can be chosen, and what people should know of it."""

    name: str
    label: str
    summary: str
    """One plain sentence."""
    source: str = ""
    """Paper or place it comes from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Knob(Option):
    """A number that a bundled generator understands."""

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
    """How much has to be downloaded once, "0.3 MB" for example; nothing for what is bundled."""

    @property
    def bundled(self) -> bool:
        """Whether it comes with the program."""
        return not self.download


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelOption(Option):
    serves: Literal["tabular", "image"]
    layers: frozenset[str]
    """Kinds of layer it holds, of "linear", "conv", "batch_norm": what approaches can prune."""
    epochs: int
    """Most training epochs unless the user says otherwise (assets/method.md#training)."""
    private: bool = False
    """Whether DP-SGD can hold a gradient of each record of a batch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApproachOption(Option):
    needs: frozenset[str]
    """The model must hold one layer of these kinds at least."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DefenseOption(Option):
    strength: str = ""
    """What its strength is, for a label: "Weight λ"; empty where it has none."""
    default_strength: float = 0.0
    low: float = 0.0
    high: float = 0.0
    step: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class AttackOption(Option):
    kind: Literal["threshold", "network", "reference"]
    """How it learns from shadows: thresholds, a network, or record by record from what models say
    that were not trained on it."""
    score: str
    """What its score is, high for members, as a formula in plain text."""
    needs: str
    """What the adversary must be able to do, beside training shadow models."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipeOption(Option):
    pass


AnyOption = TypeVar("AnyOption", bound=Option)


def table(*options: AnyOption) -> dict[str, AnyOption]:
    """A table by name; a name listed twice is a mistake of ours, found at import."""
    named = {option.name: option for option in options}
    if len(named) != len(options):
        raise RuntimeError(f"a name is listed twice: {[option.name for option in options]}")
    return named


def lookup(options: Mapping[str, AnyOption], name: str, what: str) -> AnyOption:
    """The option of that name.

    Raises:
        UnknownNameError: no such name; the sentence lists the known ones.
    """
    try:
        return options[name]
    except KeyError:
        known = ", ".join(options)
        raise UnknownNameError(f"unknown {what} {name!r}: choose one of {known}") from None
