"""The names of steps. They are made and read here, and written out nowhere else.

A name is the step's kind, then what the step is about, separated by colons: "fit:samia:pruned".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, NamedTuple, cast, get_args

from prunepriv.options import Adversary, ModelKind

StepKind = Literal[
    "data", "split", "train", "fine_tune", "signals", "confidences", "reference", "divergence",
    "fit", "score", "evaluation", "checks",
]  # fmt: skip


class Target(NamedTuple):
    """A model that is attacked, and its adversary."""

    model: ModelKind
    adversary: Adversary = "adaptive"


ASSUMED = "assumed:"
"""Prefix for the kind of shadow models that the adversary does not prune as the target was."""

DATA: Final = "data"
SPLIT: Final = "split"
TRAIN: Final = "train"
CHECKS: Final = "checks"
"""Names of the steps that a run has once."""


def models_name(source: str) -> str:
    """Name of the step that makes the models of a kind: "train", "fine_tune:pruned"."""
    return TRAIN if source == "original" else f"fine_tune:{source}"


def signals_name(source: str) -> str:
    """Name of the step that measures the signals of a kind of model."""
    return f"signals:{source}"


def confidences_name(source: str) -> str:
    """Name of the step that measures what reference attacks read."""
    return f"confidences:{source}"


def divergence_name(kind: ModelKind) -> str:
    """Name of the step that compares members with non-members."""
    return f"divergence:{kind}"


def fit_name(attack: str, source: str) -> str:
    """Name of the step that fits an attack on the shadows of a source."""
    return f"fit:{attack}:{source}"


def score_name(attack: str, target: Target) -> str:
    """Name of the step in which an attack scores a target."""
    return f"score:{attack}:{target.model}:{target.adversary}"


def evaluation_name(target: Target) -> str:
    """Name of the step that evaluates all attacks on a target."""
    return f"evaluation:{target.model}:{target.adversary}"


def assumed_name(name: str) -> str:
    """Name of the same step for the pruning that the adversary assumes: "signals:assumed:pruned"."""
    kind, _, rest = name.partition(":")
    return f"{kind}:{ASSUMED}{rest}".removesuffix(":")


def reference_name(kind: ModelKind) -> str:
    """Name of the step in which every shadow scores the target's records."""
    return f"reference:{kind}"


def score_role(attack: str) -> str:
    """The role under which an evaluation reads the scores of an attack."""
    return f"score:{attack}"


def attack_of_role(role: str) -> str | None:
    """The attack whose scores an evaluation reads under that role; None for another input."""
    kind, _, attack = role.partition(":")
    return attack if kind == "score" else None


@dataclass(frozen=True, slots=True)
class StepName:
    """The parts of a step's name.

    Attributes:
        kind: of the step.
        attack: of a fit or a score, else "".
        source: the models it is about: "pruned", "assumed:pruned", "assumed"; "" if it is about
            none.
        adversary: of a score or an evaluation, else "".
    """

    kind: StepKind
    attack: str = ""
    source: str = ""
    adversary: str = ""

    @property
    def assumed(self) -> bool:
        """Whether it is about the pruning that the adversary assumes."""
        return f"{self.source}:".startswith(ASSUMED)

    @property
    def rest(self) -> str:
        """The name without its kind: "samia:pruned:adaptive"."""
        return ":".join(filter(None, (self.attack, self.source, self.adversary)))

    @property
    def words(self) -> str:
        """The same with spaces, for texts."""
        return self.rest.replace(":", " ")


def step_words(name: str) -> str:
    """A step's name as people read it: "fit samia pruned"."""
    return name.replace(":", " ").replace("_", " ")


def read_name(name: str) -> StepName:
    """Split a step's name into its parts.

    Raises:
        ValueError: no step has that name.
    """
    word, _, rest = name.partition(":")
    if word not in get_args(StepKind):
        raise ValueError(f"no step is called {name!r}")
    kind = cast(StepKind, word)
    attack = adversary = ""
    if kind in ("fit", "score"):
        attack, _, rest = rest.partition(":")
    if kind in ("score", "evaluation"):
        rest, _, adversary = rest.rpartition(":")
    return StepName(kind, attack, rest, adversary)
