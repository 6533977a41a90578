"""Layers that compute many models at once: the first axis of every parameter is the model.

A stack of M models of one architecture runs as one batched product, one grouped convolution and
one batch norm over M times the channels: the arithmetic of M separate models, in far fewer calls.
Each model draws its dropout from its own generator, so that what a model learns does not depend on
which models are trained with it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

ALIGNED = 16
"""Float32 values in 64 bytes: PyTorch allocates memory at multiples of them."""


class StackedLinear(nn.Module):
    """M linear layers: (M, B, inputs) -> (M, B, outputs)."""

    def __init__(self, models: int, inputs: int, outputs: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(models, outputs, inputs))
        self.bias = nn.Parameter(torch.empty(models, outputs))

    def forward(self, x: Tensor) -> Tensor:
        # under autocast PyTorch chooses the types
        learns = self.training and torch.is_grad_enabled()
        if learns and not torch.is_autocast_enabled(x.device.type):
            product: Tensor = _Products.apply(x, self.weight, self.bias)
            return product
        return products(x, self.weight.mT, self.bias)


class _Products(torch.autograd.Function):
    """The same product, whose backward pass gives the weights' gradient in their own layout.

    PyTorch computes the transposed gradient and copies it: a sixth of a step's time on Location.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        ctx.save_for_backward(x, weight)
        return products(x, weight.mT, bias)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor, Tensor]:
        x, weight = ctx.saved_tensors
        of_input = products(gradient, weight) if ctx.needs_input_grad[0] else None
        return of_input, products(gradient.mT, x), gradient.sum(1)


def products(x: Tensor, y: Tensor, bias: Tensor | None = None) -> Tensor:
    """(M, r, c) products of M pairs of matrices, each with the bits that it has in a stack of one.

    On the processor, the rounding of a product depends on where its matrices begin in memory. A
    stack of one begins at a multiple of 64 bytes; where the others of a stack do not, each product
    is computed alone.

    Args:
        x: (M, r, k), in memory of its own.
        y: (M, k, c), in memory of its own.
        bias: (M, c), added to every row; none if left out.
    """
    if x.device.type != "cpu" or len(x) == 1 or _all_begin_aligned(x, y):
        return _products(x, y, bias)
    rows = [slice(row, row + 1) for row in range(len(x))]
    biases = [None if bias is None else bias[row] for row in rows]
    return torch.cat(
        [_products(x[row].clone(), y[row].clone(), b) for row, b in zip(rows, biases, strict=True)]
    )


def _products(x: Tensor, y: Tensor, bias: Tensor | None) -> Tensor:
    return torch.bmm(x, y) if bias is None else torch.baddbmm(bias.unsqueeze(1), x, y)


def _all_begin_aligned(x: Tensor, y: Tensor) -> bool:
    """Whether every factor and every product of a stack begins at a multiple of 64 bytes.

    Matrices of one row or column do not count: several are multiplied in another way than one.
    """
    r, k, c = x.shape[1], x.shape[2], y.shape[2]
    return min(r, k, c) > 1 and not any(size % ALIGNED for size in (r * k, k * c, r * c))


class StackedConv2d(nn.Module):
    """M convolutions without bias: (B, M * inputs, H, W) -> (B, M * outputs, H, W)."""

    def __init__(self, models: int, inputs: int, outputs: int, size: int = 3) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(models, outputs, inputs, size, size))

    def forward(self, x: Tensor) -> Tensor:
        weight = self.weight.flatten(0, 1)
        groups = self.weight.shape[0]
        return F.conv2d(x, weight, padding=self.weight.shape[-1] // 2, groups=groups)


class StackedBatchNorm2d(nn.Module):
    """M batch norms over (B, M * channels, H, W); momentum 0.1 and eps 1e-5, as in PyTorch.

    A batch of one value per channel has no variance: it is normalised by the running statistics.
    """

    running_mean: Tensor
    running_var: Tensor

    def __init__(self, models: int, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(models, channels))
        self.bias = nn.Parameter(torch.empty(models, channels))
        self.register_buffer("running_mean", torch.zeros(models, channels))
        self.register_buffer("running_var", torch.ones(models, channels))

    def forward(self, x: Tensor) -> Tensor:
        values = (self.running_mean, self.running_var, self.weight, self.bias)
        mean, var, weight, bias = (v if v.dim() == 1 else v.view(-1) for v in values)
        return F.batch_norm(
            x,
            mean,
            var,
            weight,
            bias,
            training=self.training and x.numel() > x.shape[1],
        )


class StackedGroupNorm(nn.Module):
    """M group norms over (B, M * channels, H, W), in :func:`group_count` groups each."""

    def __init__(self, models: int, channels: int) -> None:
        super().__init__()
        self.groups = group_count(channels)
        self.weight = nn.Parameter(torch.empty(models, channels))
        self.bias = nn.Parameter(torch.empty(models, channels))

    def forward(self, x: Tensor) -> Tensor:
        groups = self.weight.shape[0] * self.groups
        return F.group_norm(x, groups, self.weight.view(-1), self.bias.view(-1))


def group_count(channels: int) -> int:
    """Groups of a group norm: 8, or fewer, so that all have the same size of two or more channels.

    One channel of 1x1 pixels has no variance: its norm would be the same for every record.
    """
    return next(n for n in (8, 4, 2, 1) if n == 1 or (channels % n == 0 and channels > n))


class Dropout(nn.Module):
    """Dropout over (M, B, ...) with one generator per model; the identity in eval mode.

    The generators are on the processor, so that a model has the same dropout on every device.
    """

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate
        self.generators: Sequence[torch.Generator] = ()

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return x
        if len(self.generators) != x.shape[0]:
            raise RuntimeError(f"{x.shape[0]} models, but {len(self.generators)} generators")
        rows = [keep_mask(x[0].shape, self.rate, g) for g in self.generators]
        mask = torch.stack(rows) if len(rows) > 1 else rows[0]
        return x * mask.to(x.device)


def keep_mask(shape: Sequence[int], rate: float, generator: torch.Generator) -> Tensor:
    """A dropout mask: 0 with probability `rate`, else 1 / (1 - rate); float32.

    Four elements share one 64-bit draw (16 bits each, so the rate is exact to 1 part in 65,536):
    drawing a float per element took 29 % of an attack network's training time.
    """
    count = math.prod(shape)
    draws = torch.empty(-(-count // 4), dtype=torch.int64)
    draws.random_(-(2**63), None, generator=generator)
    dropped = round(rate * 2**16)
    kept = draws.view(torch.int16)[:count] >= dropped - 2**15
    return kept.view(shape).to(torch.float32).mul_(2**16 / (2**16 - dropped))
