"""Records that are converted before training, or batch by batch."""

from __future__ import annotations

import pytest
import torch

from prunepriv.models import build
from prunepriv.training import Records, Settings, initialize, loop, train


@pytest.mark.parametrize("name", ["fc", "cnn"])
def test_inputs_in_advance_change_no_bit(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A data set that is too large is converted batch by batch."""
    shape = (20,) if name == "fc" else (1, 8, 8)
    found = []
    for most in (loop.IN_ADVANCE, 0):
        monkeypatch.setattr(loop, "IN_ADVANCE", most)
        ensemble = build(name, 1, shape, 3)
        initialize(ensemble, 0, [0])
        generator = torch.Generator().manual_seed(0)
        records = Records(
            x=torch.randint(0, 256, (60, *shape), generator=generator, dtype=torch.uint8),
            y=torch.arange(60) % 3,
            train=torch.arange(40)[None],
            validation=torch.arange(40, 60)[None],
        )
        found += train(ensemble, records, Settings(epochs=2, batch_size=16), seed=0, stage="train")
    one, two = found
    assert one.history == two.history
    for weights, same in zip(one.state.values(), two.state.values(), strict=True):
        assert torch.equal(weights, same)
