"""Adam for stacks, against PyTorch's own and against itself for one model."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from prunepriv.models import Ensemble, build
from prunepriv.training import StackAdam, initialize

MODELS, FEATURES, CLASSES = 3, 13, 3
"""No parameter of a model fills whole vector registers."""
RATE, DECAY = 1e-2, 0.1


def stack(numbers: list[int]) -> Ensemble:
    made = build("fc", len(numbers), (FEATURES,), CLASSES, width=0.05)
    initialize(made, 3, numbers)
    return made


def learn(ensemble: Ensemble, numbers: list[int], step: int) -> None:
    """Gradients that a model gets at a step, whoever is beside it."""
    for place, parameter in enumerate(ensemble.parameters()):
        rows = []
        for number, row in zip(numbers, parameter, strict=True):
            generator = torch.Generator().manual_seed(1000 * step + 10 * place + number)
            rows.append(torch.randn(row.shape, generator=generator))
        parameter.grad = torch.stack(rows)


def weights(ensemble: Ensemble) -> dict[str, Tensor]:
    return {name: value.detach().clone() for name, value in ensemble.named_parameters()}


@pytest.mark.parametrize("decay", [0.0, DECAY])
def test_it_is_pytorchs_adam(decay: float) -> None:
    numbers = list(range(MODELS))
    ours, theirs = stack(numbers), stack(numbers)
    adam = StackAdam(ours, RATE, decay)
    other = torch.optim.Adam(theirs.parameters(), lr=RATE, weight_decay=decay, foreach=False)
    for step in range(5):
        for ensemble, optimizer in ((ours, adam), (theirs, other)):
            optimizer.zero_grad()
            learn(ensemble, numbers, step)
            optimizer.step()
    expected = weights(theirs)
    for name, value in weights(ours).items():
        torch.testing.assert_close(value, expected[name], atol=1e-6, rtol=1e-5)
        assert not torch.equal(value, weights(stack(numbers))[name])


def test_a_model_is_updated_in_the_same_way_at_every_place() -> None:
    numbers = [2, 0, 1]
    together = stack(numbers)
    adam = StackAdam(together, RATE, DECAY)
    singles = [stack([number]) for number in numbers]
    apart = [StackAdam(one, RATE, DECAY) for one in singles]
    for step in range(4):
        learn(together, numbers, step)
        adam.step()
        for number, one, optimizer in zip(numbers, singles, apart, strict=True):
            learn(one, [number], step)
            optimizer.step()
    for row, one in enumerate(singles):
        for name, value in weights(one).items():
            assert torch.equal(value[0], weights(together)[name][row]), name


def test_the_models_that_are_kept_continue_as_before() -> None:
    numbers = [0, 1, 2]
    whole, some = stack(numbers), stack(numbers)
    adams = StackAdam(whole, RATE, DECAY), StackAdam(some, RATE, DECAY)
    left = list(numbers)
    for step in range(6):
        if step in (2, 4):  # the first of the stack stops, twice
            rows = torch.arange(1, len(left))
            some.keep(rows)
            adams[1].keep(rows)
            left = left[1:]
        learn(whole, numbers, step)
        learn(some, left, step)
        for adam in adams:
            adam.step()
    assert left == [2]
    for name, value in weights(some).items():
        assert torch.equal(value[0], weights(whole)[name][2]), name


def test_a_parameter_without_a_gradient_is_an_error() -> None:
    ensemble = stack([0, 1])
    learn(ensemble, [0, 1], 0)
    next(ensemble.parameters()).grad = None
    with pytest.raises((RuntimeError, ValueError, IndexError)):
        StackAdam(ensemble, RATE).step()


def test_gradients_are_forgotten() -> None:
    ensemble = stack([0])
    learn(ensemble, [0], 0)
    StackAdam(ensemble, RATE).zero_grad()
    assert all(parameter.grad is None for parameter in ensemble.parameters())


def test_the_plain_optimizer_has_the_same_settings() -> None:
    group = StackAdam(stack([0]), RATE, DECAY).plain().param_groups[0]
    assert (group["lr"], group["weight_decay"], group["fused"]) == (RATE, DECAY, True)
    assert (group["betas"], group["eps"]) == ((0.9, 0.999), 1e-8)
