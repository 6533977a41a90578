"""Masks of dropout layers."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from prunepriv.attacks.dropout import Dropout, Masks, use_masks


def masks(seed: int = 1) -> Masks:
    return Masks(torch.Generator().manual_seed(seed))


def test_a_mask_has_its_rate_and_is_rarely_seen_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Masks, "POOL", 2**16)
    drawn = masks()
    some = torch.stack([drawn.draw(0.2, (50, 20), torch.float32) for _ in range(200)])
    assert float((some == 0).double().mean()) == pytest.approx(0.2, abs=0.01)
    assert float(some.mean()) == pytest.approx(1, abs=0.01)
    assert len({mask.numpy().tobytes() for mask in some}) > 190


def test_a_mask_larger_than_the_pool_gets_a_larger_pool(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Masks, "POOL", 16)
    mask = masks().draw(0.5, (40, 5), torch.float32)
    assert mask.shape == (40, 5)
    assert set(mask.unique().tolist()) == {0.0, 2.0}


def test_masks_of_several_rates_and_types() -> None:
    drawn = masks()
    for rate, dtype in ((0.2, torch.float32), (0.5, torch.float32), (0.2, torch.bfloat16)):
        mask = drawn.draw(rate, (300, 300), dtype)
        assert mask.dtype == dtype
        assert float((mask == 0).double().mean()) == pytest.approx(rate, abs=0.01)
        assert float(mask.max()) == pytest.approx(1 / (1 - rate), rel=1e-4)


def test_a_layer_drops_in_training_only() -> None:
    network = nn.Sequential(Dropout(0.5), Dropout(0.5))
    use_masks(network, masks())
    x = torch.ones(100, 100)
    assert float((network(x) == 0).double().mean()) == pytest.approx(0.75, abs=0.03)
    assert torch.equal(network.eval()(x), x)
    last = network[1]
    assert isinstance(last, Dropout)
    assert torch.equal(x * last.mask(x.shape, x.dtype), x)


def test_a_layer_without_masks_does_not_train() -> None:
    with pytest.raises(RuntimeError, match=r"use_masks\(\)"):
        Dropout(0.5)(torch.ones(3))
