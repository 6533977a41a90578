"""The one-cycle rate against PyTorch's scheduler; Adam and SGD under it against its optimisers."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import pytest
import torch
from torch import nn

from prunepriv.attacks.one_cycle import MOMENTUM, OneCycle, OneCycleAdam, OneCycleSgd, one_cycle

PEAK, DECAY = 2e-3, 5e-4


@pytest.mark.parametrize("steps", [1, 2, 3, 4, 7, 10, 200])
def test_rates_and_betas_are_those_of_pytorchs_scheduler(steps: int) -> None:
    optimizer = torch.optim.Adam([nn.Parameter(torch.zeros(1))], lr=PEAK)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, PEAK, total_steps=steps)
    for step in range(steps):
        group = optimizer.param_groups[0]
        expected = group["lr"], group["betas"][0]
        assert one_cycle(step, steps, PEAK) == pytest.approx(expected, rel=1e-12)
        optimizer.step()
        if step + 1 < steps:
            schedule.step()


def _adam(weights: nn.Parameter) -> torch.optim.Optimizer:
    return torch.optim.Adam([weights], lr=PEAK, weight_decay=DECAY, foreach=False)


def _sgd(weights: nn.Parameter) -> torch.optim.Optimizer:
    return torch.optim.SGD([weights], lr=PEAK, momentum=MOMENTUM, weight_decay=DECAY)


@pytest.mark.parametrize(
    ("mine", "pytorchs", "cycle_momentum"),
    [(OneCycleAdam, _adam, True), (OneCycleSgd, _sgd, False)],
)
def test_weights_are_those_of_pytorch_under_its_scheduler(
    mine: type[OneCycle],
    pytorchs: Callable[[nn.Parameter], torch.optim.Optimizer],
    cycle_momentum: bool,
) -> None:
    steps, generator = 20, torch.Generator().manual_seed(0)
    start = torch.randn(37, generator=generator)
    ours, theirs = nn.Parameter(start.clone()), nn.Parameter(start.clone())
    one, other = mine(ours, PEAK, steps, DECAY), pytorchs(theirs)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        other, PEAK, total_steps=steps, cycle_momentum=cycle_momentum
    )
    for _ in range(steps):
        gradient = torch.randn(37, generator=generator)
        ours.grad, theirs.grad = gradient, gradient.clone()
        one.step()
        other.step()
        schedule.step()
    torch.testing.assert_close(ours, theirs, atol=1e-7, rtol=1e-6)
    assert float((ours - start).detach().abs().max()) > PEAK


@pytest.mark.parametrize("optimizer", [OneCycleAdam, OneCycleSgd])
def test_a_step_without_a_gradient_is_an_error(
    optimizer: type[OneCycleAdam] | type[OneCycleSgd],
) -> None:
    with pytest.raises(RuntimeError, match="no gradient"):
        optimizer(nn.Parameter(torch.zeros(1)), PEAK, 3, DECAY).step()


def test_a_fit_does_not_import_pytorchs_compiler() -> None:
    program = """
import sys, torch
from prunepriv.attacks import FitSettings
from prunepriv.attacks.networks import fit_network
from prunepriv.attacks.neural import FAST, attack_network
from prunepriv.progress import silent
x, member = torch.rand(20, 6), torch.arange(20) % 2
fit_network(attack_network(6), x, member, FitSettings("fast", 1), FAST, silent)
assert "torch._dynamo" not in sys.modules, "it takes more than a second"
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=120)
