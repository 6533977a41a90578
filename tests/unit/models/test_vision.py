"""torchvision's networks as stacks: the same arithmetic, sizes, slimming and stored values."""

from __future__ import annotations

import copy
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from prunepriv.models import Ensemble, build, multiplications
from prunepriv.options import APPROACHES
from prunepriv.pruning import make_masks
from prunepriv.signals import confidences, signals
from prunepriv.training import initialize
from tests.documents import ROOT
from tests.stacks import CLASSES, alone, make_records, make_stack

NAMES = ["resnet18", "vgg16", "densenet121"]
WIDTH = 0.125


def pictures(ensemble: Ensemble, shape: tuple[int, ...], count: int = 6) -> torch.Tensor:
    """(M, count, *shape), different for every model."""
    models = ensemble.models
    records = make_records("cnn", models * count, shape=shape)
    return ensemble.inputs(records.view(models, count, *shape))


@pytest.mark.parametrize(
    ("name", "norm", "shape"),
    [
        ("resnet18", "batch", (1, 8, 8)),
        ("resnet18", "batch", (3, 9, 20)),
        ("resnet18", "group", (3, 13, 8)),
        ("vgg16", "batch", (1, 13, 8)),
        ("vgg16", "batch", (3, 32, 32)),
        ("vgg16", "group", (1, 8, 8)),
        ("densenet121", "batch", (1, 11, 16)),
        ("densenet121", "group", (3, 8, 8)),
    ],
)
def test_a_stack_is_separate_networks(name: str, norm: str, shape: tuple[int, ...]) -> None:
    ensemble = make_stack(name, 2, shape=shape, width=WIDTH, norm=norm).train().double()
    x = pictures(ensemble, shape).double()  # a bias before a norm has gradient 0: no rounding
    plain = [alone(name, ensemble, model).double().train() for model in range(2)]
    together = ensemble(x)
    assert together.shape == (2, 6, CLASSES)
    together.sum().backward()
    learned = ensemble.state_dict()
    for model, network in enumerate(plain):
        logits = network(x[model])
        torch.testing.assert_close(together[model], logits)
        logits.sum().backward()
        for key, parameter in network.named_parameters():
            ours = ensemble.get_parameter(key).grad
            assert ours is not None
            assert parameter.grad is not None
            torch.testing.assert_close(ours[model], parameter.grad)
        for key, buffer in network.named_buffers():
            if not key.endswith("num_batches_tracked"):
                torch.testing.assert_close(learned[key][model], buffer)
    assert bool(ensemble.normalized()) == (norm == "batch")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("norm", ["batch", "group"])
def test_one_small_picture_can_be_trained_on_and_scored_at_any_width(name: str, norm: str) -> None:
    ensemble = make_stack(name, 1, width=0.01, norm=norm).train()
    assert ensemble(pictures(ensemble, (3, 8, 8), 1)).isfinite().all()
    assert ensemble.eval()(pictures(ensemble, (3, 8, 8), 1)).isfinite().all()


STEP = """
import itertools, sys, torch
from prunepriv.models import build
from prunepriv.training import Records, Settings, initialize, train

torch.set_num_threads(1)
y = torch.arange(12) % 4
for name, width, side in itertools.product(sys.argv[1:], (0.0625, 0.125), (32, 64)):
    print(name, width, side, flush=True)
    x = torch.randint(256, (12, 3, side, side), dtype=torch.uint8)
    model = build(name, 1, (3, side, side), 4, width)
    initialize(model, 0)
    records = Records(x, y, torch.arange(8)[None], torch.arange(8, 12)[None])
    train(model, records, Settings(epochs=1), seed=0, stage="train")
"""


@pytest.mark.parametrize("isa", ["AVX512_CORE", "AVX2"])
def test_narrow_networks_train_on_large_pictures(isa: str) -> None:
    """In a process of its own: a fault in oneDNN ends it. It has other code for each processor."""
    done = subprocess.run(
        [sys.executable, "-c", STEP, *NAMES], cwd=ROOT, capture_output=True, text=True, check=False,
        env={**os.environ, "ONEDNN_MAX_CPU_ISA": isa},
    )  # fmt: skip
    reached = done.stdout.strip().rpartition("\n")[2]
    assert done.returncode == 0, f"{reached}: {done.stderr}"


@pytest.mark.parametrize("name", NAMES)
def test_a_large_picture_is_pooled_to_one_answer(name: str) -> None:
    ensemble = make_stack(name, 1, shape=(1, 64, 64), width=0.05).eval()
    x = pictures(ensemble, (1, 64, 64), 1)
    torch.testing.assert_close(ensemble(x)[0], alone(name, ensemble, 0).eval()(x[0]))


def test_signals_and_confidences_are_those_of_plain_networks() -> None:
    ensemble = make_stack("resnet18", 2, width=WIDTH)
    x = make_records("resnet18", 8)
    rows = torch.tensor([[0, 3, 5, 1, 7], [2, 4, 0, 6, 3]])
    labels = torch.arange(8) % CLASSES
    plain = [alone("resnet18", ensemble, model).eval() for model in range(2)]
    logits, _ = signals(ensemble, x, rows, seed=1, chunk=2)
    asked = confidences(ensemble, x, labels, rows[0], chunk=2)
    for model, network in enumerate(plain):
        expected = network(ensemble.inputs(x[rows[model]]))
        torch.testing.assert_close(logits[model], expected, atol=1e-5, rtol=1e-4)
        posteriors = network(ensemble.inputs(x[rows[0]])).double().softmax(1)
        p = posteriors.gather(1, labels[rows[0]][:, None])[:, 0]
        torch.testing.assert_close(asked[model], (p / (1 - p)).log().float(), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("name", NAMES)
def test_copies_share_nothing(name: str) -> None:
    ensemble = make_stack(name, 2, width=WIDTH).eval()
    x = pictures(ensemble, (3, 8, 8))
    before = ensemble(x)
    other = copy.deepcopy(ensemble)
    other.keep(torch.tensor([1]))
    torch.testing.assert_close(other(x[1:]), before[1:])
    for parameter in other.parameters():
        parameter.data.zero_()
    assert torch.equal(ensemble(x), before)


def test_a_failed_pass_leaves_the_stack_as_it_was() -> None:
    ensemble = make_stack("vgg16", 2, width=WIDTH).eval()
    x = pictures(ensemble, (3, 8, 8))
    before, parameters = ensemble(x), list(ensemble.parameters())

    def fail(*_: object) -> None:
        raise KeyboardInterrupt

    handle = ensemble.get_submodule("classifier").register_forward_hook(fail)
    with pytest.raises(KeyboardInterrupt):
        ensemble(x)
    handle.remove()
    assert all(a is b for a, b in zip(ensemble.parameters(), parameters, strict=True))
    assert torch.equal(ensemble(x), before)


def test_parameters_and_multiplications_are_the_known_ones() -> None:
    known = {"resnet18": (11_173_962, 555_422_720), "vgg16": (14_728_266, 313_201_664)}
    for name, (parameters, products) in known.items():
        ensemble = build(name, 2, (3, 32, 32), 10)
        assert sum(p[0].numel() for p in ensemble.parameters()) == parameters
        assert multiplications(ensemble, (3, 32, 32)) == products
    dense = build("densenet121", 1, (3, 32, 32), 10)
    assert (sum(p.numel() for p in dense.parameters()), multiplications(dense, (3, 32, 32))) == (
        densenet_sums()
    )


def densenet_sums() -> tuple[int, int]:
    """Huang et al.'s table, layer by layer: (parameters, multiplications)."""
    channels, pixels = 64, 32 * 32
    parameters, products = 3 * 64 * 9 + 2 * 64, 3 * 64 * 9 * pixels
    for block, layers in enumerate((6, 12, 24, 16)):
        for _ in range(layers):
            weights = channels * 128 + 128 * 32 * 9
            parameters += weights + 2 * channels + 2 * 128
            products += weights * pixels
            channels += 32
        parameters += 2 * channels
        if block < 3:
            parameters += channels * channels // 2
            products += channels * channels // 2 * pixels
            channels, pixels = channels // 2, pixels // 4
    return parameters + 10 * channels + 10, products + 10 * channels


@pytest.mark.parametrize("name", ["cnn", *NAMES])
def test_multiplications_are_those_of_a_plain_networks_pass(name: str) -> None:
    shape = (1, 9, 21)
    ensemble = make_stack(name, 2, shape=shape, width=WIDTH)
    network = alone(name, ensemble, 0).eval()
    products = 0

    def count(layer: nn.Module, _: object, made: torch.Tensor) -> None:
        nonlocal products
        per_value = layer.weight.numel() // layer.weight.shape[0]  # type: ignore[operator,union-attr]
        products += made.numel() * per_value  # type: ignore[operator]

    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            layer.register_forward_hook(count)
    network(pictures(ensemble, shape, 1)[0])
    assert multiplications(ensemble, shape) == products


def test_multiplications_of_the_small_networks() -> None:
    fc = build("fc", 3, (20,), 5)
    assert multiplications(fc, (20,)) == 20 * 256 + 256 * 128 + 128 * 5
    cnn = build("cnn", 3, (3, 16, 16), 5)
    filters = 9 * (3 * 16 * 256 + 16 * 32 * 64 + 32 * 32 * 16)
    assert multiplications(cnn, (3, 16, 16)) == filters + 32 * 16 * 128 + 128 * 5


@pytest.mark.parametrize("name", NAMES)
def test_slimming_removes_the_smallest_scales_and_only_weights_without_effect(name: str) -> None:
    ensemble = make_stack(name, 2, width=WIDTH).eval()
    state = ensemble.copy_state()
    masks = make_masks("network_slimming", ensemble, state, 0.5)
    pairs = ensemble.normalized()
    for model in range(2):
        scales = {norm: state[f"{norm}.weight"][model].abs().tolist() for norm in pairs}
        removable = sorted(
            (scale, norm, channel)
            for norm, row in scales.items()
            for channel, scale in enumerate(row)
            if channel != row.index(max(row))
        )
        total = sum(map(len, scales.values()))
        gone = {(norm, channel) for _, norm, channel in removable[: round(0.5 * total)]}
        for norm, row in scales.items():
            kept = masks[f"{norm}.weight"][model].tolist()
            assert kept == [(norm, channel) not in gone for channel in range(len(row))]
    only_norms = {
        key: value * masks[key] if key.rpartition(".")[0] in pairs and key in masks else value
        for key, value in state.items()
    }
    everything = {
        key: value * masks[key] if key in masks else value for key, value in state.items()
    }
    x = pictures(ensemble, (3, 8, 8))
    ensemble.load(only_norms)
    before = ensemble(x)
    ensemble.load(everything)
    torch.testing.assert_close(ensemble(x), before, atol=1e-5, rtol=1e-4)
    assert any(not torch.equal(only_norms[key], everything[key]) for key in everything)


@pytest.mark.parametrize("name", NAMES)
def test_trained_pruned_saved_and_loaded(name: str, tmp_path: Path) -> None:
    ensemble = build(name, 1, (3, 8, 8), CLASSES, WIDTH)
    initialize(ensemble, seed=1)
    optimizer = torch.optim.Adam(ensemble.parameters())
    x = pictures(ensemble, (3, 8, 8), 3)
    other = build(name, 1, (3, 8, 8), CLASSES, WIDTH).eval()
    first = ensemble.copy_state()
    for _ in range(2):
        optimizer.zero_grad()
        ensemble.train()(x).logsumexp(2).sum().backward()
        optimizer.step()
    state = ensemble.copy_state()
    assert any(not torch.equal(state[key], first[key]) for key in state)
    for approach in APPROACHES:
        masks = make_masks(approach, ensemble, state, 0.6)
        assert masks
        pruned = {
            key: value * masks[key] if key in masks else value for key, value in state.items()
        }
        save_file(pruned, tmp_path / f"{approach}.safetensors")
        other.load(load_file(tmp_path / f"{approach}.safetensors"))
        ensemble.load(pruned)
        assert torch.equal(other(x), ensemble.eval()(x))
