"""An attack network whose loss is no longer finite fails at once."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from prunepriv.attacks import FitSettings
from prunepriv.attacks.finite import check_finite
from prunepriv.attacks.networks import FastRecipe, fit_network
from prunepriv.errors import TrainingError


@pytest.mark.parametrize("held_out", [0.1, 0.0])
@pytest.mark.parametrize("recipe", ["fast", "paper"])
def test_the_first_epoch_of_a_loss_that_is_not_finite_is_the_last(
    recipe: str, held_out: float
) -> None:
    x, member = torch.full((64, 4), torch.inf), torch.arange(64) % 2
    fractions: list[float] = []
    settings = FitSettings(recipe="paper" if recipe == "paper" else "fast", seed=1)
    network = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))

    def report(fraction: float, *_: object) -> None:
        fractions.append(fraction)

    fast = FastRecipe(20, 8, 1e-2, most=1000, held_out=held_out)
    with pytest.raises(TrainingError, match=r"was no longer a finite number in epoch 1: choose"):
        fit_network(network, x, member, settings, fast, report)
    assert all(fraction <= 1 / 20 for fraction in fractions)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_what_is_not_finite_is_refused(value: float) -> None:
    check_finite(1e300, 1)
    with pytest.raises(TrainingError, match="in epoch 3"):
        check_finite(value, 3)
