"""SAMIA's encoder layer, each half of which is written out forwards and backwards.

Written out, it makes fewer passes over memory than PyTorch's own layers, and keeps factors of
products in the type that the products need.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

from prunepriv.attacks.dropout import Dropout
from prunepriv.attacks.products import Multiplying, linear, linear_backward

WIDTH, HEADS, FEED_FORWARD, RATE = 64, 4, 128, 0.2
EPSILON = 1e-5

VECTOR = 16
"""Floats in the largest vectors of today's processors."""


class EncoderLayer(Multiplying):
    """A transformer-encoder layer over the classes, normalised after each half (Vaswani 2017)."""

    def __init__(self) -> None:
        super().__init__()
        self.project = nn.Linear(WIDTH, 3 * WIDTH)
        self.combine = nn.Linear(WIDTH, WIDTH)
        self.widen = nn.Linear(WIDTH, FEED_FORWARD)
        self.narrow = nn.Linear(FEED_FORWARD, WIDTH)
        self.norm1, self.norm2 = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.drop = Dropout(RATE)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, 64) -> (B, C, 64)."""
        records, tokens, _ = x.shape
        rows, drop, products = records * tokens, self.drop.mask, self.products_of(x)
        attended = Attention.apply(
            x,
            drop((records * HEADS, tokens, tokens), x.dtype),
            drop((rows, WIDTH), x.dtype),
            products,
            *_parameters(self.project, self.combine, self.norm1),
        )
        y: Tensor = FeedForward.apply(
            attended,
            drop((rows, FEED_FORWARD), products),
            drop((rows, WIDTH), x.dtype),
            products,
            *_parameters(self.widen, self.narrow, self.norm2),
        )
        return y


def _parameters(*layers: nn.Linear | nn.LayerNorm) -> list[Tensor]:
    return [parameter for layer in layers for parameter in (layer.weight, layer.bias)]


class Attention(torch.autograd.Function):
    """norm(x + mask * combine(attention(x))), and dropout of the attention's weights.

    It computes plain products of small matrices: with 30 classes and 16 features per head, fused
    attention takes more time for set-up than for arithmetic.
    """

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        weights_mask: Tensor,
        output_mask: Tensor,
        products: torch.dtype,
        project: Tensor,
        project_bias: Tensor,
        combine: Tensor,
        combine_bias: Tensor,
        gain: Tensor,
        shift: Tensor,
    ) -> Tensor:
        """(B, C, 64), masks (4 B, C, C) and (B C, 64) -> (B, C, 64)."""
        flat = x.reshape(-1, WIDTH)
        inputs, project, combine = flat.to(products), project.to(products), combine.to(products)
        qkv = _by_head(linear(inputs, project, project_bias), len(x))
        q, k, v = qkv.unbind()
        q.mul_((WIDTH // HEADS) ** -0.5)
        weights = _softmax(torch.bmm(q, k.mT).to(x.dtype))
        dropped = (weights * weights_mask).to(products)
        attended = _joined(torch.bmm(dropped, v)[None], len(x))
        output = linear(attended, combine, combine_bias).to(x.dtype)
        added = torch.addcmul(flat, output, output_mask)
        y, mean, deviation = torch.native_layer_norm(added, [WIDTH], gain, shift, EPSILON)
        ctx.save_for_backward(
            *(inputs, project, combine, qkv, weights, dropped, attended),
            *(weights_mask, output_mask, added, mean, deviation, gain, shift),
        )
        return y.view(x.shape)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, dy: Tensor) -> tuple[Tensor | None, ...]:
        inputs, project, combine, qkv, weights, dropped, attended, weights_mask, *rest = (
            ctx.saved_tensors
        )
        output_mask, *norm = rest
        dx, dgain, dshift = _norm_backward(dy, norm)
        doutput = (dx * output_mask).to(inputs.dtype)
        dattended = _by_head(doutput @ combine, len(dy))[0]
        q, k, v = qkv.unbind()
        dqkv = torch.empty_like(qkv)
        torch.bmm(dropped.mT, dattended, out=dqkv[2])
        dweights = torch.bmm(dattended, v.mT).to(dy.dtype).mul_(weights_mask)
        dscores = _softmax_backward(dweights, weights).to(inputs.dtype)
        torch.bmm(dscores, k, out=dqkv[0])
        dqkv[0].mul_((WIDTH // HEADS) ** -0.5)
        torch.bmm(dscores.mT, q, out=dqkv[1])
        dprojected = _joined(dqkv, len(dy))
        dx.add_(dprojected @ project)
        return (
            *(dx.view(dy.shape), None, None, None),
            *linear_backward(dprojected, inputs, dy.dtype),
            *linear_backward(doutput, attended, dy.dtype),
            *(dgain, dshift),
        )


class FeedForward(torch.autograd.Function):
    """norm(x + mask * narrow(dropout(gelu(widen(x)))))."""

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        hidden_mask: Tensor,
        output_mask: Tensor,
        products: torch.dtype,
        widen: Tensor,
        widen_bias: Tensor,
        narrow: Tensor,
        narrow_bias: Tensor,
        gain: Tensor,
        shift: Tensor,
    ) -> Tensor:
        """(B, C, 64), masks (B C, 128) and (B C, 64) -> (B, C, 64)."""
        flat = x.reshape(-1, WIDTH)
        inputs, widen, narrow = flat.to(products), widen.to(products), narrow.to(products)
        widened = linear(inputs, widen, widen_bias)
        hidden = F.gelu(widened).mul_(hidden_mask)
        output = linear(hidden, narrow, narrow_bias).to(x.dtype)
        added = torch.addcmul(flat, output, output_mask)
        y, mean, deviation = torch.native_layer_norm(added, [WIDTH], gain, shift, EPSILON)
        ctx.save_for_backward(
            *(inputs, widen, narrow, widened, hidden, hidden_mask, output_mask),
            *(added, mean, deviation, gain, shift),
        )
        return y.view(x.shape)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, dy: Tensor) -> tuple[Tensor | None, ...]:
        inputs, widen, narrow, widened, hidden, hidden_mask, output_mask, *norm = ctx.saved_tensors
        dx, dgain, dshift = _norm_backward(dy, norm)
        doutput = (dx * output_mask).to(inputs.dtype)
        dhidden = (doutput @ narrow).mul_(hidden_mask)
        dwidened = torch.ops.aten.gelu_backward(dhidden, widened)
        dx.add_(dwidened @ widen)
        return (
            *(dx.view(dy.shape), None, None, None),
            *linear_backward(dwidened, inputs, dy.dtype),
            *linear_backward(doutput, hidden, dy.dtype),
            *(dgain, dshift),
        )


def _by_head(rows: Tensor, records: int) -> Tensor:
    """(B C, n 64) -> (n, 4 B, C, 16)."""
    parts = rows.view(records, -1, rows.shape[1] // WIDTH, HEADS, WIDTH // HEADS)
    return parts.permute(2, 0, 3, 1, 4).flatten(1, 2)


def _joined(parts: Tensor, records: int) -> Tensor:
    """(n, 4 B, C, 16) -> (B C, n 64)."""
    apart = parts.view(len(parts), records, HEADS, -1, WIDTH // HEADS)
    return apart.permute(1, 3, 0, 2, 4).reshape(-1, len(parts) * WIDTH)


def _softmax(scores: Tensor) -> Tensor:
    """Over the last axis; rows shorter than a processor's vector are 5 times slower in PyTorch's."""
    if scores.shape[-1] >= VECTOR:
        return scores.softmax(-1)
    weights = (scores - scores.amax(-1, keepdim=True)).exp_()
    return weights.div_(weights.sum(-1, keepdim=True))


def _softmax_backward(dweights: Tensor, weights: Tensor) -> Tensor:
    if weights.shape[-1] >= VECTOR:
        return torch._softmax_backward_data(dweights, weights, -1, weights.dtype)
    products = dweights.mul_(weights)
    return products.addcmul(weights, products.sum(-1, keepdim=True), value=-1)


def _norm_backward(dy: Tensor, saved: list[Tensor]) -> tuple[Tensor, Tensor, Tensor]:
    """Gradients of the norm's inputs (rows, 64), gain and shift."""
    added, mean, deviation, gain, shift = saved
    dx, dgain, dshift = torch.ops.aten.native_layer_norm_backward(
        dy.reshape(-1, WIDTH), added, [WIDTH], mean, deviation, gain, shift, [True] * 3
    )
    return dx, dgain, dshift
