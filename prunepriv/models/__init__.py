"""Architectures, each as a stack of models that run together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Protocol

from prunepriv.models.base import Ensemble, State
from prunepriv.models.cnn import CNN
from prunepriv.models.costs import multiplications
from prunepriv.models.fc import FC
from prunepriv.options import MODELS, lookup


class Architecture(Protocol):
    """An entry of :data:`REGISTRY`: a call makes an Ensemble whose weights are not set yet."""

    def __call__(
        self,
        models: int,
        shape: Sequence[int],
        classes: int,
        width: float = 1.0,
        norm: str = "batch",
    ) -> Ensemble: ...


def _vision(name: str) -> Architecture:
    """A network of torchvision, whose import takes a third of a worker's start: on demand."""

    def made(
        models: int, shape: Sequence[int], classes: int, width: float = 1.0, norm: str = "batch"
    ) -> Ensemble:
        vision = import_module("prunepriv.models.vision")
        network: Ensemble = getattr(vision, name)(models, shape, classes, width, norm)
        return network

    return made


REGISTRY: Mapping[str, Architecture] = {
    "fc": FC,
    "cnn": CNN,
    "resnet18": _vision("ResNet18"),
    "vgg16": _vision("VGG16"),
    "densenet121": _vision("DenseNet121"),
}


def build(
    name: str,
    models: int,
    shape: Sequence[int],
    classes: int,
    width: float = 1.0,
    norm: str = "batch",
) -> Ensemble:
    """Make a stack of `models` networks of one architecture.

    Args:
        shape: of one record, (features,) or (channels, height, width).
        width: factor on the channels.
        norm: "batch" or "group"; networks without a norm ignore it.

    Raises:
        UnknownNameError: no such architecture.
    """
    return REGISTRY[lookup(MODELS, name, "model").name](models, shape, classes, width, norm)


__all__ = ["REGISTRY", "Architecture", "Ensemble", "State", "build", "multiplications"]
