"""Pruning approaches: they choose the weights to remove from each model."""

from __future__ import annotations

from collections.abc import Mapping

from prunepriv.models import Ensemble, State
from prunepriv.options import APPROACHES, lookup
from prunepriv.pruning.masks import Approach, Masks
from prunepriv.pruning.slimming import network_slimming
from prunepriv.pruning.structured import l1_structured, l2_structured
from prunepriv.pruning.unstructured import l1_unstructured

REGISTRY: Mapping[str, Approach] = {
    "l1_unstructured": l1_unstructured,
    "l1_structured": l1_structured,
    "l2_structured": l2_structured,
    "network_slimming": network_slimming,
}


def make_masks(name: str, ensemble: Ensemble, state: State, sparsity: float) -> Masks:
    """Make the masks of all models, True = kept; each model is pruned by its own weights.

    Args:
        name: of the approach.
        ensemble: defines the layers; its own weights are not read.
        state: the weights that the approach reads, (M, ...) each.
        sparsity: fraction to remove, in [0, 1).

    Raises:
        UnknownNameError: no such approach.
    """
    return REGISTRY[lookup(APPROACHES, name, "approach").name](ensemble, state, sparsity)


__all__ = ["REGISTRY", "Approach", "Masks", "make_masks"]
