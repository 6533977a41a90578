"""The type of matrix products in attack networks: bfloat16 where the processor is faster so."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def fast_products() -> torch.dtype:
    """The type of factors and results of large matrix products in the `fast` recipe.

    bfloat16 on processors that multiply it faster than float32; sums stay in float32, and so does
    everything else.
    """
    features = torch.cpu.get_capabilities()
    faster = features.get("avx512_bf16", False) or features.get("amx_bf16", False)
    return torch.bfloat16 if faster else torch.float32


class Multiplying(nn.Module):
    """A layer with matrix products. In training, whoever trains it chooses their type.

    Attributes:
        products: the type in training; None is that of the inputs, as in eval mode.
    """

    products: torch.dtype | None = None

    def products_of(self, x: Tensor) -> torch.dtype:
        """The type of products with `x`."""
        return self.products if self.training and self.products else x.dtype


class Linear(nn.Linear, Multiplying):
    """A linear layer whose results have the type of its inputs."""

    def forward(self, x: Tensor) -> Tensor:
        products = self.products_of(x)
        rows = linear(x.to(products).flatten(0, -2), self.weight, self.bias)
        return rows.view(*x.shape[:-1], -1).to(x.dtype)


def use_products(network: nn.Module, products: torch.dtype) -> None:
    """Let all layers of a network have products of this type."""
    for layer in network.modules():
        if isinstance(layer, Multiplying):
            layer.products = products


def linear(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """(n, inputs) and (outputs, inputs) -> (n, outputs) in the type of `x`."""
    return torch.addmm(bias.to(x.dtype), x, weight.to(x.dtype).t())


def linear_backward(dy: Tensor, x: Tensor, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """Gradients of weight and bias, from those of the results."""
    return (dy.t() @ x).to(dtype), dy.sum(0, dtype=dtype)
