"""The steps that make one model: its records, its training, its pruning and fine-tuning.

The key of each holds the seed and the number of the model, and of the settings those that the step
reads. Imports no torch.
"""

from __future__ import annotations

from typing import Any

from prunepriv.experiment import Experiment, identity
from prunepriv.experiment.parts import Data, Defense
from prunepriv.options import ModelKind
from prunepriv.plan.names import DATA, MATCHED, models_name, privacy_name, split_name
from prunepriv.plan.step import Step


def data_step(data: Data) -> Step:
    """The step of a data set's records; the user's own data set is identified by its content."""
    params: dict[str, Any] = {"name": data.name, "knobs": data.knobs}
    if data.own is not None:
        params["digest"] = data.own.digest
    return Step(DATA, "data", params)


def split_step(experiment: Experiment, number: int, data: Step) -> Step:
    """The step that says which records a model uses."""
    params = {"limit": experiment.data.limit, **_who(experiment, number)}
    return Step(split_name(number), "split", params, {"data": data.key})


def train_step(experiment: Experiment, number: int, data: Step, split: Step) -> Step:
    """The step that trains a model."""
    params = {
        "model": identity(experiment.model),
        "training": _without(identity(experiment.training), "fine_tune_epochs"),
        "slimming_penalty": experiment.pruning.slimming_penalty,
        **_who(experiment, number),
    }
    read = {"data": data.key, "split": split.key}
    return Step(models_name("original", number), "train", params, read)


def fine_tune_step(
    experiment: Experiment, kind: ModelKind, number: int, data: Step, split: Step, model: Step
) -> Step:
    """The control is not pruned; the defended model differs only by its defence."""
    training = _without(identity(experiment.training), "epochs", "stop_at_member_accuracy")
    pruning = _without(identity(experiment.pruning), "slimming_penalty")
    params = {
        "model": identity(experiment.model),
        "training": training,
        "pruning": None if kind == "control" else pruning,
        "defense": identity(experiment.defense) if kind == "defended" else Defense.off(),
        **_who(experiment, number),
    }
    read = {"data": data.key, "split": split.key, "model": model.key}
    return Step(models_name(kind, number), "fine_tune", params, read)


def matched_step(
    experiment: Experiment, number: int, data: Step, split: Step, model: Step, pruned: Step
) -> Step:
    """The control that is trained for as many epochs as were kept of the pruned model.

    It never stops early, so neither the patience nor the largest number of epochs is read.
    """
    left_out = ("epochs", "stop_at_member_accuracy", "fine_tune_epochs", "patience")
    params = {
        "model": identity(experiment.model),
        "training": _without(identity(experiment.training), *left_out),
        "pruning": None,
        "defense": Defense.off(),
        **_who(experiment, number),
    }
    read = {"data": data.key, "split": split.key, "model": model.key, MATCHED: pruned.key}
    return Step(models_name("control_matched", number), "fine_tune", params, read)


def privacy_step(experiment: Experiment, kind: ModelKind, model: Step) -> Step:
    """The step that computes what a private fine-tuning guarantees.

    Training does not depend on it, so its key is apart from training's.
    """
    params = {"epochs": experiment.training.fine_tune_epochs}
    return Step(privacy_name(kind), "privacy", params, {"model": model.key})


def _who(experiment: Experiment, number: int) -> dict[str, int]:
    """Which model it is: its random numbers depend on this alone."""
    return {"seed": experiment.seed, "number": number}


def _without(values: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name not in names}
