"""ResNet18, VGG16 and DenseNet121 for small pictures, built from torchvision's parts.

Each has the usual stem for 32x32 pictures: a 3x3 convolution with stride 1 and no early
pooling. Pictures may have 8x8 to 64x64 pixels and any number of channels.
"""

from __future__ import annotations

from abc import abstractmethod
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torchvision.models import densenet, resnet, vgg

from prunepriv.models.base import Ensemble, TiedWeights
from prunepriv.models.layers import StackedBatchNorm2d, group_count


class Vision(Ensemble):
    """M copies of one network of torchvision, run one after another.

    The layers have the names of the network's layers, but hold the values of all models, stacked on
    a first axis. When a model runs, its rows replace the stacked values. Batch norm updates the
    stacked running statistics through those rows, which are views.
    """

    one_by_one: ClassVar[bool] = True

    def __init__(
        self,
        models: int,
        shape: Sequence[int],
        classes: int,
        width: float = 1.0,
        norm: str = "batch",
    ) -> None:
        super().__init__()
        with torch.device("meta"):  # shapes only: reset() draws the weights
            network = self.network(shape, classes, width)
        self.built_for = (tuple(shape), classes, width)
        _stack(network, models, norm)
        # In a tuple, so that torch does not register it: layers keep their names without a prefix.
        self._network = (network,)
        self._slots: list[tuple[dict[str, Any], str]] = [
            (slots, name)
            for layer in network.modules()
            for slots in (layer._parameters, layer._buffers)
            for name in slots
            if slots[name] is not None
        ]
        for name, layer in network.named_children():
            self.add_module(name, layer)

    @staticmethod
    @abstractmethod
    def network(shape: Sequence[int], classes: int, width: float) -> nn.Module:
        """One network with batch norm, for pictures (channels, height, width)."""

    @staticmethod
    def inputs(x: Tensor) -> Tensor:
        return x.to(torch.float32).mul_(2 / 255).sub_(1)

    def forward(self, x: Tensor) -> Tensor:
        stacked = [slots[name] for slots, name in self._slots]
        rows = [_rows(value) for value in stacked]
        logits = []
        try:
            for model, pictures in enumerate(x.unbind(0)):
                self._fill([row[model] for row in rows])
                batch = pictures.contiguous(memory_format=torch.channels_last)
                logits.append(self._network[0](batch))
        finally:
            self._fill(stacked)
        return torch.stack(logits)

    def _fill(self, values: Sequence[Any]) -> None:
        """Give the layers these parameters and buffers.

        torch.func.functional_call looks up every layer by its name: a pass of DenseNet121 then
        takes 7 ms longer.
        """
        for (slots, name), value in zip(self._slots, values, strict=True):
            slots[name] = value


class ResNet18(Vision):
    """He et al. 2016: 64 to 512 channels, two blocks of two convolutions at each of four sizes."""

    @staticmethod
    def network(shape: Sequence[int], classes: int, width: float) -> nn.Module:
        return _NarrowResNet(shape[0], classes, width)


class VGG16(Vision):
    """Simonyan & Zisserman 2015 with batch norm; global pooling and one linear layer at the end.

    A pooling that would leave less than one pixel is dropped.
    """

    @staticmethod
    def network(shape: Sequence[int], classes: int, width: float) -> nn.Module:
        plan: list[Any] = []
        side = min(shape[1:])
        for entry in vgg.cfgs["D"]:
            if isinstance(entry, int):
                plan.append(_scaled(entry, width))
            elif side >= 2:
                plan.append(entry)
                side //= 2
        features = vgg.make_layers(plan, batch_norm=True)
        features[0] = nn.Conv2d(shape[0], plan[0], 3, padding=1)
        return nn.Sequential(
            OrderedDict(
                features=features,
                pool=nn.AdaptiveAvgPool2d(1),
                flat=nn.Flatten(),
                classifier=nn.Linear(_scaled(512, width), classes),
            )
        )


class DenseNet121(Vision):
    """Huang et al. 2017: growth 32, 64 first channels, blocks of 6, 12, 24 and 16 layers."""

    @staticmethod
    def network(shape: Sequence[int], classes: int, width: float) -> nn.Module:
        first = _scaled(64, width)
        network: nn.Module = densenet.DenseNet(
            growth_rate=_scaled(32, width), num_init_features=first, num_classes=classes
        )
        features = network.get_submodule("features")
        features.add_module("conv0", nn.Conv2d(shape[0], first, 3, padding=1, bias=False))
        features.add_module("pool0", nn.Identity())
        return network

    def normalized(self) -> dict[str, TiedWeights]:
        """norm0 and norm2 follow a convolution; the others come before the layer that reads them.

        The others scale a concatenation that later layers read too. A channel that is removed there
        is lost for one layer only, the next: its weights for that input are removed.
        """
        pairs: dict[str, TiedWeights] = {}
        for name, layer in self.named_modules():
            if isinstance(layer, StackedBatchNorm2d):
                inside, _, own = name.rpartition(".")
                weight, axis = _NEIGHBORS[own]
                pairs[name] = ((weight if own == "norm5" else f"{inside}.{weight}", axis),)
        return pairs


_NEIGHBORS = {
    "norm0": ("conv0.weight", 0),
    "norm1": ("conv1.weight", 1),
    "norm2": ("conv1.weight", 0),
    "norm": ("conv.weight", 1),
    "norm5": ("classifier.weight", 1),
}
"""DenseNet's batch norms: the weight that loses their channels, and on which axis."""


class _NarrowResNet(resnet.ResNet):  # type: ignore[misc]
    """torchvision's ResNet18 with all channels scaled and the stem for small pictures."""

    def __init__(self, channels: int, classes: int, width: float) -> None:
        self.width = width
        super().__init__(resnet.BasicBlock, [2, 2, 2, 2], num_classes=classes)
        first, last = _scaled(64, width), _scaled(512, width)
        self.conv1 = nn.Conv2d(channels, first, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(first)
        self.maxpool = nn.Identity()
        self.fc = nn.Linear(last, classes)

    def _make_layer(
        self,
        block: type[resnet.BasicBlock | resnet.Bottleneck],
        planes: int,
        blocks: int,
        stride: int = 1,
        dilate: bool = False,
    ) -> nn.Sequential:
        if planes == 64:  # torchvision has just set the width of its own stem
            self.inplanes = _scaled(64, self.width)
        planes = _scaled(planes, self.width)
        layer: nn.Sequential = super()._make_layer(block, planes, blocks, stride, dilate)
        shortcut: Any = layer[0].downsample
        if shortcut is not None and shortcut[0].in_channels < _SAFE_CHANNELS:
            shortcut[0] = _Subsampled(shortcut[0].in_channels, shortcut[0].out_channels, stride)
        return layer


_SAFE_CHANNELS = 16
"""Input channels from which on a 1x1 convolution with a stride is safe, see :class:`_Subsampled`."""


class _Subsampled(nn.Conv2d):
    """A 1x1 convolution that drops the skipped pixels itself, and then has no stride.

    With a stride, channels last and fewer channels than one vector register holds (8 with AVX2, 16
    with AVX-512), oneDNN 3.12 writes past its workspace in the backward pass (its issue 6035): the
    process dies at 64x64 pixels, and other memory may be damaged before. The results are the same
    bits. For 8 channels at 64x64 it takes 10 ms, with a contiguous input 73 ms; from 16 channels on,
    the convolution with a stride is twice as fast, and safe.
    """

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__(inputs, outputs, 1, bias=False)
        self.step = stride

    def forward(self, x: Tensor) -> Tensor:
        kept = x[:, :, :: self.step, :: self.step]
        return super().forward(kept.contiguous(memory_format=torch.channels_last))


def _rows(value: Tensor) -> tuple[Tensor, ...]:
    """A view for each model of a stack; for a single one, without a copy of its gradient."""
    return (value.squeeze(0),) if len(value) == 1 else value.unbind(0)


def _scaled(channels: int, width: float) -> int:
    """At least two: DenseNet's transitions halve the channels, and a group norm needs two."""
    return max(2, round(channels * width))


def _stack(network: nn.Module, models: int, norm: str) -> None:
    """Replace the norms by the chosen kind, and give every layer unset values for all models."""
    for layer in list(network.modules()):
        for name, child in list(layer.named_children()):
            if isinstance(child, nn.BatchNorm2d):
                setattr(layer, name, _norm(models, child.num_features, norm))
    for layer in network.modules():
        if isinstance(layer, StackedBatchNorm2d):
            continue
        for name, value in list(layer.named_parameters(recurse=False)):
            setattr(layer, name, nn.Parameter(torch.empty(models, *value.shape)))


def _norm(models: int, channels: int, norm: str) -> nn.Module:
    if norm == "batch":
        return StackedBatchNorm2d(models, channels)
    return nn.GroupNorm(group_count(channels), channels)
