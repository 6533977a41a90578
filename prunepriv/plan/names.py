"""The names of steps. They are made and read here, and written out nowhere else.

A name is the step's kind, then what the step is about, separated by colons: "fit:samia:pruned",
"fine_tune:pruned:3". Models are numbered: 0 is the target, 1 and up are its shadows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, NamedTuple, cast, get_args

from prunepriv.options import Adversary, ModelKind

StepKind = Literal[
    "data", "split", "train", "fine_tune", "signals", "population", "confidences", "reference",
    "divergence", "size", "fit", "score", "evaluation", "contrast", "privacy", "checks",
]  # fmt: skip

OF_ONE_MODEL: frozenset[StepKind] = frozenset(
    ("split", "train", "fine_tune", "signals", "population", "confidences", "reference")
)
"""Kinds of step that a run has once for each model: their names end with its number."""


class Target(NamedTuple):
    """A model that is attacked, and its adversary."""

    model: ModelKind
    adversary: Adversary = "adaptive"


TARGET: Final = 0
"""The target's number."""

ASSUMED = "assumed:"
"""Prefix for the kind of shadow models that the adversary does not prune as the target was."""

MATCHED: Final = "matched"
"""The role under which a model is read whose kept epochs another is trained for."""

DATA: Final = "data"
CHECKS: Final = "checks"
"""Names of the steps that a run has once."""


def split_name(number: int = TARGET) -> str:
    """Name of the step that says which records a model uses."""
    return f"split:{number}"


def models_name(source: str, number: int = TARGET) -> str:
    """Name of the step that makes a model of a kind: "train:0", "fine_tune:pruned:3"."""
    return f"train:{number}" if source == "original" else f"fine_tune:{source}:{number}"


def signals_name(source: str, number: int = TARGET) -> str:
    """Name of the step that measures the signals of a model on its own records."""
    return f"signals:{source}:{number}"


def population_name(source: str, number: int = TARGET) -> str:
    """Name of the step that measures a model's confidence in the records of the shadow half."""
    return f"population:{source}:{number}"


def confidences_name(source: str, number: int) -> str:
    """Name of the step that measures a shadow's confidence in the target's records."""
    return f"confidences:{source}:{number}"


def reference_name(source: str, number: int) -> str:
    """Name of the step in which a shadow scores the target's records."""
    return f"reference:{source}:{number}"


def divergence_name(kind: ModelKind) -> str:
    """Name of the step that compares members with non-members."""
    return f"divergence:{kind}"


def size_name(kind: ModelKind) -> str:
    """Name of the step that counts what pruning left of the target."""
    return f"size:{kind}"


def fit_name(attack: str, source: str) -> str:
    """Name of the step that fits an attack on the shadows of a source."""
    return f"fit:{attack}:{source}"


def score_name(attack: str, target: Target) -> str:
    """Name of the step in which an attack scores a target."""
    return f"score:{attack}:{target.model}:{target.adversary}"


def evaluation_name(target: Target) -> str:
    """Name of the step that evaluates all attacks on a target."""
    return f"evaluation:{target.model}:{target.adversary}"


def contrast_name(before: Target, after: Target) -> str:
    """Name of the step that compares two targets: "contrast:original:control"."""
    return f"contrast:{_side(before)}:{_side(after)}"


def _side(target: Target) -> str:
    """A target's place in the name of a contrast."""
    return target.model if target.adversary == "adaptive" else "_".join(target)


def privacy_name(kind: ModelKind) -> str:
    """Name of the step that computes what private training guarantees."""
    return f"privacy:{kind}"


def assumed_name(name: str) -> str:
    """Name of the same step for the pruning that the adversary assumes: "train:assumed:3"."""
    kind, _, rest = name.partition(":")
    return f"{kind}:{ASSUMED}{rest}"


def score_role(attack: str) -> str:
    """The role under which an evaluation reads the scores of an attack."""
    return f"score:{attack}"


def fit_role(attack: str) -> str:
    """The role under which an evaluation reads the fit of an attack."""
    return f"fit:{attack}"


def attack_of_role(role: str) -> str | None:
    """The attack whose scores an evaluation reads under that role; None for another input."""
    kind, _, attack = role.partition(":")
    return attack if kind == "score" else None


def shadow_role(what: str, number: int) -> str:
    """The role under which a step reads something of a shadow: "signals:3"."""
    return f"{what}:{number}"


def shadow_of_role(role: str, what: str) -> int | None:
    """The number of the shadow of which a step reads `what` under that role; None for others."""
    kind, _, number = role.partition(":")
    return int(number) if kind == what and number.isdecimal() else None


@dataclass(frozen=True, slots=True)
class StepName:
    """The parts of a step's name.

    Attributes:
        kind: of the step.
        attack: of a fit or a score, else "".
        source: the models it is about: "pruned", "assumed:pruned", "assumed"; "" if it is about
            none.
        adversary: of a score or an evaluation, else "".
        number: of its model, where it is about one.
    """

    kind: StepKind
    attack: str = ""
    source: str = ""
    adversary: str = ""
    number: int | None = None

    @property
    def assumed(self) -> bool:
        """Whether it is about the pruning that the adversary assumes."""
        return f"{self.source}:".startswith(ASSUMED)

    @property
    def of_shadow(self) -> bool:
        """Whether it is about one shadow, not about the target and not about all models."""
        return self.number not in (None, TARGET)

    @property
    def source_words(self) -> str:
        """Its source for texts: "assumed pruned"."""
        return self.source.replace(":", " ").replace("_", " ")

    @property
    def rest(self) -> str:
        """The name without its kind: "samia:pruned:adaptive"."""
        number = "" if self.number is None else str(self.number)
        return ":".join(filter(None, (self.attack, self.source, self.adversary, number)))

    @property
    def words(self) -> str:
        """The same with spaces, for texts."""
        return self.rest.replace(":", " ")

    @property
    def group(self) -> str:
        """The name without the number of its model: "fine_tune:pruned"."""
        return ":".join(filter(None, (self.kind, self.attack, self.source, self.adversary)))


def step_words(name: str) -> str:
    """A step's name as people read it: "fit samia pruned", "train shadow 3"."""
    parts = read_name(name)
    whose = "" if parts.number is None else f" {model_words(parts.number)}"
    return parts.group.replace(":", " ").replace("_", " ") + whose


def model_words(number: int) -> str:
    """What the model of that number is called: "target", "shadow 3"."""
    return "target" if number == TARGET else f"shadow {number}"


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
    number = None
    if kind in OF_ONE_MODEL:
        rest, _, last = f":{rest}".rpartition(":")
        rest = rest.removeprefix(":")
        if not last.isdecimal():
            raise ValueError(f"no step is called {name!r}: the number of its model is missing")
        number = int(last)
    if kind in ("fit", "score"):
        attack, _, rest = rest.partition(":")
    if kind in ("score", "evaluation"):
        rest, _, adversary = rest.rpartition(":")
    return StepName(kind, attack, rest, adversary, number)
