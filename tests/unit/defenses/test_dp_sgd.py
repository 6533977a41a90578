"""DP-SGD: every record's gradient, its clipping, the noise, and what the accountant says."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from opacus.accountants import RDPAccountant
from torch import Tensor

from prunepriv.defenses import make_protection
from prunepriv.defenses.clipping import ClippedGradients
from prunepriv.defenses.dp_sgd import DELTA, DPSGD, epsilon, guarantee
from prunepriv.models import Ensemble, build
from prunepriv.training import Records, Settings, cross_entropy, initialize
from tests.stacks import CLASSES, SHAPES, TrainedStack, make_problem, train_stack

PRIVATE = ("fc", "cnn")


def single(name: str) -> Ensemble:
    ensemble = build(name, 1, SHAPES[name], CLASSES, 0.25, "group" if name == "cnn" else "batch")
    initialize(ensemble, 3)
    for layer in ensemble.modules():
        if hasattr(layer, "rate"):
            layer.rate = 0.0
    ensemble.draw_dropout_from([torch.Generator()])
    return ensemble


def tuned(sigma: float, clip: float, seed: int = 7, **changes: Any) -> TrainedStack:
    settings = Settings(**{"epochs": 2, "batch_size": 32, **changes})
    protect = make_protection("dp_sgd", sigma, clip)
    return train_stack(
        single("fc"), make_problem("fc", 1), settings, seed=seed, stage="fine_tune", protect=protect
    )


def clipped_one_by_one(
    ensemble: Ensemble, records: Records, rows: Tensor, clip: float, masks: dict[str, Tensor]
) -> dict[str, Tensor]:
    """The sum of clipped gradients, with one backward pass per gradient."""
    total = {name: torch.zeros_like(p) for name, p in ensemble.named_parameters()}
    for record in rows[0]:
        ensemble.zero_grad()
        one = record.view(1, 1)
        cross_entropy(ensemble(ensemble.inputs(records.x[one])), records.y[one]).sum().backward()
        gradients = {}
        for name, parameter in ensemble.named_parameters():
            assert parameter.grad is not None
            gradients[name] = parameter.grad * masks.get(name, torch.ones(()))
        norm = math.sqrt(sum(float(g.square().sum()) for g in gradients.values()))
        for name, gradient in gradients.items():
            total[name] += gradient * min(1.0, clip / norm)
    return total


@pytest.mark.parametrize("name", PRIVATE)
@pytest.mark.parametrize("clip", [0.3, 1e6])
@pytest.mark.parametrize("pruned", [False, True])
def test_the_clipped_sum_is_that_of_one_pass_per_record(
    name: str, clip: float, pruned: bool
) -> None:
    ensemble, records = single(name), make_problem(name, 1)
    masks = {
        weight: torch.rand(ensemble.get_parameter(weight).shape) > 0.5
        for weight in ensemble.prunable()
        if pruned
    }
    rows = records.train[:, :6]
    expected = clipped_one_by_one(ensemble, records, rows, clip, masks)
    watched = ClippedGradients(ensemble)
    cross_entropy(ensemble(ensemble.inputs(records.x[rows])), records.y[rows]).sum().backward()
    watched.sum_up(clip, masks)
    for weight, parameter in ensemble.named_parameters():
        assert parameter.grad is not None
        torch.testing.assert_close(parameter.grad, expected[weight], atol=1e-5, rtol=1e-3)


def test_without_a_pass_there_is_nothing_to_sum() -> None:
    ensemble = single("fc")
    ClippedGradients(ensemble).sum_up(1.0, {})
    assert all(p.grad is not None and not p.grad.any() for p in ensemble.parameters())


def test_a_layer_without_a_rule_is_refused() -> None:
    with pytest.raises(TypeError, match="no rule for per-record gradients of StackedBatchNorm2d"):
        ClippedGradients(build("cnn", 1, SHAPES["cnn"], CLASSES, 0.25))


@pytest.mark.parametrize("clip", [0.05, 1e6])
def test_a_step_without_noise_is_clipping_written_out(clip: float) -> None:
    """One epoch of one batch with every member: q = 1, and Adam's first step shows the signs."""
    records = make_problem("fc", 1)
    members = records.train.shape[1]
    trained = tuned(0.0, clip, epochs=1, batch_size=members, weight_decay=0.0)
    ensemble = single("fc")
    names = [name for name, _ in ensemble.named_parameters()]
    total = clipped_one_by_one(ensemble, records, records.train, clip, {})
    # Adam's first step, from zero moments, follows the gradient's sign
    optimizer = torch.optim.Adam(ensemble.parameters(), lr=1e-3)
    for name in names:
        ensemble.get_parameter(name).grad = total[name] / members
    optimizer.step()
    # early stopping always keeps the first epoch's weights
    for name in names:
        expected, found = ensemble.get_parameter(name).data, trained.state[name]
        clear = (total[name] / members).abs() > 1e-6  # Adam's eps changes the other steps
        torch.testing.assert_close(found[clear], expected[clear], atol=2e-5, rtol=1e-4)


def test_noise_is_added_from_a_stream_of_its_own() -> None:
    quiet, noisy, again, other = (
        tuned(*choice) for choice in ((0.0, 1.0), (1.0, 1.0), (1.0, 1.0), (1.0, 1.0, 8))
    )
    name = "output.weight"
    assert torch.equal(noisy.state[name], again.state[name])
    assert not torch.equal(noisy.state[name], quiet.state[name])
    assert not torch.equal(noisy.state[name], other.state[name])


def test_batches_are_poisson_draws_and_may_be_empty() -> None:
    protection = DPSGD(1.0, 1.0)
    protection.rate = 0.02
    rows = torch.arange(1000)[None]
    order = [torch.Generator().manual_seed(2)]
    drawn = [batch for _ in range(40) for batch in protection.batches(rows, order, 20)]
    sizes = torch.tensor([float(batch.shape[1]) for batch in drawn])
    assert len(drawn) == 40 * 50
    assert float(sizes.mean()) == pytest.approx(20, abs=0.4)
    assert float(sizes.var()) == pytest.approx(20 * 0.98, rel=0.15)
    counts = torch.bincount(torch.cat([batch[0] for batch in drawn]), minlength=1000)
    assert float(counts.float().mean()) == pytest.approx(40, abs=0.7)
    # with two records per batch on average, one batch in eight is empty
    trained = tuned(1.0, 1.0, batch_size=2)
    assert all(value.isfinite().all() for value in trained.state.values())


def test_masked_weights_stay_zero_under_noise() -> None:
    ensemble = single("fc")
    masks = {"hidden1.weight": torch.rand(ensemble.get_parameter("hidden1.weight").shape) > 0.6}
    trained = train_stack(
        ensemble, make_problem("fc", 1), Settings(epochs=2, batch_size=32), seed=7,
        stage="fine_tune", protect=make_protection("dp_sgd", 1.0, 1.0), masks=masks,
    )  # fmt: skip
    weight = trained.state["hidden1.weight"]
    assert not weight[~masks["hidden1.weight"]].any()
    assert weight[masks["hidden1.weight"]].all()


def test_epsilon_is_what_opacus_says_step_by_step() -> None:
    accountant = RDPAccountant()
    for _ in range(300):
        accountant.step(noise_multiplier=1.1, sample_rate=0.05)
    direct = accountant.get_epsilon(DELTA)
    assert epsilon(1.1, 0.05, 300) == pytest.approx(direct)
    assert direct == pytest.approx(5.368526, rel=1e-5)  # stored values of Opacus 1.6.0
    assert epsilon(0.0, 0.05, 300) is None
    assert epsilon(1.1, 0.05, 0) is None


def test_epsilon_counts_all_steps_that_were_done() -> None:
    told = tuned(1.0, 0.5, epochs=3, patience=None).protection[0]
    assert told is not None
    members = make_problem("fc", 1).train.shape[1]
    steps = 3 * math.ceil(members / 32)
    assert told["steps"] == steps
    assert told["sample_rate"] == pytest.approx(32 / members)
    assert told["epsilon"] == epsilon(1.0, 32 / members, steps)
    assert (told["clip"], told["noise_multiplier"], told["delta"]) == (0.5, 1.0, 1e-5)
    assert told["covers"] == "fine_tune"


def test_the_guarantee_is_that_of_all_steps_that_may_be_taken() -> None:
    """A stop by the accuracy of private models is not covered by the steps that happened."""
    trained = tuned(1.0, 0.5, epochs=40, patience=1, learning_rate=1e-2)
    told, epochs = trained.protection[0], len(trained.history[0])
    assert told is not None
    assert epochs < 40, "it stopped early"
    each = math.ceil(make_problem("fc", 1).train.shape[1] / 32)
    promised = guarantee(told, epochs, 40)
    assert (promised["steps"], promised["budget_steps"]) == (epochs * each, 40 * each)
    assert promised["epsilon_of_steps"] == epsilon(1.0, told["sample_rate"], epochs * each)
    assert promised["epsilon"] == epsilon(1.0, told["sample_rate"], 40 * each)
    assert promised["epsilon"] > promised["epsilon_of_steps"] > 0
    assert promised.items() >= {k: v for k, v in told.items() if k != "epsilon"}.items()


def test_without_patience_the_number_of_epochs_is_fixed_and_both_epsilons_are_one() -> None:
    trained = tuned(1.0, 0.5, epochs=7, patience=None, learning_rate=1e-2)
    told = trained.protection[0]
    assert told is not None
    assert len(trained.history[0]) == 7
    promised = guarantee(told, 7, 7)
    assert promised["epsilon"] == promised["epsilon_of_steps"] == told["epsilon"]
    assert promised["steps"] == promised["budget_steps"]


def test_without_noise_nothing_is_guaranteed() -> None:
    told = tuned(0.0, 0.5).protection[0]
    assert told is not None
    promised = guarantee(told, 2, 10)
    assert promised["epsilon"] is promised["epsilon_of_steps"] is None


def test_steps_that_are_not_whole_epochs_are_refused() -> None:
    told = {"steps": 7, "noise_multiplier": 1.0, "sample_rate": 0.1}
    with pytest.raises(ValueError, match="7 steps in 2 epochs"):
        guarantee(told, 2, 10)


def test_an_epoch_has_as_many_draws_as_plain_training_has_batches() -> None:
    protection = DPSGD(1.0, 1.0)
    protection.rate = 128 / 6272  # 1 / (128 / 6272) is a little more than 49
    order = [torch.Generator().manual_seed(2)]
    assert len(list(protection.batches(torch.arange(6272)[None], order, 128))) == 49


@pytest.mark.parametrize("name", PRIVATE)
def test_norms_are_float32s_where_products_are_bfloat16s(name: str) -> None:
    ensemble, records = single(name), make_problem(name, 1)
    watched = ClippedGradients(ensemble)
    rows = records.train[:, :1]
    with torch.autocast("cpu", dtype=torch.bfloat16):
        logits = ensemble(ensemble.inputs(records.x[rows]))
    cross_entropy(logits.float(), records.y[rows]).sum().backward()
    watched.sum_up(0.01, {})
    gradients = [parameter.grad for parameter in ensemble.parameters()]
    total = sum(float(g.double().square().sum()) for g in gradients if g is not None)
    assert math.sqrt(total) == pytest.approx(0.01, rel=1e-4)
