"""One contract over all defences."""

from __future__ import annotations

import pytest
import torch

from prunepriv.defenses import REGISTRY, make_protection
from prunepriv.errors import UnknownNameError
from prunepriv.options import DEFENSES
from prunepriv.training import (
    Protection,
    cross_entropy,
)
from tests.stacks import TrainedStack, fresh, make_problem, train_stack
from tests.unit.defenses.at_work import SETTINGS, answers, at_work, batch

NAMES = list(DEFENSES)


def tuned(name: str, strength: float, model: str = "fc", models: int = 3) -> TrainedStack:
    return train_stack(
        fresh(model, models), make_problem(model, models), SETTINGS,
        seed=7, stage="fine_tune", protect=make_protection(name, strength, clip=1.0),
    )  # fmt: skip


def test_the_registry_is_the_options_table() -> None:
    assert list(REGISTRY) == NAMES


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(UnknownNameError, match="unknown defence 'luck': choose one of none, ppb"):
        make_protection("luck", 1.0)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("size", [1, 2, 7, 8])
def test_a_finite_loss_per_model_with_a_finite_gradient(name: str, size: int) -> None:
    models = 1 if make_protection(name, 1.0, clip=1.0)().alone else 3
    records = make_problem("fc", models)
    protection = at_work(name, DEFENSES[name].default_strength, fresh("fc", models), records)
    logits, labels = batch(models, size)
    protection.before_step(records.train[:, :size], answers)
    logits.requires_grad_()
    losses = protection.losses(logits, labels)
    assert losses.shape == (models,)
    assert losses.isfinite().all()
    (gradient,) = torch.autograd.grad(losses.sum(), logits)
    assert gradient.isfinite().all()


@pytest.mark.parametrize("name", [n for n in NAMES if not make_protection(n, 1.0, 1.0)().alone])
def test_models_do_not_depend_on_each_other(name: str) -> None:
    records = make_problem("fc", 3)
    protection = at_work(name, min(4.0, DEFENSES[name].high), fresh("fc", 3), records)
    protection.before_step(records.train[:, :8], answers)
    logits, labels = batch()
    logits.requires_grad_()
    (gradient,) = torch.autograd.grad(protection.losses(logits, labels)[1], logits)
    assert gradient[1].any()
    assert not gradient[[0, 2]].any()


@pytest.mark.parametrize("name", NAMES)
def test_what_a_model_learns_does_not_depend_on_the_other_models(name: str) -> None:
    strength = DEFENSES[name].default_strength
    both, first = tuned(name, strength), tuned(name, strength, models=1)
    for key, value in first.state.items():
        assert torch.equal(both.state[key][:1], value)


@pytest.mark.parametrize("name", [n for n in NAMES if n != "dp_sgd"])
def test_at_strength_zero_it_is_plain_fine_tuning(name: str) -> None:
    # DP-SGD without noise still clips, and draws its batches
    plain, zero = tuned("none", 0.0), tuned(name, 0.0)
    assert all(torch.equal(value, zero.state[key]) for key, value in plain.state.items())


@pytest.mark.parametrize("name", [n for n in NAMES if n != "none"])
def test_every_defense_changes_what_is_learnt(name: str) -> None:
    plain, defended = tuned("none", 0.0), tuned(name, DEFENSES[name].default_strength)
    assert not torch.equal(plain.state["output.weight"], defended.state["output.weight"])
    again = tuned(name, DEFENSES[name].default_strength)
    assert all(torch.equal(value, again.state[key]) for key, value in defended.state.items())


@pytest.mark.parametrize("name", NAMES)
def test_nothing_comes_from_the_global_generator(name: str) -> None:
    state = torch.get_rng_state()
    tuned(name, DEFENSES[name].default_strength)
    assert torch.equal(torch.get_rng_state(), state)


def test_a_defense_is_cross_entropy_unless_it_has_its_own_objective() -> None:
    logits, labels = batch()
    assert torch.equal(Protection().losses(logits, labels), cross_entropy(logits, labels))
