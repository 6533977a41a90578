"""What is left of a pruned model, against smaller networks that answer the same."""

from __future__ import annotations

import math
from collections.abc import Mapping

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional as F

from prunepriv.models import Ensemble, multiplications
from prunepriv.models.base import CONVOLUTIONS
from prunepriv.models.layers import StackedLinear
from prunepriv.pruning import Masks, make_masks
from prunepriv.pruning.remaining import Alive, Remaining, alive, bounds, remaining
from tests.stacks import CLASSES, SHAPES, WIDTH, make_records, make_stack

NETWORKS = ("cnn", "vgg16", "resnet18", "densenet121")


def pruned(
    name: str, approach: str, sparsity: float = 0.6, norm: str = "batch"
) -> tuple[Ensemble, Masks]:
    """A stack of one, pruned, whose norms have shifts as after fine-tuning."""
    one = make_stack(name, 1, norm=norm, width=0.125 if name == "resnet18" else WIDTH)
    generator = torch.Generator().manual_seed(8)
    for parameter_name, parameter in one.named_parameters():
        if parameter_name.endswith("bias"):
            parameter.data = 0.5 * torch.randn(parameter.shape, generator=generator)
    masks = make_masks(approach, one, one.copy_state(), sparsity)
    return masked(one, masks), masks


def masked(one: Ensemble, masks: Masks) -> Ensemble:
    state = one.copy_state()
    one.load({name: value * masks.get(name, True) for name, value in state.items()})
    return one.eval()


def answers(one: Ensemble, x: Tensor) -> Tensor:
    with torch.inference_mode():
        return one(one.inputs(x[None]).to(next(one.parameters())))[0]


# --- smaller networks, built by hand ---


class SmallerCNN(nn.Module):
    """The CNN without its dead channels, in plain PyTorch; parameters are dense tensors.

    A removed filter is not computed; where its norm and ReLU make a constant above zero of it, that
    channel stays in the norm and in the layer after it.
    """

    def __init__(self, one: Ensemble, masks: Masks) -> None:
        super().__init__()
        state = {name: value[0] for name, value in one.copy_state().items()}
        self.side = one.side
        self.convolutions, self.norms = nn.ParameterList(), nn.ParameterList()
        self.places: list[tuple[Tensor, int]] = []
        self.statistics: list[tuple[Tensor, Tensor]] = []
        read = torch.arange(state["convolutions.0.weight"].shape[1])
        for i in range(3):
            filters = masks[f"convolutions.{i}.weight"][0].flatten(1).any(1)
            scale, shift = state[f"norms.{i}.weight"], state[f"norms.{i}.bias"]
            mean, variance = state[f"norms.{i}.running_mean"], state[f"norms.{i}.running_var"]
            constant = shift - scale * mean / (variance + 1e-5).sqrt()
            stays = filters | (constant > 0)
            self.convolutions.append(state[f"convolutions.{i}.weight"][filters][:, read])
            read = stays.nonzero()[:, 0]
            own = torch.stack([scale, shift]) if f"norms.{i}.weight" not in masks else None
            both = torch.stack([scale, shift])[:, stays] if own is None else own[:, stays]
            self.norms.append(both)
            self.statistics.append((mean[stays], variance[stays]))
            self.places.append((filters[stays].nonzero()[:, 0], int(stays.sum())))
        columns = state["hidden.weight"].unflatten(1, (-1, self.side**2))[:, read].flatten(1)
        self.hidden = nn.ParameterList([columns, state["hidden.bias"]])
        self.output = nn.ParameterList([state["output.weight"], state["output.bias"]])

    def forward(self, x: Tensor) -> Tensor:
        self.multiplied = 0
        for i, weight in enumerate(self.convolutions):
            made = F.conv2d(x, weight, padding=1)
            self.multiplied += weight.numel() * math.prod(made.shape[2:])
            places, channels = self.places[i]
            x = torch.zeros(len(made), channels, *made.shape[2:]).index_copy(1, places, made)
            x = F.max_pool2d(x, 2) if i < 2 else x
            scale, shift = self.norms[i]
            x = F.batch_norm(x, *self.statistics[i], scale, shift).relu()
        x = F.adaptive_avg_pool2d(x, self.side).flatten(1)
        self.multiplied += self.hidden[0].numel() + self.output[0].numel()
        return F.linear(F.linear(x, *self.hidden).relu(), *self.output)


@pytest.mark.parametrize("sparsity", [0.2, 0.6, 0.9])
@pytest.mark.parametrize("approach", ["network_slimming", "l1_structured", "l2_structured"])
def test_a_smaller_cnn_answers_the_same_and_has_the_parameters_that_are_told(
    approach: str, sparsity: float
) -> None:
    one, masks = pruned("cnn", approach, sparsity)
    one.hidden.bias.data.abs_()  # so that none of its units is below zero for every record
    small, x = SmallerCNN(one, masks), make_records("cnn")
    with torch.inference_mode():
        found = small(one.inputs(x))
    torch.testing.assert_close(found, answers(one, x), rtol=0, atol=1e-5)
    told = remaining(one, masks, SHAPES["cnn"])
    whole = sum(parameter.numel() for parameter in one.parameters())
    left = sum(parameter.numel() for parameter in small.parameters())
    assert told.parameters_left == left / whole < 1
    assert told.multiplications_left == small.multiplied / multiplications(one, SHAPES["cnn"])


def test_a_smaller_fc_answers_the_same_and_has_the_parameters_that_are_told() -> None:
    """Units that read nothing and whose bias is zero or less, and one that nothing reads."""
    one = make_stack("fc", 1)
    masks = {name: torch.ones_like(one.get_parameter(name)).bool() for name in one.prunable()}
    masks["hidden1.weight"][0, :5] = False  # they read nothing
    one.hidden1.bias.data[0, :5] = torch.tensor([-1.0, 0.0, -0.2, 0.5, -0.1])
    masks["hidden2.weight"][0, :, 9] = False  # nothing reads it
    masks["output.weight"][0, :, [1, 2]] = False
    masked(one, masks)
    first = torch.tensor([i not in (0, 1, 2, 4, 9) for i in range(one.hidden1.bias.shape[1])])
    second = torch.tensor([i not in (1, 2) for i in range(one.hidden2.bias.shape[1])])
    computed = first.clone()
    computed[3] = False  # a constant: its bias stays
    state = {name: value[0] for name, value in one.copy_state().items()}
    layers = [
        (state["hidden1.weight"][computed], state["hidden1.bias"][first]),
        (state["hidden2.weight"][second][:, first], state["hidden2.bias"][second]),
        (state["output.weight"][:, second], state["output.bias"]),
    ]
    x = make_records("fc")
    hidden = torch.zeros(len(x), int(first.sum()))
    hidden[:, computed[first]] = F.linear(x.float(), layers[0][0])
    hidden = (hidden + layers[0][1]).relu()
    found = F.linear(F.linear(hidden, *layers[1]).relu(), *layers[2])
    torch.testing.assert_close(found, answers(one, x), rtol=0, atol=1e-5)
    told = remaining(one, masks, SHAPES["fc"])
    whole = sum(parameter.numel() for parameter in one.parameters())
    left = sum(weight.numel() + bias.numel() for weight, bias in layers)
    assert told.parameters_left == left / whole
    counted = sum(weight.numel() for weight, _ in layers) / multiplications(one, SHAPES["fc"])
    assert told == Remaining(None, None, told.parameters_left, counted)


# --- every network: dead channels are cut out of each layer ---


class Cut(nn.Module):
    """A layer that computes its living channels only, from its living inputs; zeros elsewhere."""

    def __init__(self, layer: nn.Module, living: Alive) -> None:
        super().__init__()
        self.own = (layer,)  # its parameters are not of this one
        self.inputs, self.outputs = living.inputs.nonzero()[:, 0], living.outputs.nonzero()[:, 0]
        weight = layer.get_parameter("weight")[0]
        self.dims = weight.dim()
        kept = weight[self.outputs]
        self.weight = nn.Parameter(kept[:, self.inputs] if self.dims > 1 else kept)
        bias = getattr(layer, "bias", None)
        self.bias = None if bias is None else nn.Parameter(bias[0][self.outputs])
        if self.dims == 1:
            self.mean = layer.running_mean[0][self.outputs]
            self.variance = layer.running_var[0][self.outputs]

    def forward(self, x: Tensor, replaced: Tensor) -> Tensor:
        """What the layer makes of x; it has the shape of what is replaced."""
        own = isinstance(self.own[0], StackedLinear)
        found = torch.zeros_like(replaced[0] if own else replaced)
        if len(self.outputs):
            made = self.made(x[0] if own else x)
            found = found.index_copy(1, self.outputs, made.expand_as(found[:, self.outputs]))
        return found[None] if own else found

    def made(self, x: Tensor) -> Tensor:
        if self.dims == 1:
            scale = self.weight / (self.variance + 1e-5).sqrt()
            shift = self.bias - self.mean * scale
            return x[:, self.outputs] * scale[:, None, None] + shift[:, None, None]
        if not len(self.inputs):  # a bias is left
            return self.bias.view(1, -1, *[1] * (x.dim() - 2))
        if self.dims == 2:
            return F.linear(x[:, self.inputs], self.weight, self.bias)
        step, stride = (getattr(self.own[0], what, 1) for what in ("step", "stride"))
        x = x[:, self.inputs, ::step, ::step]
        return F.conv2d(x, self.weight, self.bias, stride, self.weight.shape[-1] // 2)


@pytest.mark.parametrize("approach", ["network_slimming", "l1_structured", "l1_unstructured"])
@pytest.mark.parametrize("name", NETWORKS)
def test_nothing_that_is_cut_out_of_a_network_changes_its_answers(name: str, approach: str) -> None:
    one, masks = pruned(name, approach, 0.6 if approach != "l1_unstructured" else 0.97)
    x = make_records(name, 16)
    all_work = multiplications(one, SHAPES[name])
    one.double()  # logits of networks that were not trained are large
    expected = answers(one, x)
    told, living = remaining(one, masks, SHAPES[name]), alive(one, masks, SHAPES[name])
    whole = sum(parameter.numel() for parameter in one.parameters())
    cuts = {layer: Cut(one.get_submodule(layer), found) for layer, found in living.items()}
    found = answers_with(cuts, one, x)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-5)
    left = sum(parameter.numel() for layer in cuts.values() for parameter in layer.parameters())
    work = sum(
        layer.weight.numel() * living[n].positions for n, layer in cuts.items() if layer.dims > 1
    )
    if approach == "network_slimming":  # what stays is dense
        assert told.parameters_left == left / whole < 1
        assert told.multiplications_left == work / all_work < 1
    else:  # single weights, or filters of constants, are removed besides
        assert told.parameters_left <= left / whole < 1
        assert told.multiplications_left <= work / all_work < 1


def answers_with(cuts: Mapping[str, Cut], one: Ensemble, x: Tensor) -> Tensor:
    """The stack's own forward, in which the cut layers compute instead of its own."""
    for name, cut in cuts.items():
        one.get_submodule(name).register_forward_hook(
            lambda _, given, made, cut=cut: cut(given[0], made)
        )
    return answers(one, x)


# --- bounds ---


def all_bounds(one: Ensemble, name: str) -> dict[str, tuple[Tensor, Tensor]]:
    """Inputs and outputs of each layer; copies, because a ReLU may change them in place."""
    found = {}

    def tell(layer: str, _: nn.Module, read: Tensor, made: Tensor) -> None:
        found[layer] = read.clone(), made.clone()

    bounds(one, SHAPES[name], tell)
    return found


@pytest.mark.parametrize("norm", ["batch", "group"])
@pytest.mark.parametrize("name", ["fc", *NETWORKS])
def test_no_value_of_any_record_lies_outside_its_bounds(name: str, norm: str) -> None:
    one = make_stack(name, 1, norm=norm).eval().double()
    generator = torch.Generator().manual_seed(2)
    for parameter in one.parameters():  # scales of both signs
        if parameter.dim() == 2:
            parameter.data = torch.randn(parameter.shape, generator=generator).double()
    x, seen = make_records(name, 32), {}
    whole = all_bounds(one.single(0), name)
    for layer in whole:
        one.get_submodule(layer).register_forward_hook(
            lambda _, given, made, layer=layer: seen.__setitem__(layer, made.clone())
        )
    answers(one, x)
    for layer, (_, made) in whole.items():
        axis = 1 if isinstance(one.get_submodule(layer), StackedLinear) else 0
        low, high = made.select(axis, 0), made.select(axis, 1)
        found = seen[layer].movedim(axis, 0)
        slack = 1e-9 * (1 + high.abs() + low.abs())
        assert bool((found >= low - slack).all()), layer
        assert bool((found <= high + slack).all()), layer


def test_bounds_of_a_deep_network_do_not_overflow() -> None:
    one = make_stack("densenet121", 1).eval().double()
    for parameter in one.parameters():
        parameter.data *= 1e4
    for read, made in all_bounds(one, "densenet121").values():
        assert bool(read.isfinite().all() and made.isfinite().all())


@pytest.mark.parametrize("norm", ["batch", "group"])
@pytest.mark.parametrize("name", ["fc", *NETWORKS])
def test_where_nothing_is_pruned_everything_is_left(name: str, norm: str) -> None:
    one = make_stack(name, 1, norm=norm)
    whole = {n: torch.ones_like(one.get_parameter(n)).bool() for n in one.prunable()}
    for masks in ({}, whole):
        assert remaining(one, masks, SHAPES[name]) == Remaining(None, None, 1.0, 1.0)


@settings(max_examples=25, deadline=None)
@given(
    st.sampled_from(["fc", "cnn"]),
    st.sampled_from(["l1_unstructured", "l1_structured", "l2_structured", "network_slimming"]),
    st.floats(0, 0.99),
    st.sampled_from(["batch", "group"]),
)
def test_every_fraction_lies_between_0_and_1(
    name: str, approach: str, sparsity: float, norm: str
) -> None:
    if approach == "network_slimming" and (name == "fc" or norm == "group"):
        return
    one, masks = pruned(name, approach, sparsity, norm)
    told = remaining(one, masks, SHAPES[name])
    assert 0 < told.parameters_left <= 1
    assert 0 < told.multiplications_left <= 1
    zero = sum(int((~mask).sum()) for mask in masks.values())
    whole = sum(parameter.numel() for parameter in one.parameters())
    assert told.parameters_left <= 1 - zero / whole + 1e-12, "what is removed is never left"
    if told.removed_channels is None:
        assert told.emitting_channels is None
    else:
        assert told.emitting_channels is not None
        assert 0 <= told.emitting_channels <= told.removed_channels <= 1


def test_of_single_weights_the_zero_ones_are_gone_and_no_channel_counts_as_removed() -> None:
    for name in ("fc", "cnn"):
        one, masks = pruned(name, "l1_unstructured", 0.5)
        for mask in masks.values():  # every unit reads and is read
            mask[0].view(len(mask[0]), -1)[:, 0] = True
            mask[0, 0] = True
        told = remaining(one, masks, SHAPES[name])
        zero = sum(int((~mask).sum()) for mask in masks.values())
        whole = sum(parameter.numel() for parameter in one.parameters())
        assert told.parameters_left == pytest.approx(1 - zero / whole)
        assert told.removed_channels is None


def test_a_filter_that_happens_to_be_removed_among_single_weights_is_no_removed_channel() -> None:
    one = make_stack("cnn", 1)
    mask = torch.ones_like(one.get_parameter("convolutions.1.weight")).bool()
    mask[0, 0] = False
    whole = masked(one, {"convolutions.1.weight": mask})
    filters = sum(
        layer.weight.shape[1] for layer in one.modules() if isinstance(layer, CONVOLUTIONS)
    )
    told = remaining(whole, {"convolutions.1.weight": mask}, SHAPES["cnn"])
    assert told.removed_channels == 1 / filters
    mask[0, 1, 0, 0, 0] = False
    told = remaining(
        masked(one, {"convolutions.1.weight": mask}), {"convolutions.1.weight": mask}, SHAPES["cnn"]
    )
    assert told.removed_channels is None


# --- channels that still emit ---


def one_filter_removed(shift: float, norm: str = "batch") -> Remaining:
    """The first filter of the second convolution is removed; its norm shifts zeros by that."""
    one = make_stack("cnn", 1, norm=norm)
    mask = torch.ones_like(one.get_parameter("convolutions.1.weight")).bool()
    mask[0, 0] = False
    layer = one.get_submodule("norms.1")
    layer.get_parameter("bias").data[0, 0] = shift
    if norm == "batch":
        layer.running_mean[0, 0] = 0
    masks = {"convolutions.1.weight": mask}
    return remaining(masked(one, masks), masks, SHAPES["cnn"])


@pytest.mark.parametrize(("shift", "emits"), [(0.3, True), (0.0, False), (-0.3, False)])
def test_a_removed_channel_emits_a_constant_where_its_shift_is_above_zero(
    shift: float, emits: bool
) -> None:
    told = one_filter_removed(shift)
    assert told.removed_channels == 1 / 20
    assert told.emitting_channels == (1 / 20 if emits else 0)
    made, after = 9 * 4, 2 + 8 * 9  # its filter; its norm, and what reads it
    whole = sum(parameter.numel() for parameter in make_stack("cnn", 1).parameters())
    assert told.parameters_left == pytest.approx(1 - (made + (0 if emits else after)) / whole)


def test_group_norm_makes_a_value_of_a_removed_channel_whatever_its_shift() -> None:
    assert one_filter_removed(-0.3, "group").emitting_channels == 1 / 20


def test_the_model_is_not_changed() -> None:
    one, masks = pruned("cnn", "network_slimming")
    before = one.copy_state()
    remaining(one, masks, SHAPES["cnn"])
    for name, value in one.copy_state().items():
        assert torch.equal(value, before[name])
    assert all(not layer._forward_hooks for layer in one.modules())
    assert one.output.weight.shape[1] == CLASSES
