"""Pair-based posterior balancing (Yuan & Zhang 2022, section 6)."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from prunepriv.training.objective import Objective, cross_entropy


def ppb(strength: float) -> Objective:
    """Cross-entropy + strength * the divergence of paired records' ranked posteriors."""

    def objective(logits: Tensor, labels: Tensor) -> Tensor:
        return cross_entropy(logits, labels) + strength * pair_divergence(logits)

    return objective


def pair_divergence(logits: Tensor) -> Tensor:
    """KL( softmax(sort z_b) || softmax(sort z_a) ), mean over the pairs of each model's batch.

    The batch is cut into halves a and b, paired by position; an odd last record is left out.
    Logits of each record are sorted in descending order, and the gradient goes through both sides.

    Args:
        logits: (M, B, C).

    Returns:
        (M,) divergences in nats, 0 or more; 0 if the batch has no pair.
    """
    half = logits.shape[1] // 2
    if half == 0:
        return logits.sum(dim=(1, 2)) * 0
    ranked = logits[:, : 2 * half].sort(dim=2, descending=True).values.log_softmax(dim=2)
    a, b = ranked[:, :half], ranked[:, half:]
    return F.kl_div(a, b, reduction="none", log_target=True).sum(dim=2).mean(dim=1)
