"""The plain loop that ours is timed against trains the same network on the same records."""

from __future__ import annotations

import pytest
import torch

from benchmarks.plain_loop import PlainLoop, network
from prunepriv.models import build
from prunepriv.training import Settings
from tests.stacks import CLASSES, SHAPES, make_problem


@pytest.mark.parametrize("name", ["fc", "cnn", "resnet18", "vgg16", "densenet121"])
def test_the_plain_network_has_the_layers_of_ours(name: str) -> None:
    shape = (40,) if name == "fc" else (3, 16, 16)
    ours, plain = build(name, 1, shape, CLASSES), network(name, shape, CLASSES)
    sizes = [tuple(value.shape[1:]) for value in ours.parameters()]
    assert sorted(map(tuple, (p.shape for p in plain.parameters()))) == sorted(sizes)
    top = 2 if name == "fc" else 256
    x = torch.randint(0, top, (2, *shape), dtype=torch.uint8)
    assert plain.eval()(ours.inputs(x)).shape == (2, CLASSES)


@pytest.mark.parametrize("bfloat16", [False, True])
def test_it_learns(bfloat16: bool) -> None:
    torch.manual_seed(1)
    records, inputs = make_problem("cnn", 1), build("cnn", 1, SHAPES["cnn"], CLASSES).inputs
    plain = network("cnn", SHAPES["cnn"], CLASSES)
    once = PlainLoop(plain, inputs, records, Settings(epochs=1, batch_size=16), bfloat16)
    before = once.train()
    for _ in range(20):
        after = once.train()
    assert after > before
    assert after > 1.5 / CLASSES
