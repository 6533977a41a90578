"""What every architecture offers: new weights, rows that are kept alone, prunable layers."""

from __future__ import annotations

import copy
import math

import pytest
import torch

from prunepriv.models import REGISTRY, build
from prunepriv.training import initialize
from tests.stacks import CLASSES, SHAPES, alone, make_records, make_stack

NAMES = list(REGISTRY)


@pytest.mark.parametrize("name", NAMES)
def test_kept_rows_give_the_same_logits(name: str) -> None:
    ensemble = make_stack(name, 4).eval()
    x = ensemble.inputs(make_records(name, 8).expand(4, 8, *SHAPES[name]))
    before = ensemble(x)
    ensemble.keep(torch.tensor([1, 3]))
    assert ensemble.models == 2
    torch.testing.assert_close(ensemble(x[:2]), before[[1, 3]])
    assert {len(value) for value in ensemble.state_dict().values()} == {2}


def test_kept_rows_keep_their_own_dropout() -> None:
    ensemble = make_stack("fc", 3)
    x = ensemble.inputs(make_records("fc", 8).expand(3, 8, *SHAPES["fc"]))
    ensemble.draw_dropout_from([torch.Generator().manual_seed(m) for m in range(3)])
    before = ensemble(x)
    ensemble.draw_dropout_from([torch.Generator().manual_seed(m) for m in range(3)])
    ensemble.keep(torch.tensor([2]))
    torch.testing.assert_close(ensemble(x[2:]), before[2:])


def test_fresh_weights_follow_xaviers_normal_law() -> None:
    ensemble = build("fc", 2, (400,), 30)
    initialize(ensemble, seed=1)
    for layer, inputs, outputs in (("hidden1", 400, 256), ("hidden2", 256, 128)):
        weight = ensemble.get_parameter(f"{layer}.weight").detach()
        law = math.sqrt(2 / (inputs + outputs))
        for row in weight:
            assert float(row.std()) == pytest.approx(law, rel=0.02)
            assert float(row.mean()) == pytest.approx(0, abs=0.02 * law)
            assert float((row.abs() > 2 * law).double().mean()) == pytest.approx(0.0455, abs=0.004)
        assert not ensemble.get_parameter(f"{layer}.bias").any()


def test_fresh_filters_count_their_receptive_field() -> None:
    ensemble = build("cnn", 1, (3, 16, 16), 10)
    initialize(ensemble, seed=1)
    weight = ensemble.get_parameter("convolutions.2.weight").detach()
    assert float(weight.std()) == pytest.approx(math.sqrt(2 / (9 * (32 + 32))), rel=0.03)
    assert torch.equal(ensemble.get_parameter("norms.0.weight"), torch.ones(1, 16))
    assert not ensemble.get_parameter("norms.0.bias").any()


@pytest.mark.parametrize("name", NAMES)
def test_a_models_first_weights_do_not_depend_on_how_many_there_are(name: str) -> None:
    few, many = (build(name, models, SHAPES[name], CLASSES, 0.25) for models in (1, 3))
    initialize(few, seed=9)
    initialize(many, seed=9)
    first, together = few.state_dict(), many.state_dict()
    for key, value in first.items():
        assert torch.equal(value[0], together[key][0])
    weight = next(name for name in few.prunable())
    assert not torch.equal(together[weight][0], together[weight][1])


@pytest.mark.parametrize("name", NAMES)
def test_a_copied_state_is_a_copy_and_loads_back(name: str) -> None:
    ensemble = make_stack(name)
    state = ensemble.copy_state()
    for parameter in ensemble.parameters():
        parameter.data.zero_()
    assert all(value.any() for value in state.values())
    ensemble.load(state)
    for key, value in ensemble.state_dict().items():
        assert torch.equal(value, state[key])


@pytest.mark.parametrize("name", NAMES)
def test_a_single_model_is_one_rows_copy_and_no_more(name: str) -> None:
    ensemble = make_stack(name, 3)
    ensemble.draw_dropout_from([torch.Generator().manual_seed(m) for m in range(3)])
    x = ensemble.inputs(make_records(name, 8).expand(3, 8, *SHAPES[name]))
    ensemble(x).sum().backward()
    before = ensemble.copy_state()
    one = ensemble.single(1)
    for key, value in one.state_dict().items():
        assert torch.equal(value, before[key][1:2])
        assert value.untyped_storage().nbytes() == value.nbytes  # not a view of the stack
    assert all(parameter.grad is None for parameter in one.parameters())
    with torch.no_grad():
        for value in one.state_dict().values():
            value.fill_(7)
    assert all(torch.equal(value, before[key]) for key, value in ensemble.state_dict().items())


@pytest.mark.parametrize("route", ["keep", "single", "copy", "load"])
@pytest.mark.parametrize("name", ["cnn", "resnet18"])
def test_running_statistics_continue_as_the_models_own(name: str, route: str) -> None:
    ensemble = make_stack(name, 3, width=0.1)
    goes_on = ensemble.single(2) if route == "single" else copy.deepcopy(ensemble)
    if route == "keep":
        goes_on.keep(torch.tensor([2]))
    elif route == "load":
        goes_on = build(name, 1, SHAPES[name], CLASSES, 0.1)
        goes_on.load({key: value[2:] for key, value in ensemble.state_dict().items()})
    x = ensemble.inputs(make_records(name, 8))
    plain = alone(name, ensemble, 2).train()
    goes_on.train()(x.expand(goes_on.models, *x.shape))
    plain(x)
    learned = [v for k, v in goes_on.state_dict().items() if "running_" in k]
    expected = [v for k, v in plain.state_dict().items() if "running_" in k]
    untouched = [v for k, v in ensemble.state_dict().items() if "running_" in k]
    for ours, theirs, old in zip(learned, expected, untouched, strict=True):
        torch.testing.assert_close(ours[-1], theirs, atol=1e-5, rtol=1e-4)
        assert not torch.equal(old[2], theirs)


def test_each_batch_norm_names_the_convolution_that_feeds_it() -> None:
    ensemble = make_stack("cnn")
    pairs = ensemble.normalized()
    assert list(pairs) == ["norms.0", "norms.1", "norms.2"]
    for norm, ((producer, axis),) in pairs.items():
        assert axis == 0
        outputs = ensemble.get_parameter(producer).shape[1]
        assert ensemble.get_parameter(f"{norm}.weight").shape[1] == outputs
    assert not make_stack("fc").normalized()
