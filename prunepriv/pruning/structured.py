"""Structured pruning: removes whole convolution filters by their norm (Li et al. 2017)."""

from __future__ import annotations

from prunepriv.models import Ensemble, State
from prunepriv.pruning.masks import Masks, removable, smallest


def l1_structured(ensemble: Ensemble, state: State, sparsity: float) -> Masks:
    """Remove round(sparsity * filters) filters of smallest L1 norm from every Conv2d layer.

    At least one filter of every layer stays.
    """
    return _by_norm(ensemble, state, sparsity, order=1)


def l2_structured(ensemble: Ensemble, state: State, sparsity: float) -> Masks:
    """Remove round(sparsity * filters) filters of smallest L2 norm from every Conv2d layer.

    At least one filter of every layer stays.
    """
    return _by_norm(ensemble, state, sparsity, order=2)


def _by_norm(ensemble: Ensemble, state: State, sparsity: float, order: int) -> Masks:
    """The same choice as ``torch.nn.utils.prune.ln_structured(..., n=order, dim=0)``."""
    masks: Masks = {}
    for name, kind in ensemble.prunable().items():
        if kind != "conv":
            continue
        weight = state[name]
        importance = weight.flatten(2).norm(p=order, dim=2)
        kept = smallest(importance, removable(sparsity, importance.shape[1]))
        masks[name] = kept[:, :, None, None, None].expand_as(weight).clone()
    return masks
