"""Every approach against torch.nn.utils.prune or an independent sort, model by model."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn.utils import prune

from prunepriv.errors import UnknownNameError
from prunepriv.models import Ensemble
from prunepriv.options import APPROACHES, MODELS
from prunepriv.pruning import REGISTRY, Masks, make_masks
from tests.stacks import SHAPES, make_records, make_stack

PAIRS = [
    (approach.name, model.name)
    for approach in APPROACHES.values()
    for model in MODELS.values()
    if approach.needs & model.layers
]
sparsity_values = st.one_of(
    st.sampled_from([0.0, 0.5, 0.6, 0.7, 0.8, 0.9, 0.999]), st.floats(0, 0.9999)
)


def masks_of(
    approach: str, ensemble: Ensemble, sparsity: float
) -> tuple[Masks, Mapping[str, Tensor]]:
    state = ensemble.copy_state()
    return make_masks(approach, ensemble, state, sparsity), state


def test_the_registry_is_the_options_table() -> None:
    assert list(REGISTRY) == list(APPROACHES)


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(UnknownNameError, match=r"unknown approach 'magic': choose one of l1_"):
        make_masks("magic", make_stack("fc"), {}, 0.5)


@cache
def stack_to_read(model: str, width: float) -> Ensemble:
    """One stack for many examples; no example changes it."""
    return make_stack(model, 2, width=width)


@pytest.mark.parametrize(("approach", "model"), [p for p in PAIRS if p[1] in ("fc", "cnn")])
@pytest.mark.parametrize("width", [0.25, 1.0])
@given(sparsity=sparsity_values)
def test_counts_are_exact_and_no_layer_is_empty(
    approach: str, model: str, width: float, sparsity: float
) -> None:
    check_counts(approach, stack_to_read(model, width), sparsity)


@pytest.mark.parametrize(("approach", "model"), [p for p in PAIRS if p[1] not in ("fc", "cnn")])
def test_counts_are_exact_in_deep_networks(approach: str, model: str) -> None:
    for sparsity in (0.0, 0.45, 0.7, 0.999):
        check_counts(approach, stack_to_read(model, 0.1), sparsity)


def check_counts(approach: str, ensemble: Ensemble, sparsity: float) -> None:
    masks, state = masks_of(approach, ensemble, sparsity)
    for name, kept in masks.items():
        assert kept.dtype == torch.bool
        assert kept.shape == state[name].shape
        assert kept.flatten(1).any(1).all(), f"all of {name} is removed"
    unit = {"l1_unstructured": 0, "network_slimming": None}.get(approach, 2)
    if unit is not None:
        for kept in masks.values():
            units = kept.flatten(1) if unit == 0 else kept.flatten(2)
            gone = ~units.any(2) if unit else ~units
            assert (
                gone.sum(1).tolist()
                == [min(round(sparsity * gone.shape[1]), gone.shape[1] - 1)] * 2
            )
    else:
        gone_channels = sum((~masks[f"{norm}.weight"]).sum(1) for norm in ensemble.normalized())
        channels = sum(state[f"{norm}.weight"].shape[1] for norm in ensemble.normalized())
        expected = min(round(sparsity * channels), channels - len(ensemble.normalized()))
        assert torch.as_tensor(gone_channels).tolist() == [expected] * 2


@pytest.mark.parametrize(("approach", "model"), PAIRS)
def test_each_model_is_pruned_by_its_own_weights(approach: str, model: str) -> None:
    ensemble = make_stack(model, 3, width=0.1)
    together, _ = masks_of(approach, ensemble, 0.6)
    ensemble.keep(torch.tensor([1]))
    alone, _ = masks_of(approach, ensemble, 0.6)
    for name, kept in alone.items():
        assert torch.equal(kept[0], together[name][1])
    assert any(not torch.equal(kept[0], kept[1]) for kept in together.values())


@pytest.mark.parametrize("model", ["fc", "cnn"])
@pytest.mark.parametrize("sparsity", [0.0, 0.5, 0.7, 0.9])
def test_l1_unstructured_is_torchs(model: str, sparsity: float) -> None:
    ensemble = make_stack(model)
    masks, state = masks_of("l1_unstructured", ensemble, sparsity)
    assert set(masks) == set(ensemble.prunable())
    for name, kept in masks.items():
        for weight, ours in zip(state[name], kept, strict=True):
            layer = holder(weight)
            prune.l1_unstructured(layer, "weight", amount=sparsity)
            assert torch.equal(ours, layer.weight_mask.bool())


@pytest.mark.parametrize(("approach", "order"), [("l1_structured", 1), ("l2_structured", 2)])
@pytest.mark.parametrize("sparsity", [0.0, 0.5, 0.7, 0.9])
def test_structured_pruning_is_torchs(approach: str, order: int, sparsity: float) -> None:
    ensemble = make_stack("cnn", width=1.0)
    masks, state = masks_of(approach, ensemble, sparsity)
    assert set(masks) == {name for name, kind in ensemble.prunable().items() if kind == "conv"}
    for name, kept in masks.items():
        for weight, ours in zip(state[name], kept, strict=True):
            layer = holder(weight)
            prune.ln_structured(layer, "weight", amount=sparsity, n=order, dim=0)
            assert torch.equal(ours, layer.weight_mask.bool())


def holder(weight: Tensor) -> nn.Module:
    layer = nn.Module()
    layer.weight = nn.Parameter(weight.clone())
    return layer


@pytest.mark.parametrize("sparsity", [0.3, 0.7, 0.95])
def test_slimming_removes_the_smallest_scales_of_the_whole_network(sparsity: float) -> None:
    ensemble = make_stack("cnn", 3, width=0.5)
    with torch.no_grad():  # without the rule for layers, all of layer 1 would be removed
        ensemble.get_parameter("norms.1.weight").mul_(0.01)
        ensemble.get_parameter("norms.2.weight").neg_()
    masks, state = masks_of("network_slimming", ensemble, sparsity)
    norms = ["norms.0", "norms.1", "norms.2"]
    for model in range(3):
        scales = {norm: state[f"{norm}.weight"][model].abs().tolist() for norm in norms}
        removable = sorted(
            (scale, norm, channel)
            for norm in norms
            for channel, scale in enumerate(scales[norm])
            if scale != max(scales[norm])
        )
        total = sum(map(len, scales.values()))
        gone = {(norm, channel) for _, norm, channel in removable[: round(sparsity * total)]}
        for norm in norms:
            kept = masks[f"{norm}.weight"][model]
            assert kept.tolist() == [(norm, c) not in gone for c in range(len(scales[norm]))]
            assert torch.equal(kept, masks[f"{norm}.bias"][model])
            filters = masks[ensemble.normalized()[norm][0][0]][model]
            assert torch.equal(filters, kept.view(-1, 1, 1, 1).expand_as(filters))


def test_slimmed_channels_give_nothing_to_the_next_layer() -> None:
    ensemble = make_stack("cnn", 2).eval()
    masks, state = masks_of("network_slimming", ensemble, 0.5)
    ensemble.load({n: v * masks[n] if n in masks else v for n, v in state.items()})
    x = ensemble.inputs(make_records("cnn", 4).expand(2, 4, *SHAPES["cnn"]))
    before = ensemble(x)
    for depth in (1, 2):  # the layer that reads a removed channel may have any weight there
        gone = ~masks[f"norms.{depth - 1}.weight"]
        weight = ensemble.get_parameter(f"convolutions.{depth}.weight").data
        weight[gone[:, None, :].expand(weight.shape[:3])] = 100
    torch.testing.assert_close(ensemble(x), before)
