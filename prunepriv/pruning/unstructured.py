"""L1 unstructured pruning: removes single weights (Han et al. 2016)."""

from __future__ import annotations

from prunepriv.models import Ensemble, State
from prunepriv.pruning.masks import Masks, removable, smallest


def l1_unstructured(ensemble: Ensemble, state: State, sparsity: float) -> Masks:
    """Remove round(sparsity * n) weights of smallest magnitude from every Conv2d and Linear layer.

    The same choice as ``torch.nn.utils.prune.l1_unstructured`` on each layer of each model. At
    least one weight of every layer stays.
    """
    masks: Masks = {}
    for name in ensemble.prunable():
        importance = state[name].abs().flatten(1)
        count = removable(sparsity, importance.shape[1])
        masks[name] = smallest(importance, count).view_as(state[name])
    return masks
