"""Label smoothing (Szegedy et al. 2016, section 7)."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from prunepriv.training.objective import Objective


def label_smoothing(share: float) -> Objective:
    """Cross-entropy with 1 - share of the weight on the true label, the rest equally on all C.

    The true label gets 1 - share + share / C, every other label share / C. A confidence above that
    does not lower the loss.

    Args:
        share: in [0, 1); 0 is cross-entropy.
    """

    def objective(logits: Tensor, labels: Tensor) -> Tensor:
        losses = F.cross_entropy(
            logits.flatten(0, 1), labels.flatten(), reduction="none", label_smoothing=share
        )
        return losses.view_as(labels).mean(dim=1)

    return objective
