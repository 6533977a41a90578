"""Network slimming: prunes channels by batch-norm scale across the network (Liu et al. 2017)."""

from __future__ import annotations

import torch
from torch import Tensor

from prunepriv.models import Ensemble, State
from prunepriv.pruning.masks import Masks, smallest


def network_slimming(ensemble: Ensemble, state: State, sparsity: float) -> Masks:
    """Remove round(sparsity * channels) channels of smallest |gamma|, ranked across the network.

    The scale and the shift of a removed channel are set to zero, and so are the filter that
    computes it or the weights that read it. The latter does not change the logits, but the
    achieved sparsity can then be counted. The channel of largest scale in every layer is kept, so
    no layer is empty. If fewer others exist than should be removed, all others are removed.
    """
    pairs = ensemble.normalized()
    scales = [state[f"{norm}.weight"].abs() for norm in pairs]
    importance = torch.cat(scales, dim=1).clone()
    first = 0
    for scale in scales:
        largest = first + scale.argmax(dim=1, keepdim=True)
        importance.scatter_(1, largest, torch.inf)
        first += scale.shape[1]
    count = min(round(sparsity * importance.shape[1]), importance.shape[1] - len(scales))
    kept = smallest(importance, count).split([scale.shape[1] for scale in scales], dim=1)
    masks: Masks = {}
    for (norm, tied), channels in zip(pairs.items(), kept, strict=True):
        masks[f"{norm}.weight"] = channels
        masks[f"{norm}.bias"] = channels
        for weight, axis in tied:
            kept_here = _along(channels, axis, state[weight])
            masks[weight] = masks[weight] & kept_here if weight in masks else kept_here
    return masks


def _along(channels: Tensor, axis: int, weight: Tensor) -> Tensor:
    """Kept channels (M, n) expanded to a stacked weight; `axis` is the one of a model's weight."""
    shape = [1] * weight.dim()
    shape[0], shape[axis + 1] = channels.shape
    return channels.view(shape).expand_as(weight).clone()
