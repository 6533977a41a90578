"""Small stacks of models, records that they can learn, and the same models in plain PyTorch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from prunepriv.models import Ensemble, State, build
from prunepriv.models.vision import Vision, _Subsampled
from prunepriv.training import Records, initialize, train

torch.set_num_threads(1)

SHAPES: dict[str, tuple[int, ...]] = {
    "fc": (20,),
    "cnn": (3, 16, 16),
    "resnet18": (3, 8, 8),
    "vgg16": (3, 8, 8),
    "densenet121": (3, 8, 8),
}
CLASSES = 5
WIDTH = 0.25
COUNT, TRAIN, VALIDATION = 400, 90, 40
"""Records of `make_problem`, in all and of each model."""

Layer = TypeVar("Layer", bound=nn.Module)


def make_stack(
    name: str,
    models: int = 3,
    *,
    shape: tuple[int, ...] | None = None,
    width: float = WIDTH,
    norm: str = "batch",
) -> Ensemble:
    """A stack whose weights, biases, scales and running statistics all differ from the default."""
    ensemble = build(name, models, shape or SHAPES[name], CLASSES, width, norm)
    initialize(ensemble, seed=3)
    generator = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for parameter in ensemble.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=generator), alpha=0.1)
        for buffer in ensemble.buffers():
            buffer.add_(torch.rand(buffer.shape, generator=generator), alpha=0.5)
    return ensemble


def make_records(name: str, count: int = 64, *, shape: tuple[int, ...] | None = None) -> Tensor:
    """(count, ...) uint8 records as a data set stores them."""
    top = 2 if name == "fc" else 256
    generator = torch.Generator().manual_seed(11)
    size = (count, *(shape or SHAPES[name]))
    return torch.randint(0, top, size, dtype=torch.uint8, generator=generator)


def make_problem(
    name: str,
    models: int,
    *,
    noise: float = 0.35,
    shape: tuple[int, ...] | None = None,
    classes: int = CLASSES,
) -> Records:
    """Records that a network can learn in part: a pattern per class, and noise."""
    generator = torch.Generator().manual_seed(2)
    y = torch.randint(0, classes, (COUNT,), generator=generator)
    pattern = torch.rand((classes, *(shape or SHAPES[name])), generator=generator)[y]
    chance = torch.rand(pattern.shape, generator=generator)
    keep = torch.rand(pattern.shape, generator=generator) > noise
    mixed = torch.where(keep, pattern, chance)
    x = (mixed > 0.5) if name == "fc" else mixed * 255
    orders = [torch.randperm(COUNT, generator=generator) for _ in range(models)]
    rows = torch.stack(orders)
    return Records(
        x=x.to(torch.uint8),
        y=y,
        train=rows[:, :TRAIN],
        validation=rows[:, TRAIN : TRAIN + VALIDATION],
    )


def fresh(name: str, models: int, *, dropout: bool = True) -> Ensemble:
    """A stack as training finds it."""
    ensemble = build(name, models, SHAPES[name], CLASSES, WIDTH)
    initialize(ensemble, seed=7)
    if not dropout and name == "fc":
        ensemble.dropout.rate = 0.0  # type: ignore[union-attr, assignment]
    return ensemble


def alone(name: str, ensemble: Ensemble, model: int) -> nn.Module:
    """Model number `model` of the stack as layers of torch.nn; trained dropout-free."""
    if isinstance(ensemble, Vision):
        return _vision(ensemble, model)
    return {"fc": _fc, "cnn": _cnn}[name](ensemble, model)


def _vision(ensemble: Vision, model: int) -> nn.Module:
    """torchvision's network with its own layers, of the sizes that the stack was built for."""
    shape, classes, width = ensemble.built_for
    network = ensemble.network(shape, classes, width)
    for name, layer in list(network.named_modules()):
        if isinstance(layer, nn.BatchNorm2d) and not ensemble.normalized():
            channels = layer.num_features
            network.set_submodule(name, nn.GroupNorm(_groups(channels), channels))
        elif isinstance(layer, _Subsampled):
            plain = nn.Conv2d(layer.in_channels, layer.out_channels, 1, layer.step, bias=False)
            network.set_submodule(name, plain)
    return _take(network, ensemble, model)


def _fc(ensemble: Any, model: int) -> nn.Sequential:
    return nn.Sequential(
        _linear(ensemble.hidden1, model), nn.ReLU(), nn.Dropout(0.0),
        _linear(ensemble.hidden2, model), nn.ReLU(), nn.Dropout(0.0),
        _linear(ensemble.output, model),
    )  # fmt: skip


def _cnn(ensemble: Any, model: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for depth in range(3):
        layers += [
            _conv(ensemble.convolutions[depth], model),
            nn.MaxPool2d(2) if depth < 2 else nn.Identity(),
            _norm(ensemble.norms[depth], model),
            nn.ReLU(),
        ]
    layers += [nn.AdaptiveAvgPool2d(ensemble.side), nn.Flatten()]
    layers += [_linear(ensemble.hidden, model), nn.ReLU(), _linear(ensemble.output, model)]
    return nn.Sequential(*layers)


def _linear(stacked: Any, model: int) -> nn.Linear:
    layer = nn.Linear(stacked.weight.shape[2], stacked.weight.shape[1])
    return _take(layer, stacked, model)


def _conv(stacked: Any, model: int) -> nn.Conv2d:
    layer = nn.Conv2d(stacked.weight.shape[2], stacked.weight.shape[1], 3, padding=1, bias=False)
    return _take(layer, stacked, model)


def _norm(stacked: Any, model: int) -> nn.Module:
    channels = stacked.weight.shape[1]
    if hasattr(stacked, "running_mean"):
        return _take(nn.BatchNorm2d(channels), stacked, model)
    return _take(nn.GroupNorm(_groups(channels), channels), stacked, model)


def _groups(channels: int) -> int:
    """At most 8 equal groups of at least two channels."""
    return max(n for n in (1, 2, 4, 8) if channels % n == 0 and n <= max(1, channels // 2))


def _take(layer: Layer, stacked: nn.Module, model: int) -> Layer:
    state = {name: value[model].clone() for name, value in stacked.state_dict().items()}
    layer.load_state_dict(state, strict=False)  # only num_batches_tracked is missing
    return layer


@dataclass(frozen=True)
class TrainedStack:
    """The models that were trained together, joined: (M, ...) weights, and a list of the rest."""

    state: State
    history: list[list[dict[str, float]]]
    best_epoch: list[int]
    protection: list[dict[str, Any] | None]


def train_stack(*args: Any, **options: Any) -> TrainedStack:
    """Train as :func:`prunepriv.training.train` does, and join the models again."""
    models = train(*args, **options)
    return TrainedStack(
        {name: torch.stack([one.state[name] for one in models]) for name in models[0].state},
        [one.history for one in models],
        [one.best_epoch for one in models],
        [one.protection for one in models],
    )
