"""Every setting of an experiment in one table: its option, its label and its address.

The options of ``run``, the command line that is printed beside every figure, the form of the Run
page, the axes of a sweep and the reference's table are loops over SETTINGS. The meaning of a
setting, its bounds and its users are at its field, in ``parts``.

A new setting is a field in ``parts``, a row here, and the code that uses it.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pydantic.fields import FieldInfo

from prunepriv.errors import ExperimentError
from prunepriv.experiment.defaults import PARTS, choice_of
from prunepriv.experiment.experiment import Experiment
from prunepriv.experiment.used_by import Choice, UsedBy, used_by
from prunepriv.options import (
    APPROACHES,
    ATTACKS,
    DATASETS,
    DEFENSES,
    MODEL_KINDS,
    MODELS,
    RECIPES,
    Option,
)


@dataclass(frozen=True, kw_only=True)
class Setting:
    """A field of an experiment, and its names for users.

    Attributes:
        path: its dotted name in the experiment, which is also its name in a sweep.
        option: of ``run``.
        label: on the form and above charts.
        noun: within a sentence, if that is not the label in small letters.
        address: its key on the form and in the page's URL; its option's name if left out.
        table: the options to choose from, if it is a name.
        always_told: whether a command line also names it if it has its default.
        zero: what 0 means, if the setting may have no value: "never stop early".
        percent: whether it is shown in per cent.
        step: the step of the form's control.
        otherwise: its default in words, if that depends on other choices.
    """

    path: str
    option: str
    label: str
    noun: str = ""
    address: str = ""
    table: Mapping[str, Option] | None = None
    always_told: bool = False
    zero: str = ""
    percent: bool = False
    step: float = 1.0
    otherwise: str = ""

    @property
    def name(self) -> str:
        """Its option without dashes: an argument's name."""
        return self.option.removeprefix("--").replace("-", "_")

    @property
    def key(self) -> str:
        """Its key on the form and in the URL."""
        return self.address or self.name

    @property
    def words(self) -> str:
        """Its name within a sentence."""
        return self.noun or self.label[0].lower() + self.label[1:]

    @cached_property
    def field(self) -> FieldInfo:
        """The field that holds its type, bounds, default, meaning and users."""
        part, _, name = self.path.rpartition(".")
        return (PARTS[part] if part else Experiment).model_fields[name]

    @property
    def help(self) -> str:
        """What it means: the field's description."""
        return self.field.description or ""

    @property
    def default(self) -> Any:
        """Its default, if that does not depend on other choices."""
        return self.field.get_default(call_default_factory=True)

    @property
    def used_by(self) -> UsedBy:
        """Who uses it."""
        return used_by(self.field)

    @cached_property
    def type(self) -> Any:
        """The type of its value, without None: int, float, str, tuple, dict or a Literal."""
        return next(one for one in _alternatives(self.field.annotation) if one is not type(None))

    @property
    def optional(self) -> bool:
        """Whether it may have no value."""
        return type(None) in _alternatives(self.field.annotation)

    @property
    def choices(self) -> tuple[str, ...]:
        """The names that it can have; none if it is a number or free text."""
        if self.table is not None:
            return tuple(self.table)
        if self.path == "models":
            return MODEL_KINDS
        return typing.get_args(self.type) if self.kind == "Literal" else ()

    @property
    def kind(self) -> str:
        """What its value is, in one word: int, float, str, Literal, tuple or dict."""
        origin = typing.get_origin(self.type) or self.type
        return str(origin.__name__ if isinstance(origin, type) else origin).rpartition(".")[2]

    @property
    def many(self) -> bool:
        """Whether it holds several names."""
        return self.kind == "tuple"

    def bound(self, *kinds: str) -> float | None:
        """A bound of its value: ``bound("ge", "gt")`` is the lower one, None if there is none."""
        found = (getattr(one, kind, None) for one in self.field.metadata for kind in kinds)
        return next((value for value in found if value is not None), None)

    def of(self, experiment: Experiment) -> Any:
        """Its value in an experiment."""
        value: Any = experiment
        for name in self.path.split("."):
            value = getattr(value, name)
        return value


def _alternatives(annotation: Any) -> tuple[Any, ...]:
    union = typing.get_origin(annotation) in (types.UnionType, typing.Union)
    return typing.get_args(annotation) if union else (annotation,)


SETTINGS: tuple[Setting, ...] = (
    Setting(path="data.name", option="--dataset", label="Data set", table=DATASETS, always_told=True),
    Setting(path="data.limit", option="--limit", label="Records", zero="all of them", step=100),
    Setting(path="data.knobs", option="--knob", label="Settings of the generator"),
    Setting(
        path="model.name", option="--model", label="Model", noun="network", table=MODELS,
        always_told=True, otherwise="what suits the data",
    ),
    Setting(path="model.width", option="--width", label="Width of the network", noun="width", step=0.25),
    Setting(path="model.norm", option="--norm", label="Normalisation"),
    Setting(
        path="pruning.approach", option="--approach", label="Pruning approach", noun="approach",
        table=APPROACHES, always_told=True,
    ),
    Setting(
        path="pruning.sparsity", option="--sparsity", label="Sparsity", always_told=True,
        percent=True, step=0.05,
    ),
    Setting(path="pruning.slimming_penalty", option="--slimming-penalty", label="Slimming penalty", step=1e-4),
    Setting(path="defense.name", option="--defense", label="Defence", table=DEFENSES, always_told=True),
    Setting(
        path="defense.strength", option="--strength", label="Strength", always_told=True,
        otherwise="the defence's own, 4 for ppb",
    ),
    Setting(path="defense.clip", option="--clip", label="Clip gradients at", noun="clip", step=0.1),
    Setting(
        path="knowledge.approach", option="--assumed-approach",
        label="Adversary assumes the approach", noun="approach that the adversary assumes",
        table=APPROACHES, otherwise="the target's",
    ),
    Setting(
        path="knowledge.sparsity", option="--assumed-sparsity",
        label="Adversary assumes the sparsity", noun="sparsity that the adversary assumes",
        percent=True, step=0.05, otherwise="the target's",
    ),
    Setting(path="signals.sensitivity", option="--sensitivity", label="Prediction sensitivity"),
    Setting(path="shadows", option="--shadows", label="Shadow models", noun="shadows", always_told=True),
    Setting(
        path="training.epochs", option="--epochs", label="Epochs", always_told=True,
        otherwise="the model's own",
    ),
    Setting(
        path="training.fine_tune_epochs", option="--fine-tune-epochs", label="Fine-tuning epochs",
        otherwise="half of the training epochs",
    ),
    Setting(path="training.patience", option="--patience", label="Patience", zero="never stop early"),
    Setting(
        path="training.stop_at_member_accuracy", option="--stop-at-member-accuracy",
        label="Train until members reach", address="until", zero="stop early as usual",
        percent=True, step=0.01,
    ),
    Setting(path="training.learning_rate", option="--learning-rate", label="Learning rate", step=1e-4),
    Setting(path="training.weight_decay", option="--weight-decay", label="Weight decay", step=1e-4),
    Setting(path="training.batch_size", option="--batch-size", label="Batch size", step=16),
    Setting(
        path="attacks.names", option="--attacks", label="Attacks", table=ATTACKS, otherwise="all",
    ),
    Setting(
        path="models", option="--models", label="Models that are attacked", noun="models",
        address="attacked", always_told=True, otherwise="all",
    ),
    Setting(
        path="attacks.recipe", option="--recipe", label="Attack recipe", noun="recipe",
        table=RECIPES, always_told=True,
    ),
    Setting(path="seed", option="--seed", label="Seed", always_told=True),
)  # fmt: skip
"""In the order of a command line."""

BY_PATH: Mapping[str, Setting] = {setting.path: setting for setting in SETTINGS}


def is_used(setting: Setting, choice: Choice) -> bool:
    """Whether a choice uses a setting."""
    return setting.used_by.among(choice)


def with_value(settings: dict[str, Any], path: str, value: Any) -> None:
    """Set a value in an experiment's plain values, by its dotted name.

    Raises:
        ExperimentError: a part in the name is not a mapping of settings.
    """
    *parents, last = path.split(".")
    place = settings
    for parent in parents:
        place = place.setdefault(parent, {})
        if not isinstance(place, dict):
            raise ExperimentError(f"{parent} must be a mapping of settings, got {place!r}")
    place[last] = value


def refuse_unused(settings: dict[str, Any], given: Mapping[str, str]) -> None:
    """Refuse a setting that the user gave and that nobody uses.

    Args:
        settings: the experiment's plain values, including the given ones.
        given: path of each given setting, and its name as the user wrote it: "--clip".

    Raises:
        ExperimentError: a setting whose owner was not chosen.
    """
    choice = choice_of(settings)
    for path, spelled in given.items():
        users = BY_PATH[path].used_by
        if users.owner and not users.among(choice):
            raise ExperimentError(
                f"{spelled} belongs to {users.owner}, {users.absent}: add {users.choose}, "
                "or leave it out"
            )
