"""Cross-entropy per model against a sum over records."""

from __future__ import annotations

import math

import pytest
import torch

from prunepriv.training import cross_entropy


def test_each_models_loss_is_the_mean_over_its_batch() -> None:
    logits = torch.tensor([[[2.0, 0.0, 1.0], [0.0, 3.0, 0.0]], [[0.0, 0.0, 0.0], [1.0, 0.0, -1.0]]])
    labels = torch.tensor([[0, 2], [1, 0]])
    expected = []
    for rows, truth in zip(logits.tolist(), labels.tolist(), strict=True):
        losses = [math.log(sum(map(math.exp, z))) - z[y] for z, y in zip(rows, truth, strict=True)]
        expected.append(sum(losses) / len(losses))
    assert cross_entropy(logits, labels).tolist() == pytest.approx(expected, rel=1e-6)
