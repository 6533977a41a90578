"""Masks as plain boolean tensors, and the sparsity they achieve."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor

from prunepriv.models import Ensemble, State

Masks = dict[str, Tensor]
"""Parameter name -> bool (M, ...), True = kept; parameters without a mask are not pruned."""


class Approach(Protocol):
    """An approach: ``(ensemble, state, sparsity) -> Masks``."""

    def __call__(self, ensemble: Ensemble, state: State, sparsity: float) -> Masks: ...


def removable(sparsity: float, count: int) -> int:
    """How many of a layer's `count` weights or filters to remove.

    The nearest whole number to sparsity * count, as in torch.nn.utils.prune, but never all of them:
    a network with an empty layer gives every record the same logits.
    """
    return min(round(sparsity * count), count - 1)


def smallest(importance: Tensor, count: int) -> Tensor:
    """True at all but the `count` smallest entries of each row of (M, n).

    `count` is exact: among equal importances torch.topk chooses, as in torch.nn.utils.prune.
    """
    kept = torch.ones_like(importance, dtype=torch.bool)
    removed = importance.topk(count, dim=1, largest=False).indices
    return kept.scatter_(1, removed, False)


def sparsities(ensemble: Ensemble, masks: Masks) -> tuple[list[float], list[dict[str, float]]]:
    """Achieved sparsity of every model: of the whole model, and by layer.

    Both count weights of Conv2d and Linear layers, whether the approach prunes the layer or not.

    Returns:
        (M whole-model fractions, M dictionaries layer -> fraction), all in [0, 1].
    """
    parameters = dict(ensemble.named_parameters())
    models = ensemble.models
    removed = torch.zeros(models, dtype=torch.long)
    total = 0
    layers: list[dict[str, float]] = [{} for _ in range(models)]
    for name in ensemble.prunable():
        size = parameters[name][0].numel()
        gone = torch.zeros(models, dtype=torch.long)
        if name in masks:
            gone = (~masks[name]).flatten(1).sum(1)
        for model, count in enumerate(gone.tolist()):
            layers[model][name.removesuffix(".weight")] = count / size
        removed += gone
        total += size
    return (removed / total).tolist(), layers
