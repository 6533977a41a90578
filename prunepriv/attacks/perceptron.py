"""The network of NN, Top3-NN and Cls-NN, written out forwards and backwards.

Its products are small: PyTorch's own layers spend more than a third of a training step on calls.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from prunepriv.attacks.dropout import Dropout
from prunepriv.attacks.products import Multiplying, linear, linear_backward


class Perceptron(nn.Sequential, Multiplying):
    """Linear layers with ReLU between them; dropout may follow a ReLU."""

    def forward(self, x: Tensor) -> Tensor:
        """(B, inputs) -> (B, outputs)."""
        products = self.products_of(x)
        parameters: list[Tensor] = []
        masks: list[Tensor | None] = []
        for layer in self:
            if isinstance(layer, nn.Linear):
                parameters += layer.weight, layer.bias
                masks.append(None)
                shape = len(x), layer.out_features
            elif isinstance(layer, Dropout):
                masks[-1] = layer.mask(shape, products)
        outputs: Tensor = Layers.apply(x, masks[:-1], products, *parameters)
        return outputs


class Layers(torch.autograd.Function):
    """Linear layers with ReLU between them, and masks on some of the results.

    The last product, with two outputs, is too small to be faster in another type.
    """

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        masks: Sequence[Tensor | None],
        products: torch.dtype,
        *parameters: Tensor,
    ) -> Tensor:
        """(B, inputs), a mask or None for all layers but the last, weights and biases in turn."""
        *weights, last = parameters[::2]
        *biases, last_bias = parameters[1::2]
        weights, inputs = [weight.to(products) for weight in weights], [x.to(products)]
        for weight, bias, mask in zip(weights, biases, masks, strict=True):
            y = linear(inputs[-1], weight, bias).relu_()
            inputs.append(y if mask is None else y.mul_(mask))
        hidden = inputs[-1].to(x.dtype)
        ctx.masks, ctx.layers, ctx.dtype = masks, len(weights), x.dtype
        ctx.save_for_backward(*weights, *inputs, hidden, last)
        return linear(hidden, last, last_bias)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, dy: Tensor) -> tuple[Tensor | None, ...]:
        *saved, hidden, last = ctx.saved_tensors
        weights, inputs = saved[: ctx.layers], saved[ctx.layers :]
        gradients = list(linear_backward(dy, hidden, ctx.dtype))
        dinput = (dy @ last).to(inputs[0].dtype)
        for number in reversed(range(ctx.layers)):
            dy = torch.ops.aten.threshold_backward(dinput, inputs[number + 1], 0)
            if ctx.masks[number] is not None:
                dy.mul_(ctx.masks[number])
            gradients[:0] = linear_backward(dy, inputs[number], ctx.dtype)
            if number > 0 or ctx.needs_input_grad[0]:
                dinput = dy @ weights[number]
        dx = dinput.to(ctx.dtype) if ctx.needs_input_grad[0] else None
        return dx, None, None, *gradients
