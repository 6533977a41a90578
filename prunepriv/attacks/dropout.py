"""Dropout whose masks are slices of one long mask: drawing a number per element is slow."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from prunepriv.models.layers import keep_mask


class Masks:
    """Masks that are slices, at random positions, of one long mask drawn beforehand.

    Drawing a number per element took 29 % of SAMIA's training time; a slice takes almost no time,
    and with four million positions to start from, two steps rarely have the same mask.

    Args:
        generator: draws the long masks and the positions.
    """

    POOL = 2**22

    def __init__(self, generator: torch.Generator) -> None:
        self._generator = generator
        self._pools: dict[tuple[float, torch.dtype], Tensor] = {}
        self._numbers: list[int] = []

    def draw(self, rate: float, shape: Sequence[int], dtype: torch.dtype) -> Tensor:
        """A mask of `shape`: 0 with probability `rate`, else 1 / (1 - rate)."""
        count = math.prod(shape)
        pool = self._pools.get((rate, dtype))
        if pool is None or 2 * count > len(pool):
            size = max(self.POOL, 2 * count)
            pool = keep_mask((size,), rate, self._generator).to(dtype)
            self._pools[rate, dtype] = pool
        start = self._number() % (len(pool) - count + 1)
        return pool[start : start + count].view(*shape)

    def _number(self) -> int:
        """A number of 62 random bits. To draw a thousand takes little longer than to draw one."""
        if not self._numbers:
            self._numbers = torch.randint(2**62, (1024,), generator=self._generator).tolist()
        return self._numbers.pop()


class Dropout(nn.Module):
    """Dropout with masks from whoever trains the network; the identity in eval mode."""

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate
        self.masks: Masks | None = None

    def mask(self, shape: Sequence[int], dtype: torch.dtype) -> Tensor:
        """A mask of `shape`; in eval mode the scalar 1.

        Raises:
            RuntimeError: in training mode, if the layer was given no masks.
        """
        if not self.training:
            return torch.ones((), dtype=dtype)
        if self.masks is None:
            raise RuntimeError("dropout has no masks: give it some with use_masks()")
        return self.masks.draw(self.rate, shape, dtype)

    def forward(self, x: Tensor) -> Tensor:
        return x * self.mask(x.shape, x.dtype) if self.training else x


def use_masks(network: nn.Module, masks: Masks) -> None:
    """Let all dropout layers of a network draw from the same masks."""
    for layer in network.modules():
        if isinstance(layer, Dropout):
            layer.masks = masks
