"""What training minimises; a defence may have its own objective."""

from __future__ import annotations

from typing import Protocol

from torch import Tensor
from torch.nn import functional as F


class Objective(Protocol):
    """A loss per model.

    Args:
        logits: (M, B, C) of one batch.
        labels: (M, B) true classes.

    Returns:
        (M,) losses, differentiable.
    """

    def __call__(self, logits: Tensor, labels: Tensor) -> Tensor: ...


def cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """Mean cross-entropy over each model's batch."""
    losses = F.cross_entropy(logits.flatten(0, 1), labels.flatten(), reduction="none")
    return losses.view_as(labels).mean(dim=1)
