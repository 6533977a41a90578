"""Which choices can be combined: one sentence for every choice that cannot be run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from prunepriv.errors import ExperimentError
from prunepriv.experiment.parts import Defense, Model
from prunepriv.options import APPROACHES, ATTACKS, MODELS, lookup

if TYPE_CHECKING:
    from prunepriv.experiment.experiment import Experiment


def check(experiment: Experiment) -> None:
    """Refuse an experiment that cannot be run.

    Raises:
        ExperimentError: a choice that cannot be run, in one sentence.
    """
    _check_names(experiment)
    _check_model(experiment)
    for approach in (experiment.pruning.approach, experiment.knowledge.approach):
        if approach is not None:
            _check_approach(approach, experiment.model)
    _check_norm(experiment.model)
    _check_defense(experiment.defense, experiment.model)
    _check_attacked(experiment)


def reference_attacks(names: Sequence[str]) -> list[str]:
    """The attacks that compare a record with models that were not trained on it."""
    return [name for name in names if ATTACKS[name].kind == "reference"]


def _check_names(experiment: Experiment) -> None:
    lookup(APPROACHES, experiment.pruning.approach, "approach")
    if experiment.knowledge.approach is not None:
        lookup(APPROACHES, experiment.knowledge.approach, "approach")
    for name in experiment.attacks.names:
        lookup(ATTACKS, name, "attack")
    for what, names in (("attacks", experiment.attacks.names), ("models", experiment.models)):
        if len(set(names)) != len(names):
            raise ExperimentError(f"{what} must not contain a name twice, got {', '.join(names)}")


def _check_model(experiment: Experiment) -> None:
    dataset, network = experiment.data.option, experiment.model.option
    if network.serves != dataset.kind:
        fits = ", ".join(m.name for m in MODELS.values() if m.serves == dataset.kind)
        raise ExperimentError(
            f"model {network.name} takes {network.serves} records, but {dataset.name} holds "
            f"{dataset.kind} records: choose {fits}"
        )
    if experiment.model.width != 1 and "conv" not in network.layers:
        raise ExperimentError(
            f"width scales convolutional networks, and {network.name} is not one: leave it out"
        )


def _check_approach(name: str, model: Model) -> None:
    """The network must have a layer that the approach prunes; slimming needs batch norm."""
    option, network = APPROACHES[name], model.option
    layers = network.layers - ({"batch_norm"} if model.norm == "group" else set())
    if option.needs & layers:
        return
    fits = ", ".join(a.name for a in APPROACHES.values() if a.needs & layers)
    if option.needs & network.layers:
        raise ExperimentError(
            f"{name} ranks batch-norm scales, and with group norm (which DP-SGD needs) "
            f"{network.name} has none: choose {fits}"
        )
    needs = " or ".join(sorted(option.needs)).replace("_", "-")
    raise ExperimentError(
        f"{name} needs {needs} layers, and {network.name} has none: choose {fits}"
    )


def _check_norm(model: Model) -> None:
    if model.norm == "group" and "batch_norm" not in model.option.layers:
        raise ExperimentError(
            f"group norm replaces batch norm, and {model.name} has none: leave it out"
        )


def _check_defense(defense: Defense, model: Model) -> None:
    option = defense.option
    if option.high and not option.low <= defense.strength <= option.high:
        raise ExperimentError(
            f"strength of {option.name} must lie in [{option.low:g}, {option.high:g}], "
            f"got {defense.strength:g}"
        )
    if defense.name == "dp_sgd":
        _check_dp_sgd(defense, model)


def _check_dp_sgd(defense: Defense, model: Model) -> None:
    network = model.option
    if model.norm == "batch" and "batch_norm" in network.layers:
        raise ExperimentError(
            "DP-SGD clips each record's gradient, and batch norm mixes the records of a batch: "
            "choose group norm"
        )
    if defense.clip == 0:
        raise ExperimentError("clip must be above 0 for DP-SGD, got 0")
    if not network.private:
        fits = ", ".join(
            m.name for m in MODELS.values() if m.private and m.serves == network.serves
        )
        raise ExperimentError(
            f"DP-SGD keeps a gradient per record, which takes too much memory for {network.name}: "
            f"choose {fits}"
        )


def _check_attacked(experiment: Experiment) -> None:
    if "defended" in experiment.models and experiment.defense.name == "none":
        raise ExperimentError(
            "model 'defended' needs a defence: choose --defense ppb, or leave it out"
        )
    if experiment.shadows < 2 and (against := reference_attacks(experiment.attacks.names)):
        raise ExperimentError(
            f"{against[0]} sets its threshold for a shadow with the other shadows: give at least 2"
        )
