"""The gradient of every record of a batch, for stacks of one."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from prunepriv.models import Ensemble
from prunepriv.models.layers import StackedConv2d, StackedGroupNorm, StackedLinear

Gradients = dict[str, Tensor]
"""Parameter of a layer -> (B, *its shape)."""


class PerRecordGradients:
    """Watches a stack of one, and gives each parameter its ``grad_sample``, as Opacus reads it.

    A layer's gradient for one record follows from what went in and the gradient of what came out,
    so one backward pass serves all records. The loss is the mean over the batch.

    Raises:
        TypeError: a layer with parameters that is not known here.
    """

    def __init__(self, ensemble: Ensemble) -> None:
        self._parameters = dict(ensemble.named_parameters())
        self._batch = 0
        self._found: dict[nn.Parameter, Tensor] = {}
        for layer in ensemble.modules():
            if next(layer.parameters(recurse=False), None) is not None:
                if type(layer) not in RULES:
                    raise TypeError(f"no per-record gradients of {type(layer).__name__}")
                layer.register_forward_hook(self._watch)

    def collect(self, masks: Mapping[str, Tensor]) -> None:
        """Give the gradients of the last backward pass to the parameters; none, after no pass.

        Args:
            masks: parameter name -> bool (1, ...); what is False gets no gradient.
        """
        for name, parameter in self._parameters.items():
            found = self._found.get(parameter)
            if found is None:
                found = parameter.new_zeros((0, *parameter.shape))
            parameter.grad_sample = found * masks[name] if name in masks else found  # type: ignore[attr-defined]
        self._found = {}

    def _watch(self, layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        if not (layer.training and output.requires_grad):
            return
        x = inputs[0].detach()

        def take(gradient: Tensor) -> None:
            batch = len(gradient) if isinstance(layer, BATCH_FIRST) else gradient.shape[1]
            for name, of_record in RULES[type(layer)](layer, x, gradient * batch).items():
                self._found[layer.get_parameter(name)] = of_record

        output.register_hook(take)


def _linear(layer: nn.Module, x: Tensor, gradient: Tensor) -> Gradients:
    """Of inputs x (1, B, i) and gradient (1, B, o)."""
    weight = torch.einsum("mbo,mbi->bmoi", gradient, x)
    return {"weight": weight, "bias": gradient.transpose(0, 1)}


def _conv2d(layer: nn.Module, x: Tensor, gradient: Tensor) -> Gradients:
    """Of inputs x (B, i, H, W) and gradient (B, o, H, W)."""
    shape = layer.get_parameter("weight").shape
    patches = F.unfold(x, shape[-1], padding=shape[-1] // 2)
    weight = torch.einsum("bop,bkp->bok", gradient.flatten(2), patches)
    return {"weight": weight.reshape(len(x), *shape)}


def _group_norm(layer: nn.Module, x: Tensor, gradient: Tensor) -> Gradients:
    """Of inputs x and gradient, each (B, c, H, W)."""
    assert isinstance(layer, StackedGroupNorm)
    weight = (gradient * F.group_norm(x, layer.groups)).sum(dim=(2, 3))
    return {"weight": weight[:, None], "bias": gradient.sum(dim=(2, 3))[:, None]}


RULES: Mapping[type[nn.Module], Callable[[nn.Module, Tensor, Tensor], Gradients]] = {
    StackedLinear: _linear,
    StackedConv2d: _conv2d,
    StackedGroupNorm: _group_norm,
}
BATCH_FIRST = (StackedConv2d, StackedGroupNorm)
"""Layers whose records are on the first axis, the models' channels side by side."""
