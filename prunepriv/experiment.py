"""What the user chose. An Experiment that exists can be run.

Frozen pydantic models that forbid unknown fields; every field is described, and the form, the
command line and the documentation take their texts from here.
"""

from __future__ import annotations

import hashlib
import json
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from prunepriv.errors import ExperimentError
from prunepriv.options import (
    APPROACHES,
    ATTACKS,
    DATASETS,
    DEFENSES,
    MODEL_KINDS,
    MODELS,
    ApproachOption,
    DatasetOption,
    DefenseOption,
    ModelKind,
    ModelOption,
    knob_values,
    lookup,
)


def canonical_json(value: Any) -> str:
    """JSON text that is the same for equal values: sorted keys, no spaces, no NaN."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


class Part(BaseModel):
    """A frozen piece of an experiment."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Data(Part):
    """Which records."""

    name: str = Field("checkins", description="Data set.")
    limit: int | None = Field(
        None, ge=40, description="Use only the first N shuffled records; all of them if left out."
    )
    knobs: dict[str, float] = Field(
        default_factory=dict, description="Settings of a bundled generator, by name."
    )

    @property
    def option(self) -> DatasetOption:
        return DATASETS[self.name]

    @model_validator(mode="before")
    @classmethod
    def _fill(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        option = lookup(DATASETS, str(given.get("name", "checkins")), "data set")
        knobs = given.get("knobs") or {}
        if not isinstance(knobs, dict):
            raise ExperimentError(f"data.knobs must be settings by name, got {knobs!r}")
        limit = given.get("limit")
        if isinstance(limit, int) and limit >= option.records:
            limit = None  # all of them: two experiments that differ in it are one
        return {**given, "name": option.name, "limit": limit, "knobs": knob_values(option, knobs)}


class Model(Part):
    """Which network."""

    name: str = Field("fc", description="Network.")
    width: float = Field(
        1.0, gt=0, le=4, description="Factor on the channels of a convolutional network."
    )

    @property
    def option(self) -> ModelOption:
        return MODELS[self.name]


class Training(Part):
    """How the original models are trained, and how long models are fine-tuned after pruning."""

    epochs: int = Field(50, ge=1, le=1000, description="Most epochs of training.")
    fine_tune_epochs: int = Field(
        25,
        ge=1,
        le=1000,
        description="Most epochs of fine-tuning after pruning; half of training's unless given.",
    )
    patience: int | None = Field(
        5,
        ge=1,
        description="Stop after so many epochs without a better validation accuracy; none: never.",
    )
    stop_at_member_accuracy: float | None = Field(
        None, gt=0, le=1,
        description="Train the original, without early stopping, until its members reach this accuracy.",
    )  # fmt: skip
    learning_rate: float = Field(1e-3, gt=0, le=1, description="Adam's rate.")
    weight_decay: float = Field(5e-4, ge=0, le=1, description="L2 penalty on the weights.")
    batch_size: int = Field(128, ge=2, le=4096, description="Records per step.")


class Pruning(Part):
    """What is removed."""

    approach: str = Field("l1_unstructured", description="Pruning approach.")
    sparsity: float = Field(
        0.7, ge=0, lt=1, description="Fraction removed of every layer (slimming: of all channels)."
    )
    slimming_penalty: float = Field(
        1e-4,
        ge=0,
        le=1,
        description="L1 penalty on batch-norm scales while training for network slimming.",
    )

    @property
    def option(self) -> ApproachOption:
        return APPROACHES[self.approach]


class Defense(Part):
    """What protects the fine-tuning."""

    name: str = Field("none", description="Defence during fine-tuning.")
    strength: float = Field(4.0, ge=0, le=64, description="Weight of the defence's loss.")

    @property
    def option(self) -> DefenseOption:
        return DEFENSES[self.name]


class Attacks(Part):
    """Who attacks, and how the attack networks are trained."""

    names: tuple[str, ...] = Field(tuple(ATTACKS), min_length=1, description="Attacks.")
    recipe: Literal["fast", "paper"] = Field("fast", description="How attack networks are trained.")


class Experiment(Part):
    """Everything that a run depends on; equal experiments give equal figures.

    Raises (from :func:`make_experiment`):
        ExperimentError: a choice that cannot be run, in one sentence.
    """

    data: Data = Field(default_factory=Data)
    model: Model = Field(default_factory=Model)
    training: Training = Field(default_factory=Training)
    pruning: Pruning = Field(default_factory=Pruning)
    defense: Defense = Field(default_factory=Defense)
    attacks: Attacks = Field(default_factory=Attacks)
    models: tuple[ModelKind, ...] = Field(
        ("original", "control", "pruned"), min_length=1, description="Models that are attacked."
    )
    shadows: Annotated[int, Field(ge=1, le=256, description="Shadow models.")] = 5
    seed: Annotated[int, Field(ge=0, lt=2**31, description="Seed of everything random.")] = 7

    @model_validator(mode="before")
    @classmethod
    def _fill_defaults(cls, given: Any) -> Any:
        """Defaults that depend on other choices: model by data set, epochs by model, kinds by defence."""
        if not isinstance(given, dict):
            return given
        given = {name: _plain(value) for name, value in given.items()}
        for part in ("data", "model", "training", "pruning", "defense", "attacks"):
            if not isinstance(given.setdefault(part, {}), dict):
                raise ExperimentError(f"{part} must be settings by name, got {given[part]!r}")
        data = given["data"]
        dataset = lookup(DATASETS, str(data.get("name", "checkins")), "data set")
        model = given["model"]
        model.setdefault("name", next(m.name for m in MODELS.values() if m.serves == dataset.kind))
        network = lookup(MODELS, str(model["name"]), "model")
        training = given["training"]
        if training.get("epochs") is None:
            training["epochs"] = network.epochs
        if training.get("fine_tune_epochs") is None and isinstance(training["epochs"], int):
            training["fine_tune_epochs"] = max(1, training["epochs"] // 2)
        pruning = given["pruning"]
        if pruning.get("approach", "l1_unstructured") != "network_slimming":
            pruning["slimming_penalty"] = 0.0
        defense = given["defense"]
        protection = lookup(DEFENSES, str(defense.get("name", "none")), "defence")
        if protection.name == "none":
            defense["strength"] = 0.0  # it has none: two experiments that differ in it are one
        elif defense.get("strength") is None:
            defense["strength"] = protection.default_strength
        if given.get("models") in (None, "all", ["all"], ("all",)):
            given["models"] = [
                k for k in MODEL_KINDS if k != "defended" or protection.name != "none"
            ]
        attacks = given["attacks"]
        if attacks.get("names") in (None, "all", ["all"], ("all",)):
            attacks["names"] = list(ATTACKS)
        return given

    @model_validator(mode="after")
    def _check(self) -> Self:
        lookup(APPROACHES, self.pruning.approach, "approach")
        for name in self.attacks.names:
            lookup(ATTACKS, name, "attack")
        for what, names in (("attacks", self.attacks.names), ("models", self.models)):
            if len(set(names)) != len(names):
                raise ExperimentError(f"{what} must not name one twice, got {', '.join(names)}")
        dataset, network = self.data.option, self.model.option
        if network.serves != dataset.kind:
            fits = ", ".join(m.name for m in MODELS.values() if m.serves == dataset.kind)
            raise ExperimentError(
                f"model {network.name} takes {network.serves} records, but {dataset.name} holds "
                f"{dataset.kind} records: choose {fits}"
            )
        if not self.pruning.option.needs & network.layers:
            fits = ", ".join(a.name for a in APPROACHES.values() if a.needs & network.layers)
            needs = " or ".join(sorted(self.pruning.option.needs)).replace("_", "-")
            raise ExperimentError(
                f"{self.pruning.approach} needs {needs} layers, and {network.name} has none: choose {fits}"
            )
        if self.model.width != 1 and "conv" not in network.layers:
            raise ExperimentError(
                f"width scales convolutional networks, and {network.name} is none: leave it out"
            )
        if "defended" in self.models and self.defense.name == "none":
            raise ExperimentError(
                "model 'defended' needs a defence: choose --defense ppb, or leave it out"
            )
        return self

    @property
    def key(self) -> str:
        """SHA-256 of the canonical JSON, in hex."""
        return hashlib.sha256(canonical_json(self.model_dump(mode="json")).encode()).hexdigest()

    @property
    def run_id(self) -> str:
        """Readable, unique, made of [0-9a-z_-] only: the same experiment is the same run."""
        percent = f"{self.pruning.sparsity * 100:g}".replace(".", "_")
        return f"{self.data.name}-{self.model.name}-{percent}-{self.key[:12]}"


def make_experiment(given: dict[str, Any]) -> Experiment:
    """An Experiment from plain values, with every mistake told in one sentence.

    Raises:
        ExperimentError: unknown names, values out of range, impossible combinations.
    """
    try:
        return Experiment.model_validate(given)
    except ValidationError as error:
        # where an item of a list is wrong, pydantic also calls the list too short: tell one thing
        told = [e for e in error.errors() if e["type"] != "too_short" or not e["input"]]
        raise ExperimentError("; ".join(_sentence(e) for e in told)) from None


def _sentence(error: Any) -> str:
    """One pydantic error as "field rule, got value"."""
    cause = error.get("ctx", {}).get("error")
    if isinstance(cause, ExperimentError):
        return str(cause)
    field = ".".join(str(part) for part in error["loc"]) or "experiment"
    if field == "pruning.sparsity" and error["type"] in ("greater_than_equal", "less_than"):
        return f"sparsity must lie in [0, 1), got {error['input']}"
    if field == "shadows" and error["type"] == "greater_than_equal":
        return (
            f"shadows must be 1 at least, for every attack learns from them, got {error['input']}"
        )
    if error["type"] == "too_short":
        return f"{field} must name one at least, got none"
    if error["type"] == "extra_forbidden":
        return f"{field} is not a setting"
    rule = error["msg"].replace("Input should be", "must be").replace("Value error, ", "")
    return f"{field} {rule}, got {error['input']!r}"


def _plain(value: Any) -> Any:
    """A part given as a model, as the dictionary it came from; a dictionary copied."""
    if isinstance(value, Part):
        return value.model_dump()
    return dict(value) if isinstance(value, dict) else value
