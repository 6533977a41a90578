"""Training, and pruning with fine-tuning: for the models of a group at once, an artifact for each.

Also what pruning left of one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from prunepriv.defenses import make_protection
from prunepriv.experiment import completed
from prunepriv.experiment.parts import Defense, Model, Pruning, Training
from prunepriv.models import Ensemble, State, build, multiplications
from prunepriv.pipeline.context import StepContext, Writer
from prunepriv.plan import MATCHED
from prunepriv.pruning import make_masks
from prunepriv.pruning.masks import Masks, sparsities
from prunepriv.pruning.remaining import remaining
from prunepriv.store.artifacts import Draft
from prunepriv.training import Records, Settings, Trained, initialize, train


def train_group(group: Sequence[StepContext]) -> list[Writer]:
    """Train the models of a group; the steps differ by the number of the model only."""
    first = group[0]
    ensemble = _stack(group)
    initialize(ensemble, first.params["seed"], _numbers(group))
    options = completed(Training, first.params["training"])
    trained = train(
        ensemble,
        _records(group),
        Settings(**options, scale_penalty=first.params["slimming_penalty"]),
        seed=first.params["seed"],
        stage="train",
        numbers=_numbers(group),
        reports=[context.report for context in group],
    )
    return _writers(group, trained, {})


def fine_tune_group(group: Sequence[StepContext]) -> list[Writer]:
    """Prune and fine-tune the models of a group; the steps differ by the number only."""
    params = group[0].params
    ensemble = _stack(group)
    state = _stacked([context.tensors("model", "model") for context in group])
    masks: Masks = {}
    if params["pruning"] is not None:
        pruning = completed(Pruning, params["pruning"])
        masks = make_masks(pruning["approach"], ensemble, state, pruning["sparsity"])
    ensemble.load(state)
    lengths = _kept_epochs(group)
    options = completed(Training, params["training"])
    most = options.pop("fine_tune_epochs") if lengths is None else max(lengths)
    trained = train(
        ensemble,
        _records(group),
        Settings(epochs=most, **options),
        seed=params["seed"],
        stage="fine_tune",
        numbers=_numbers(group),
        lengths=lengths,
        protect=make_protection(**completed(Defense, params["defense"])),
        masks=masks,
        reports=[context.report for context in group],
    )
    return _writers(group, trained, masks)


def _kept_epochs(group: Sequence[StepContext]) -> list[int] | None:
    """For each model the epochs that were kept of the model it is matched with; None for others."""
    if MATCHED not in group[0].inputs:
        return None
    return [int(context.inputs[MATCHED].json("report")["best_epoch"]) for context in group]


def load_model(context: StepContext) -> Ensemble:
    """The model that a step reads, as a stack of one."""
    one = _build(context, context.inputs["model"].json("report")["architecture"], 1)
    one.load(_stacked([context.tensors("model", "model")]))
    return one


def measure_size(context: StepContext) -> Writer:
    """What pruning removed of a model, and what it left."""
    masks = {name: kept[None].bool() for name, kept in context.tensors("model", "masks").items()}
    x, _ = context.records
    found = remaining(load_model(context), masks, x.shape[1:]).to_dict()
    return lambda draft: draft.json("size", found)


def _numbers(group: Sequence[StepContext]) -> list[int]:
    return [context.params["number"] for context in group]


def _stack(group: Sequence[StepContext]) -> Ensemble:
    """A stack for the models of the group; its weights are not set."""
    return _build(group[0], completed(Model, group[0].params["model"]), len(group))


def _build(context: StepContext, model: Mapping[str, Any], count: int) -> Ensemble:
    """A stack of networks for the records that the step reads."""
    x, _ = context.records
    shape, classes = x.shape[1:], context.classes
    return build(model["name"], count, shape, classes, model["width"], model["norm"])


def _stacked(states: Sequence[Mapping[str, Tensor]]) -> State:
    """The states of models as one of a stack."""
    return {name: torch.stack([state[name] for state in states]) for name in states[0]}


def _records(group: Sequence[StepContext]) -> Records:
    x, y = group[0].records
    splits = [context.split for context in group]
    return Records(
        x=x,
        y=y,
        train=torch.from_numpy(np.stack([split.train for split in splits])),
        validation=torch.from_numpy(np.stack([split.validation for split in splits])),
    )


def _writers(
    group: Sequence[StepContext], trained: Sequence[Trained], masks: Masks
) -> list[Writer]:
    """A writer for each model: its weights, its masks and its report."""
    ensemble = _stack(group)
    whole, layers = sparsities(ensemble, masks)
    x, _ = group[0].records
    architecture = {
        **completed(Model, group[0].params["model"]),
        "parameters": sum(parameter[0].numel() for parameter in ensemble.parameters()),
        "multiplications": multiplications(ensemble, x.shape[1:]),
    }
    writers = []
    for row, one in enumerate(trained):
        report = {
            "privacy": one.protection,
            "history": one.history,
            "best_epoch": one.best_epoch,
            "sparsity": whole[row],
            "layers": layers[row],
            "architecture": architecture,
        }
        writers.append(
            _writer(one.state, {name: kept[row] for name, kept in masks.items()}, report)
        )
    return writers


def _writer(state: State, masks: Mapping[str, Tensor], report: Mapping[str, object]) -> Writer:
    def write(draft: Draft) -> None:
        draft.tensors("model", {name: value.numpy() for name, value in state.items()})
        draft.tensors("masks", {name: kept.numpy() for name, kept in masks.items()})
        draft.json("report", report)

    return write
