"""Network slimming: channels by their batch-norm scale, across the network (Liu et al. 2017)."""

from __future__ import annotations

import torch

from prunepriv.models import Ensemble, State
from prunepriv.pruning.masks import Masks, smallest


def network_slimming(ensemble: Ensemble, state: State, sparsity: float) -> Masks:
    """Remove round(sparsity * channels) channels of smallest |gamma|, ranked across the network.

    Scale and shift of a removed channel are zeroed, and so is the filter that feeds it, which then
    changes nothing but makes the achieved sparsity countable. The largest scale of every layer
    stays, so no layer vanishes; where that leaves too few to remove, all but those go.
    """
    pairs = ensemble.normalised()
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
    for (norm, producer), channels in zip(pairs.items(), kept, strict=True):
        masks[f"{norm}.weight"] = channels
        masks[f"{norm}.bias"] = channels
        masks[producer] = channels[:, :, None, None, None].expand_as(state[producer]).clone()
    return masks
