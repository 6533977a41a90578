"""The cost of running a network."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from prunepriv.models.base import CONVOLUTIONS, LINEARS, Ensemble


def multiplications(ensemble: Ensemble, shape: Sequence[int]) -> int:
    """Multiply-accumulates of one model's convolutions and linear layers for one record.

    The dense network is counted: pruned weights count too. A record passes through the network on
    the processor: the meta device, which computes shapes only, imports torch's compiler, over a
    second in each worker.

    Args:
        shape: of one record, (features,) or (channels, height, width).
    """
    one = ensemble.single(0).cpu().eval()
    total = 0

    def counter(weights: int, positions: bool) -> Any:
        def count(layer: nn.Module, given: Any, made: Tensor) -> None:
            nonlocal total
            total += weights * (math.prod(made.shape[-2:]) if positions else 1)

        return count

    for layer in one.modules():
        if isinstance(layer, CONVOLUTIONS + LINEARS):
            weights = math.prod(layer.weight.shape[1:])
            layer.register_forward_hook(counter(weights, isinstance(layer, CONVOLUTIONS)))
    with torch.inference_mode():
        one(one.inputs(torch.zeros(1, 1, *shape, dtype=torch.uint8)))
    return total
