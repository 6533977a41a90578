"""Defaults that depend on other choices: model by data set, epochs by model, targets by defence."""

from __future__ import annotations

from typing import Any

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
from prunepriv.experiment.used_by import Choice, unused_values
from prunepriv.options import ATTACKS, DEFENSES, MODEL_KINDS, MODELS, ON_REQUEST, lookup

PARTS: dict[str, type[Part]] = {
    "data": Data,
    "model": Model,
    "training": Training,
    "pruning": Pruning,
    "defense": Defense,
    "knowledge": Knowledge,
    "signals": Signals,
    "attacks": Attacks,
}
"""An experiment's parts, in its order."""

ALL = (None, "all", ["all"], ("all",))
"""Values that mean "all"."""


def filled(given: dict[str, Any]) -> dict[str, Any]:
    """An experiment's plain values with the defaults that depend on other choices.

    Raises:
        ExperimentError: an unknown data set, model or defence, or a part that is not a mapping.
    """
    given = {name: _plain(value) for name, value in given.items()}
    for part in PARTS:
        if not isinstance(given.setdefault(part, {}), dict):
            raise ExperimentError(f"{part} must be a mapping of settings, got {given[part]!r}")
    _fill_model(given)
    _fill_training(given)
    _fill_knowledge(given)
    _fill_defense(given)
    _drop_unused(given)
    _fill_attacked(given)
    return given


def half(epochs: int) -> int:
    """The default of the largest number of fine-tuning epochs, from that of training epochs."""
    return max(1, epochs // 2)


def _fill_model(given: dict[str, Any]) -> None:
    kind = dataset_option(given["data"]).kind
    model = given["model"]
    model.setdefault("name", next(m.name for m in MODELS.values() if m.serves == kind))
    lookup(MODELS, str(model["name"]), "model")


def _fill_training(given: dict[str, Any]) -> None:
    training = given["training"]
    if training.get("epochs") is None:
        training["epochs"] = MODELS[str(given["model"]["name"])].epochs
    if training.get("fine_tune_epochs") is None and isinstance(training["epochs"], int):
        training["fine_tune_epochs"] = half(training["epochs"])


def _fill_knowledge(given: dict[str, Any]) -> None:
    pruning, knowledge = given["pruning"], given["knowledge"]
    for name in Knowledge.model_fields:
        if knowledge.get(name) == pruning.get(name, Pruning.model_fields[name].default):
            knowledge[name] = None  # dropped, so that equal experiments share a key


def _fill_defense(given: dict[str, Any]) -> None:
    defense, model = given["defense"], given["model"]
    option = lookup(DEFENSES, str(defense.get("name", "none")), "defence")
    if defense.get("strength") is None:
        defense["strength"] = option.default_strength
    if option.name == "dp_sgd" and "batch_norm" in MODELS[str(model["name"])].layers:
        model.setdefault("norm", "group")  # in undefended models too: only the defence differs


def _drop_unused(given: dict[str, Any]) -> None:
    """Settings that nobody uses get one value, so that equal experiments share a key."""
    choice = choice_of(given)
    for name, part in PARTS.items():
        given[name] |= unused_values(part.model_fields, choice)


def choice_of(given: dict[str, Any]) -> Choice:
    """The choices that decide which settings are used, from an experiment's plain values."""
    pruning, defense = given.get("pruning", {}), given.get("defense", {})
    return Choice(
        model=str(given.get("model", {}).get("name", "")),
        approach=str(pruning.get("approach", Pruning.model_fields["approach"].default)),
        defense=str(defense.get("name", Defense.model_fields["name"].default)),
    )


def _fill_attacked(given: dict[str, Any]) -> None:
    if given.get("models") in ALL:
        undefended = str(given["defense"].get("name", "none")) == "none"
        left_out = ON_REQUEST | ({"defended"} if undefended else set())
        given["models"] = [kind for kind in MODEL_KINDS if kind not in left_out]
    attacks = given["attacks"]
    if attacks.get("names") in ALL:
        lone = given.get("shadows") == 1  # a reference attack needs other shadows too
        attacks["names"] = [
            a.name for a in ATTACKS.values() if not (lone and a.kind == "reference")
        ]


def _plain(value: Any) -> Any:
    """A part as a dictionary of plain values; a dictionary is copied."""
    if isinstance(value, Part):
        return value.model_dump()
    return dict(value) if isinstance(value, dict) else value
