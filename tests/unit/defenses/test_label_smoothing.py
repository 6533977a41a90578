from __future__ import annotations

import pytest
import torch

from prunepriv.defenses.label_smoothing import label_smoothing


@pytest.mark.parametrize("share", [0.0, 0.1, 0.7])
def test_against_smoothed_targets_written_out(share: float) -> None:
    generator = torch.Generator().manual_seed(2)
    logits = 4 * torch.randn(2, 5, 6, generator=generator, dtype=torch.float64)
    labels = torch.randint(0, 6, (2, 5), generator=generator)
    target = torch.full((2, 5, 6), share / 6, dtype=torch.float64)
    target.scatter_add_(2, labels[..., None], torch.full((2, 5, 1), 1 - share).double())
    expected = -(target * logits.log_softmax(2)).sum(2).mean(1)
    torch.testing.assert_close(label_smoothing(share)(logits, labels), expected)
