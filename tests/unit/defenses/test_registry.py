"""One contract over all defences."""

from __future__ import annotations

import pytest
import torch

from prunepriv.defenses import REGISTRY, cross_entropy, make_objective
from prunepriv.errors import UnknownNameError
from prunepriv.options import DEFENSES


def batch(models: int = 3, size: int = 8) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    logits = 3 * torch.randn(models, size, 5, generator=generator)
    return logits, torch.randint(0, 5, (models, size), generator=generator)


def test_the_registry_is_the_options_table() -> None:
    assert list(REGISTRY) == list(DEFENSES)


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(UnknownNameError, match="unknown defence 'luck': choose one of none, ppb"):
        make_objective("luck", 1.0)


@pytest.mark.parametrize("name", list(DEFENSES))
@pytest.mark.parametrize("size", [1, 2, 7, 8])
def test_a_finite_loss_per_model_with_a_finite_gradient(name: str, size: int) -> None:
    logits, labels = batch(size=size)
    logits.requires_grad_()
    losses = make_objective(name, DEFENSES[name].default_strength)(logits, labels)
    assert losses.shape == (3,)
    assert losses.isfinite().all()
    (gradient,) = torch.autograd.grad(losses.sum(), logits)
    assert gradient.isfinite().all()


@pytest.mark.parametrize("name", list(DEFENSES))
def test_models_do_not_hear_of_each_other(name: str) -> None:
    logits, labels = batch()
    logits.requires_grad_()
    losses = make_objective(name, 4.0)(logits, labels)
    (gradient,) = torch.autograd.grad(losses[1], logits)
    assert gradient[1].any()
    assert not gradient[[0, 2]].any()


@pytest.mark.parametrize("name", list(DEFENSES))
def test_at_strength_zero_only_cross_entropy_is_left(name: str) -> None:
    logits, labels = batch()
    torch.testing.assert_close(
        make_objective(name, 0.0)(logits, labels), cross_entropy(logits, labels)
    )
