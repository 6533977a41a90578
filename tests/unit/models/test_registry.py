"""One contract over all architectures, and the same models one at a time in plain PyTorch."""

from __future__ import annotations

import pytest
import torch

from prunepriv.errors import UnknownNameError
from prunepriv.models import REGISTRY, build
from prunepriv.models.layers import StackedBatchNorm2d
from prunepriv.options import MODELS
from tests.stacks import CLASSES, SHAPES, alone, make_records, make_stack

NAMES = list(MODELS)


def test_the_registry_is_the_options_table() -> None:
    assert list(REGISTRY) == NAMES


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(UnknownNameError, match=r"unknown model 'mlp': choose one of fc, cnn"):
        build("mlp", 1, (3,), 2)


@pytest.mark.parametrize("name", NAMES)
def test_layers_are_what_the_table_says(name: str) -> None:
    ensemble = make_stack(name)
    kinds = set(ensemble.prunable().values())
    if any(isinstance(layer, StackedBatchNorm2d) for layer in ensemble.modules()):
        kinds.add("batch_norm")
    assert kinds == MODELS[name].layers
    assert (len(SHAPES[name]) == 3) == (MODELS[name].serves == "image")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("models", [1, 3])
def test_logits_have_a_row_per_model_and_record(name: str, models: int) -> None:
    ensemble = make_stack(name, models).eval()
    records = make_records(name, 4 * models).view(models, 4, *SHAPES[name])
    logits = ensemble(ensemble.inputs(records))
    assert logits.shape == (models, 4, CLASSES)
    assert logits.dtype == torch.float32
    assert logits.isfinite().all()


@pytest.mark.parametrize("norm", ["batch", "group"])
@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 16, 16), (1, 9, 21), (3, 32, 32)])
@pytest.mark.parametrize("training", [False, True])
def test_a_stack_of_cnns_is_separate_networks(
    norm: str, shape: tuple[int, ...], training: bool
) -> None:
    ensemble = make_stack("cnn", shape=shape, norm=norm).train(training)
    records = make_records("cnn", 3 * 12, shape=shape).view(3, 12, *shape)
    inputs = ensemble.inputs(records)
    plain = [alone("cnn", ensemble, model).train(training) for model in range(3)]
    together = ensemble(inputs)
    for model, network in enumerate(plain):
        torch.testing.assert_close(together[model], network(inputs[model]), atol=2e-5, rtol=1e-4)
    again = ensemble.eval()(inputs)  # with the running statistics that the pass above updated
    for model, network in enumerate(plain):
        expected = network.eval()(inputs[model])
        torch.testing.assert_close(again[model], expected, atol=2e-5, rtol=1e-4)


def test_a_stack_of_fcs_is_separate_networks() -> None:
    ensemble = make_stack("fc").eval()
    inputs = ensemble.inputs(make_records("fc", 3 * 12).view(3, 12, *SHAPES["fc"]))
    together = ensemble(inputs)
    for model in range(3):
        expected = alone("fc", ensemble, model)(inputs[model])
        torch.testing.assert_close(together[model], expected, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("name", ["fc", "cnn"])  # test_vision compares every gradient of the others
def test_gradients_are_those_of_separate_networks(name: str) -> None:
    ensemble = make_stack(name).train().double()
    ensemble.draw_dropout_from([torch.Generator() for _ in range(3)])
    for layer in ensemble.modules():
        if hasattr(layer, "rate"):
            layer.rate = 0.0
    inputs = ensemble.inputs(make_records(name, 3 * 12).view(3, 12, *SHAPES[name]))
    inputs = inputs.double()
    ensemble(inputs).square().sum().backward()
    weight = ensemble.get_parameter(list(ensemble.prunable())[-1])
    assert weight.grad is not None
    for model in range(3):
        network = alone(name, ensemble, model).double().train()
        network(inputs[model]).square().sum().backward()
        *_, last = (layer for layer in network.modules() if isinstance(layer, torch.nn.Linear))
        torch.testing.assert_close(weight.grad[model], last.weight.grad, atol=1e-3, rtol=1e-4)


def test_inputs_are_scaled_as_each_network_takes_them() -> None:
    assert REGISTRY["fc"](1, (2,), 2).inputs(torch.tensor([0, 1], dtype=torch.uint8)).tolist() == [
        0,
        1,
    ]
    pixels = torch.tensor([0, 255], dtype=torch.uint8)
    assert REGISTRY["cnn"](1, (1, 8, 8), 2).inputs(pixels).tolist() == pytest.approx([-1, 1])


def test_width_scales_the_channels() -> None:
    wide, narrow = (build("cnn", 1, (3, 16, 16), 10, width) for width in (1.0, 0.5))
    assert [layer.weight.shape[1] for layer in wide.norms] == [16, 32, 32]  # type: ignore[union-attr]
    assert [layer.weight.shape[1] for layer in narrow.norms] == [8, 16, 16]  # type: ignore[union-attr]
