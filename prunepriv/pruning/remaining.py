"""What is left of a pruned model once everything that is dead is cut out of it.

A weight is dead if it was removed, if it only ever reads zeros, or if nothing that reaches the
logits reads what it helps to make. Both are proven, not measured on records:

- forwards, each value of the network is bounded over all records that can be, by interval
  arithmetic; a channel whose bounds are both zero is zero for every record. After a ReLU this is
  so for a removed channel whose batch norm gives a constant of zero or less;
- backwards from the logits, a channel is reached if any weight left reads it.

The network itself is run for both, so one rule holds for every architecture.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn

from prunepriv.models import Ensemble
from prunepriv.models.base import CONVOLUTIONS, LINEARS, NORMS
from prunepriv.models.layers import StackedBatchNorm2d, StackedLinear
from prunepriv.pruning.masks import Masks

LARGEST = 1e30
"""Bounds are cut to this size: through the hundred layers of DenseNet121 they would overflow."""

Bounded = Callable[[nn.Module, Tensor, Tensor], Tensor]
"""(layer, bounds of its inputs, what it makes of them) -> bounds of its outputs."""

Tell = Callable[[str, nn.Module, Tensor, Tensor], None]
"""Is told a layer's name, the layer, and bounds of its inputs and outputs."""


@dataclass(frozen=True)
class Remaining:
    """What pruning removed and what it left, as fractions of the unpruned network's, in [0, 1].

    Attributes:
        removed_channels: of the filters of all convolutions, those whose weights are all removed;
            None where there is none, and where single weights of other filters were removed too.
        emitting_channels: of the filters of all convolutions, those removed ones that still emit
            something: batch norm makes a constant of a channel of zeros, and group norm a value
            that depends on the channels of its group. None where ``removed_channels`` is.
        parameters_left: parameters that were not removed and are not dead, of all parameters.
        multiplications_left: multiplications of one record by weights that were not removed and
            are not dead, of those of the whole network.
    """

    removed_channels: float | None
    emitting_channels: float | None
    parameters_left: float
    multiplications_left: float

    def to_dict(self) -> dict[str, float | None]:
        """Its figures by name."""
        return asdict(self)


@dataclass(frozen=True)
class Alive:
    """The channels of a convolution, linear layer or norm that are not dead.

    Attributes:
        inputs: (i,) bool, those that are not zero for every record.
        outputs: (o,) bool, those that are not zero for every record and reach the logits.
        reached: (o,) bool, those that would reach the logits if they were not zero.
        positions: at how many positions of a record the layer multiplies by each weight.
    """

    inputs: Tensor
    outputs: Tensor
    reached: Tensor
    positions: int


@dataclass(frozen=True)
class _Zeros:
    """inputs (i,), outputs (o,): True where a layer's channel is zero for every record."""

    inputs: Tensor
    outputs: Tensor
    positions: int


def remaining(one: Ensemble, masks: Masks, shape: Sequence[int]) -> Remaining:
    """What is left of a pruned model.

    Args:
        one: a stack of one model, with its weights; it is not changed.
        masks: of this stack; parameters without a mask are whole. Removed weights are zero.
        shape: of one record, (features,) or (channels, height, width).
    """
    if all(bool(kept.all()) for kept in masks.values()):
        return Remaining(None, None, 1.0, 1.0)
    found = alive(one, masks, shape)
    parameters = dict(one.named_parameters())
    left = {name: _left(name, value, masks, found) for name, value in parameters.items()}
    weights = {f"{name}.weight": layer for name, layer in found.items()}
    multiplied = {name: weights[name].positions for name in one.prunable()}
    removed, emitting, channels = _channels_removed(one, masks, found)
    return Remaining(
        removed / channels if removed else None,
        emitting / channels if removed else None,
        sum(left.values()) / sum(value.numel() for value in parameters.values()),
        sum(left[name] * times for name, times in multiplied.items())
        / sum(parameters[name].numel() * times for name, times in multiplied.items()),
    )


def alive(one: Ensemble, masks: Masks, shape: Sequence[int]) -> dict[str, Alive]:
    """Which channels are alive in each convolution, linear layer and norm, by the layer's name.

    Args:
        one, masks, shape: see :func:`remaining`.
    """
    zeros = _zeros(_copied(one), shape)
    reached = _reached(_copied(one), masks, zeros, shape)
    return {
        name: Alive(
            inputs=~zero.inputs,
            outputs=~zero.outputs & reached[name],
            reached=reached[name],
            positions=zero.positions,
        )
        for name, zero in zeros.items()
    }


def _left(name: str, value: Tensor, masks: Masks, found: Mapping[str, Alive]) -> int:
    """How many entries of a parameter are left."""
    layer, _, own = name.rpartition(".")
    kept = masks[name][0] if name in masks else torch.ones_like(value[0], dtype=torch.bool)
    kept = kept & _spread(found[layer].outputs, kept.dim(), axis=0)
    if own == "weight" and kept.dim() > 1:
        kept = kept & _spread(found[layer].inputs, kept.dim(), axis=1)
    return int(kept.sum())


def _channels_removed(
    one: Ensemble, masks: Masks, found: Mapping[str, Alive]
) -> tuple[int, int, int]:
    """Filters that are removed whole, those of them that still emit something, and all filters.

    None counts as removed where a mask also removes single weights: a filter whose weights all
    happen to be small is no channel that was chosen.
    """
    removed = emitting = channels = 0
    for name, kind in one.prunable().items():
        if kind != "conv":
            continue
        reached = found[name.removesuffix(".weight")].reached
        channels += len(reached)
        if name in masks:
            kept = masks[name][0].flatten(2)
            rows, columns = kept.any(2).any(1), kept.any(2).any(0)
            if not torch.equal(kept, (rows[:, None] & columns)[:, :, None].expand_as(kept)):
                return 0, 0, channels
            removed += int((~rows).sum())
            emitting += int((~rows & reached).sum())
    return removed, emitting, channels


# --- forwards: bounds over all records ---


def _zeros(one: Ensemble, shape: Sequence[int]) -> dict[str, _Zeros]:
    """The channels of each layer that are zero for every record."""
    found: dict[str, _Zeros] = {}

    def tell(name: str, layer: nn.Module, read: Tensor, made: Tensor) -> None:
        found[name] = _Zeros(
            inputs=~_any(layer, read != 0),
            outputs=~_any(layer, made != 0),
            positions=math.prod(made.shape[-2:]) if isinstance(layer, CONVOLUTIONS) else 1,
        )

    bounds(one, shape, tell)
    return found


def bounds(one: Ensemble, shape: Sequence[int], tell: Tell) -> None:
    """Tell between which bounds each layer's inputs and outputs lie, for all records that can be.

    The lower and the upper bounds pass through the network as two records. ReLU, pooling, sums and
    concatenations keep them bounds, because they are monotone; the layers' own results are replaced.

    Args:
        one: a stack of one in eval mode and float64; it gets hooks, so it is of no further use.
        shape: of one record.
        tell: called for each layer in turn with its name, the layer, and its inputs and outputs,
            shaped as of two records: lower and upper bounds. All together may need gigabytes.
    """
    rules: list[tuple[str, nn.Module, Bounded]] = [
        (name, layer, _bounded_norm if isinstance(layer, NORMS) else _bounded_product(layer))
        for name, layer in _layers(one).items()
    ]
    for name, layer, rule in rules:  # hooked after all copies, which must have no hooks

        def hook(
            layer: nn.Module, given: Any, made: Tensor, name: str = name, rule: Bounded = rule
        ) -> Tensor:
            within = rule(layer, given[0], made).clamp(-LARGEST, LARGEST)
            tell(name, layer, given[0], within)
            return within

        layer.register_forward_hook(hook)
    with torch.no_grad():
        low = torch.zeros(shape, dtype=torch.uint8)
        one(one.inputs(torch.stack([low, torch.full_like(low, 255)])[None]).double())


def _bounded_product(layer: nn.Module) -> Bounded:
    """Bounds of a convolution's or linear layer's outputs, from those of its inputs.

    An output is smallest where inputs of positive weight are smallest and others largest.
    """
    positive, negative = deepcopy(layer), deepcopy(layer)
    for part in (positive, negative):
        # inside the networks of torchvision, one model's row replaces the stacked values
        stacked = isinstance(part, StackedLinear) or not isinstance(part, nn.Conv2d | nn.Linear)
        for name, value in list(part.named_parameters(recurse=False)):
            one = value.data if stacked else value.data[0]
            if name == "weight":
                one = one.clamp(min=0) if part is positive else one.clamp(max=0)
            elif part is negative:
                one = torch.zeros_like(one)
            setattr(part, name, nn.Parameter(one))
    records = 1 if isinstance(layer, StackedLinear) else 0

    def bounded(_: nn.Module, given: Tensor, made: Tensor) -> Tensor:
        found: Tensor = positive(given) + negative(given.flip(records))
        return found

    return bounded


def _bounded_norm(layer: nn.Module, given: Tensor, made: Tensor) -> Tensor:
    """Bounds of a norm's outputs.

    In eval mode a batch norm scales each channel, and turns the bounds round where the scale is
    negative. A group norm gives n values of mean 0 and variance 1 at most, so none is larger than
    the square root of n.
    """
    if isinstance(layer, StackedBatchNorm2d):
        return torch.stack([made.amin(0), made.amax(0)])
    scale, shift = (_of_norm(layer, name) for name in ("weight", "bias"))
    most = scale.abs() * math.sqrt(given[0].numel() / _groups(layer))
    return torch.stack([shift - most, shift + most]).expand_as(made)


# --- backwards: what reaches the logits ---


class _Reach(torch.autograd.Function):
    """Ones forwards; backwards, ones for each channel at which a positive gradient arrives.

    A gradient at one position of a channel counts for all of them: max pooling gives it to the
    first of several largest values only, and all are largest here.
    """

    @staticmethod
    def forward(ctx: Any, made: Tensor, note: Callable[[Tensor], None]) -> Tensor:
        ctx.note = note
        return torch.ones_like(made)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        arrives = gradient > 0
        if arrives.dim() > 3:
            arrives = arrives.any((2, 3), keepdim=True).expand_as(gradient)
        ctx.note(arrives)
        return arrives.to(gradient), None


def _reached(
    one: Ensemble, masks: Masks, zeros: Mapping[str, _Zeros], shape: Sequence[int]
) -> dict[str, Tensor]:
    """The channels of each layer that any weight left reads, on a way to the logits.

    Weights are one where they are left and zero elsewhere, and so is every output: a gradient is
    then positive exactly where there is a way.
    """
    found = {name: torch.zeros_like(zero.outputs) for name, zero in zeros.items()}
    for name, layer in _layers(one).items():
        _open(layer, masks.get(f"{name}.weight"), zeros[name])

        def hook(layer: nn.Module, given: Any, made: Tensor, name: str = name) -> Tensor:
            def note(arrives: Tensor) -> None:
                found[name] = _any(layer, arrives)

            if isinstance(layer, NORMS) and not isinstance(layer, StackedBatchNorm2d):
                made = _mixed(layer, given[0])
            reached: Tensor = _Reach.apply(made, note)
            return reached

        layer.register_forward_hook(hook)
    records = torch.zeros(1, 1, *shape, dtype=torch.uint8)
    one(one.inputs(records).double().requires_grad_()).sum().backward()
    return found


def _open(layer: nn.Module, mask: Tensor | None, zero: _Zeros) -> None:
    """Set a layer's weights to one where they are left, else to zero."""
    weight = layer.get_parameter("weight")
    kept = torch.ones_like(weight[0], dtype=torch.bool) if mask is None else mask[0]
    kept = kept & _spread(~zero.outputs, kept.dim(), axis=0)
    if kept.dim() > 1:
        kept = kept & _spread(~zero.inputs, kept.dim(), axis=1)
    weight.data = kept[None].to(weight)
    if isinstance(layer, StackedBatchNorm2d):
        layer.running_mean.zero_()
        layer.running_var.fill_(1.0)


def _mixed(layer: nn.Module, given: Tensor) -> Tensor:
    """A group norm's ways: each channel of a group depends on all of it."""
    grouped = given.unflatten(1, (_groups(layer), -1))
    mixed: Tensor = grouped.sum((2, 3, 4), keepdim=True).expand_as(grouped).flatten(1, 2)
    return mixed * _of_norm(layer, "weight")


# --- layers ---


def _copied(one: Ensemble) -> Ensemble:
    """Another stack of one for counting, in float64: a constant of zero is not lost to rounding."""
    return one.single(0).cpu().double().eval()


def _layers(one: Ensemble) -> dict[str, nn.Module]:
    kinds = CONVOLUTIONS + LINEARS + NORMS
    return {name: layer for name, layer in one.named_modules() if isinstance(layer, kinds)}


def _groups(layer: nn.Module) -> int:
    return int(getattr(layer, "num_groups" if isinstance(layer, nn.GroupNorm) else "groups"))


def _of_norm(layer: nn.Module, name: str) -> Tensor:
    """A norm's values, (c, 1, 1); they are stacked except inside the networks of torchvision."""
    values: Tensor = getattr(layer, name).view(-1, 1, 1)
    return values


def _any(layer: nn.Module, flags: Tensor) -> Tensor:
    """(c,) whether a flag of the channel is set, for any record and position."""
    flags = flags[0] if isinstance(layer, StackedLinear) else flags
    return flags.flatten(2).any(2).any(0) if flags.dim() > 2 else flags.any(0)


def _spread(channels: Tensor, dims: int, axis: int) -> Tensor:
    """(c,) flags as a tensor of `dims` axes that broadcasts along the others."""
    return channels.view([-1 if one == axis else 1 for one in range(dims)])
