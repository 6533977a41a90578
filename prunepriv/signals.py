"""What a model gives away of a record: logits, and how its posteriors react to small changes."""

from __future__ import annotations

import torch
from torch import Tensor

from prunepriv.models import Ensemble

DRAWS = 10
STEP = 1e-3


def signals(
    ensemble: Ensemble, x: Tensor, rows: Tensor, *, seed: int, chunk: int = 512
) -> tuple[Tensor, Tensor]:
    """Logits and prediction sensitivity of records under every model of a stack.

    The sensitivity of class k is mean over 10 draws u ~ N(0, I) of |p_k(x + eps u) - p_k(x)| / eps
    with eps = 1e-3 (METHOD section 5). The difference is taken on the logits and carried to the
    posteriors exactly, since that of two float32 posteriors near 1 would have lost its digits.

    Args:
        ensemble: M models; put into eval mode.
        x: (n, ...) uint8, or float32 of a table: the whole data set.
        rows: (M, r) indices of the records that each model scores.
        seed: of the draws. Column j of `rows` gets the same draws under every model.
        chunk: records per pass.

    Returns:
        (logits, sensitivity), each (M, r, classes) float32; sensitivity is 0 or more.
    """
    ensemble.eval()
    generator = torch.Generator().manual_seed(seed)
    logits, sensitivity = [], []
    with torch.inference_mode():
        for batch in rows.split(chunk, dim=1):
            inputs = ensemble.inputs(x[batch])
            z = ensemble(inputs)
            total = torch.zeros_like(z)
            for _ in range(DRAWS):
                noise = torch.empty(inputs.shape[1:]).normal_(generator=generator)
                shifted = ensemble(torch.add(inputs, noise, alpha=STEP))
                total += posterior_change(z, shifted - z).abs()
            logits.append(z)
            sensitivity.append(total / (DRAWS * STEP))
    return torch.cat(logits, dim=1), torch.cat(sensitivity, dim=1)


def posterior_change(logits: Tensor, change: Tensor) -> Tensor:
    """softmax(logits + change) - softmax(logits) along the last axis, without cancellation.

    Changes are first taken relative to that of the largest logit, which moves no posterior. With
    p = softmax(logits), the k-th difference is p_k (exp(change_k - c) - 1), where
    c = log sum_j p_j exp(change_j): near p_k = 1 it is as small as all the other posteriors, and
    so is then every term of the sum.
    """
    p = logits.softmax(dim=-1)
    change = change - change.gather(-1, logits.argmax(dim=-1, keepdim=True))
    c = (p * change.expm1()).sum(dim=-1, keepdim=True).log1p()
    return p * (change - c).expm1()
