"""What every architecture offers to training, pruning and signals."""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import ClassVar

import torch
from torch import Tensor, nn

from prunepriv.models.layers import (
    ALIGNED,
    Dropout,
    StackedBatchNorm2d,
    StackedConv2d,
    StackedGroupNorm,
    StackedLinear,
)

State = dict[str, Tensor]
"""Parameters and buffers by name; the first axis is the model."""

TiedWeights = tuple[tuple[str, int], ...]
"""The weights that lose a channel when a batch norm loses it, each with the channel axis of one
model's weight: 0 for the filters before the norm, 1 for the layer that reads the norm."""

CONVOLUTIONS = (StackedConv2d, nn.Conv2d)
LINEARS = (StackedLinear, nn.Linear)
NORMS = (StackedBatchNorm2d, StackedGroupNorm, nn.GroupNorm)


class Ensemble(nn.Module, ABC):
    """M independent models of one architecture, run as one module.

    Args of every architecture: models (M), shape of a record, classes, width factor, norm.
    """

    one_by_one: ClassVar[bool] = False
    """Whether the models are so large that each is trained and scored alone, as a stack of one."""

    @abstractmethod
    def forward(self, x: Tensor) -> Tensor:
        """Logits (M, B, classes) for records (M, B, *shape) that :meth:`inputs` returned."""

    @staticmethod
    @abstractmethod
    def inputs(x: Tensor) -> Tensor:
        """Convert stored records (..., *shape) to float32 in the network's input range."""

    @property
    def models(self) -> int:
        return next(self.parameters()).shape[0]

    def prunable(self) -> Mapping[str, str]:
        """Weights that pruning may remove: parameter name -> "linear" or "conv"."""
        return {
            f"{name}.weight": "conv" if isinstance(layer, CONVOLUTIONS) else "linear"
            for name, layer in self.named_modules()
            if isinstance(layer, CONVOLUTIONS + LINEARS)
        }

    def normalized(self) -> Mapping[str, TiedWeights]:
        """Batch norms: module name -> the weights that lose a channel when the norm loses it.

        By default, these are the filters of the last convolution registered before the norm.
        """
        pairs: dict[str, TiedWeights] = {}
        producer = ""
        for name, layer in self.named_modules():
            if isinstance(layer, CONVOLUTIONS):
                producer = f"{name}.weight"
            elif isinstance(layer, StackedBatchNorm2d):
                pairs[name] = ((producer, 0),)
        return pairs

    def reset(self, generators: Sequence[torch.Generator]) -> None:
        """Draw new weights: Xavier normal, biases 0, scales 1 (as in Yuan & Zhang's release).

        With PyTorch's default distribution, models learn more slowly, stop earlier and leak less:
        on Location, the Conf attack then reaches 72 % instead of the published 78 %.
        """
        for layer in self.modules():
            if isinstance(layer, NORMS):
                nn.init.ones_(layer.weight)
                nn.init.zeros_(layer.bias)
            elif isinstance(layer, CONVOLUTIONS + LINEARS):
                for row, generator in zip(layer.weight.data, generators, strict=True):
                    nn.init.xavier_normal_(row, generator=generator)
                bias = getattr(layer, "bias", None)
                if bias is not None:
                    nn.init.zeros_(bias)

    def draw_dropout_from(self, generators: Sequence[torch.Generator]) -> None:
        """Set one generator per model, for all dropout layers of that model."""
        for layer in self.modules():
            if isinstance(layer, Dropout):
                layer.generators = generators

    def keep(self, rows: Tensor) -> None:
        """Keep only some of the models; `rows` indexes the first axis."""
        for parameter in self.parameters():
            parameter.data = parameter.data[rows]
            parameter.grad = None
        for layer in self.modules():
            for name, buffer in layer.named_buffers(recurse=False):
                setattr(layer, name, buffer[rows])
            if isinstance(layer, Dropout) and layer.generators:
                layer.generators = [layer.generators[row] for row in rows.tolist()]

    def single(self, row: int) -> Ensemble:
        """A new stack of one, with copies of that model's parameters and buffers."""
        mine = slice(row, row + 1)
        # deepcopy treats these as copied already, so it never copies the whole stack
        own: dict[int, object] = {id(b): b[mine].clone() for b in self.buffers()}
        own |= {id(p): nn.Parameter(p.detach()[mine].clone()) for p in self.parameters()}
        one = copy.deepcopy(self, own)
        for layer in one.modules():
            if isinstance(layer, Dropout):
                layer.generators = layer.generators[mine]
        return one

    def load(self, state: Mapping[str, Tensor]) -> None:
        """Load parameters and buffers of the same number of models."""
        self.load_state_dict(dict(state))

    def copy_state(self) -> State:
        """Parameters and buffers, detached, copied and contiguous."""
        return {
            name: value.detach().clone(memory_format=torch.contiguous_format)
            for name, value in self.state_dict().items()
        }

    def lay_out_for_training(self, shape: Sequence[int]) -> None:
        """Store filters with channels last where the pictures that they read are stored so.

        Otherwise every step copies each filter twice and its gradient twice. Every result stays
        the same, bit by bit. Therefore filters stay as they are if the pictures are stored
        otherwise or have one pixel or one channel, since they take the layout of the filters, and
        if a filter does not fill vector registers, since Adam rounds the last values differently.

        Args:
            shape: of one record, (features,) or (channels, height, width).
        """
        convolutions = [layer for layer in self.modules() if isinstance(layer, CONVOLUTIONS)]
        if not convolutions:
            return
        read_so = dict[nn.Module, bool]()

        def note(layer: nn.Module, given: tuple[Tensor, ...]) -> None:
            last = given[0].is_contiguous(memory_format=torch.channels_last)
            read_so[layer] = last and not given[0].is_contiguous()

        hooks = [layer.register_forward_pre_hook(note) for layer in convolutions]
        records = torch.zeros(self.models, 2, *shape, dtype=torch.uint8)
        with torch.no_grad():
            self.eval()(self.inputs(records.to(next(self.parameters()).device)))
        for hook in hooks:
            hook.remove()
        for layer in convolutions:
            if read_so[layer] and layer.weight[0].numel() % ALIGNED == 0:
                filters = layer.weight.data.flatten(0, 1)
                last = filters.contiguous(memory_format=torch.channels_last)
                layer.weight.data = last.view(layer.weight.shape)
