"""What the user chose. An Experiment that exists can be run."""

from __future__ import annotations

import hashlib
import json
from typing import Annotated, Any, Self

from pydantic import Field, ValidationError, model_validator

from prunepriv.errors import ExperimentError
from prunepriv.experiment.parts import (
    Attacks,
    Data,
    Defense,
    Knowledge,
    Model,
    Part,
    Pruning,
    Signals,
    Training,
    dataset_option,
)
from prunepriv.options import (
    APPROACHES,
    ATTACKS,
    DEFENSES,
    MODEL_KINDS,
    MODELS,
    ModelKind,
    lookup,
)


def canonical_json(value: Any) -> str:
    """JSON text that is the same for equal values: sorted keys, no spaces, no NaN."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


PARTS = ("data", "model", "training", "pruning", "defense", "knowledge", "signals", "attacks")


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
    knowledge: Knowledge = Field(default_factory=Knowledge)
    signals: Signals = Field(default_factory=Signals)
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
        for part in PARTS:
            if not isinstance(given.setdefault(part, {}), dict):
                raise ExperimentError(f"{part} must be settings by name, got {given[part]!r}")
        data = given["data"]
        dataset = dataset_option(data)
        model = given["model"]
        model.setdefault("name", next(m.name for m in MODELS.values() if m.serves == dataset.kind))
        network = lookup(MODELS, str(model["name"]), "model")
        training = given["training"]
        if training.get("epochs") is None:
            training["epochs"] = network.epochs
        if training.get("fine_tune_epochs") is None and isinstance(training["epochs"], int):
            training["fine_tune_epochs"] = max(1, training["epochs"] // 2)
        pruning, knowledge = given["pruning"], given["knowledge"]
        if pruning.get("approach", "l1_unstructured") != "network_slimming":
            pruning["slimming_penalty"] = 0.0
        for name, default in (("approach", "l1_unstructured"), ("sparsity", 0.7)):
            if knowledge.get(name) == pruning.get(name, default):
                knowledge[name] = None  # it knows: two experiments that differ in it are one
        defense = given["defense"]
        protection = lookup(DEFENSES, str(defense.get("name", "none")), "defence")
        if protection.name == "none":
            defense["strength"] = 0.0  # it has none: two experiments that differ in it are one
        elif defense.get("strength") is None:
            defense["strength"] = protection.default_strength
        if protection.name != "dp_sgd":
            defense["clip"] = 0.0
        elif "batch_norm" in network.layers:
            model.setdefault("norm", "group")  # in the undefended models too: one thing is compared
        if given.get("models") in (None, "all", ["all"], ("all",)):
            given["models"] = [
                k for k in MODEL_KINDS if k != "defended" or protection.name != "none"
            ]
        attacks = given["attacks"]
        if attacks.get("names") in (None, "all", ["all"], ("all",)):
            lone = given.get("shadows") == 1  # a reference attack needs others beside it
            attacks["names"] = [
                a.name for a in ATTACKS.values() if not (lone and a.kind == "reference")
            ]
        return given

    @model_validator(mode="after")
    def _check(self) -> Self:
        lookup(APPROACHES, self.pruning.approach, "approach")
        if self.knowledge.approach is not None:
            lookup(APPROACHES, self.knowledge.approach, "approach")
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
        for approach in (self.pruning.approach, self.knowledge.approach or self.pruning.approach):
            self._check_approach(approach)
        self._check_defense()
        if self.model.width != 1 and "conv" not in network.layers:
            raise ExperimentError(
                f"width scales convolutional networks, and {network.name} is none: leave it out"
            )
        if "defended" in self.models and self.defense.name == "none":
            raise ExperimentError(
                "model 'defended' needs a defence: choose --defense ppb, or leave it out"
            )
        if self.shadows < 2 and (against := self._reference_attacks):
            raise ExperimentError(
                f"{against[0]} sets its threshold on one shadow by the others: give 2 shadows at least"
            )
        return self

    def _check_approach(self, name: str) -> None:
        option, network = APPROACHES[name], self.model.option
        layers = network.layers - ({"batch_norm"} if self.model.norm == "group" else set())
        if option.needs & layers:
            return
        fits = ", ".join(a.name for a in APPROACHES.values() if a.needs & layers)
        if option.needs & network.layers:
            raise ExperimentError(
                f"{name} ranks batch-norm scales, and with group norm (which DP-SGD asks for) "
                f"{network.name} has none: choose {fits}"
            )
        needs = " or ".join(sorted(option.needs)).replace("_", "-")
        raise ExperimentError(
            f"{name} needs {needs} layers, and {network.name} has none: choose {fits}"
        )

    def _check_defense(self) -> None:
        defense, network = self.defense.option, self.model.option
        if defense.high and not defense.low <= self.defense.strength <= defense.high:
            raise ExperimentError(
                f"strength of {defense.name} must lie in [{defense.low:g}, {defense.high:g}], "
                f"got {self.defense.strength:g}"
            )
        if self.model.norm == "group" and "batch_norm" not in network.layers:
            raise ExperimentError(
                f"group norm stands in for batch norm, and {network.name} has none: leave it out"
            )
        if defense.name != "dp_sgd":
            return
        if self.model.norm == "batch" and "batch_norm" in network.layers:
            raise ExperimentError(
                "DP-SGD clips each record's gradient, and batch norm mixes the records of a batch: "
                "choose group norm"
            )
        if self.defense.clip == 0:
            raise ExperimentError("clip must be above 0 for DP-SGD, got 0")
        if not network.private:
            fits = ", ".join(
                m.name for m in MODELS.values() if m.private and m.serves == network.serves
            )
            raise ExperimentError(
                f"DP-SGD keeps a gradient per record, which takes too much memory for {network.name}: "
                f"choose {fits}"
            )

    @property
    def _reference_attacks(self) -> list[str]:
        return [name for name in self.attacks.names if ATTACKS[name].kind == "reference"]

    @property
    def assumed(self) -> Experiment | None:
        """The experiment whose shadows the adversary trains; None where it knows the pruning."""
        known = self.knowledge
        if known.whole:
            return None
        given = self.model_dump(mode="json")
        pruning = {name: value for name, value in known.model_dump().items() if value is not None}
        if known.approach is not None:
            del given["pruning"]["slimming_penalty"]
        given["pruning"] |= pruning
        given["knowledge"] = {}
        return make_experiment(given)

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
