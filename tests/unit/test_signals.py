"""Sensitivity against float64, and against the limit |J u|."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.autograd.functional import jacobian

from prunepriv.errors import TrainingError
from prunepriv.signals import (
    DRAWS,
    STEP,
    answers,
    confidences,
    posterior_change,
    posterior_slope,
    scaled_confidence,
    signals,
)
from tests.stacks import CLASSES, alone, make_records, make_stack

COUNT = 12


def draws(seed: int, shape: tuple[int, ...]) -> list[Tensor]:
    """The noise of one chunk, as the seed gives it."""
    generator = torch.Generator().manual_seed(seed)
    return [torch.empty(shape).normal_(generator=generator) for _ in range(DRAWS)]


def rows_of(models: int) -> Tensor:
    generator = torch.Generator().manual_seed(8)
    return torch.stack([torch.randperm(64, generator=generator)[:COUNT] for _ in range(models)])


@pytest.mark.parametrize("name", ["fc", "cnn"])
def test_sensitivity_is_the_mean_change_per_step_in_double_precision(name: str) -> None:
    ensemble, x, rows = make_stack(name, 2), make_records(name), rows_of(2)
    logits, sensitivity = signals(ensemble, x, rows, seed=4)
    assert logits.shape == sensitivity.shape == (2, COUNT, CLASSES)
    noise = draws(4, (COUNT, *x.shape[1:]))
    for model in range(2):
        network = alone(name, ensemble, model).eval().double()
        inputs = ensemble.inputs(x[rows[model]]).double()
        p = network(inputs).softmax(1)
        torch.testing.assert_close(logits[model].softmax(1).double(), p, atol=1e-5, rtol=1e-4)
        changes = [(network(inputs + STEP * u).softmax(1) - p).abs() / STEP for u in noise]
        expected = torch.stack(changes).mean(0).detach()
        # float32 logits of about 10 give a difference of 1e-3 only to 1e-3 of its size
        torch.testing.assert_close(sensitivity[model].double(), expected, atol=2e-3, rtol=1e-2)
        assert expected.max() > 0.05, "the test needs a network that reacts"


def test_sensitivity_is_close_to_its_limit() -> None:
    ensemble, x, rows = make_stack("fc", 1), make_records("fc"), rows_of(1)
    _, sensitivity = signals(ensemble, x, rows, seed=4)
    limit = limits(alone("fc", ensemble, 0), ensemble.inputs(x[rows[0]]))
    off = (sensitivity[0].double() - limit).abs()
    assert (off < 1e-3 + 1e-2 * limit).double().mean() > 0.8
    assert off.max() < 0.02, "even if a ReLU changes its slope between x and x + eps u"


@pytest.mark.parametrize("name", ["fc", "cnn"])
def test_exact_sensitivity_is_the_limit(name: str) -> None:
    ensemble, x, rows = make_stack(name, 2), make_records(name), rows_of(2)
    sampled = signals(ensemble, x, rows, seed=4)
    logits, exact = signals(ensemble, x, rows, seed=4, exact=True)
    assert exact.dtype == logits.dtype == torch.float32
    assert torch.equal(logits, sampled[0])
    for model in range(2):
        limit = limits(alone(name, ensemble, model), ensemble.inputs(x[rows[model]]))
        torch.testing.assert_close(exact[model].double(), limit, atol=1e-5, rtol=1e-4)
        assert limit.max() > 0.05, "the test needs a network that reacts"
    # a step may cross the point where a ReLU changes its slope; the limit does not
    assert (exact - sampled[1]).abs().mean() < 0.02 * exact.mean()
    assert (exact - sampled[1]).abs().max() < 0.05


def limits(network: nn.Module, inputs: Tensor) -> Tensor:
    """Mean |J u| over the draws, from the full Jacobian of each record in double precision."""
    network = network.eval().double()

    def posterior(record: Tensor) -> Tensor:
        answer: Tensor = network(record[None]).softmax(-1)[0]
        return answer

    slopes = torch.stack([jacobian(posterior, record) for record in inputs.double()]).flatten(2)
    noise = [u.double().flatten(1)[:, :, None] for u in draws(4, tuple(inputs.shape))]
    return torch.stack([slopes @ u for u in noise]).abs().mean(0)[:, :, 0]


@pytest.mark.parametrize("exact", [False, True])
def test_models_scored_one_by_one_give_the_same(
    exact: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    ensemble, x, rows = make_stack("cnn"), make_records("cnn"), rows_of(3)
    y = torch.arange(64) % CLASSES
    together = (
        *signals(ensemble, x, rows, seed=3, exact=exact, chunk=5),
        confidences(ensemble, x, y, rows[0]),
    )
    monkeypatch.setattr(type(ensemble), "one_by_one", True)
    apart = (
        *signals(ensemble, x, rows, seed=3, exact=exact, chunk=5),
        confidences(ensemble, x, y, rows[0]),
    )
    for one, other in zip(together, apart, strict=True):
        torch.testing.assert_close(other, one, atol=2e-3, rtol=1e-3)


def test_one_model_of_a_stack_is_a_copy() -> None:
    ensemble = make_stack("cnn")
    one = ensemble.single(1)
    for name, value in one.state_dict().items():
        assert torch.equal(value, ensemble.state_dict()[name][1:2])
    next(one.parameters()).data.zero_()
    assert next(ensemble.parameters()).all()
    assert (one.models, ensemble.models) == (1, 3)


def test_confidences_are_the_odds_of_the_true_label() -> None:
    ensemble, x = make_stack("fc"), make_records("fc")
    y, rows = torch.arange(64) % CLASSES, rows_of(1)[0]
    phi = confidences(ensemble, x, y, rows, chunk=5)
    assert (phi.shape, phi.dtype) == ((3, COUNT), torch.float32)
    for model in range(3):
        p = alone("fc", ensemble, model).eval().double()(x[rows].double()).softmax(1)
        p_y = p[torch.arange(COUNT), y[rows]]
        torch.testing.assert_close(phi[model].double(), p_y.logit(), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("lead", [-300.0, -30.0, 0.0, 30.0, 300.0])
def test_a_scaled_confidence_keeps_its_digits(lead: float) -> None:
    logits = torch.tensor([[lead, 0.0, 1.0], [0.0, lead, 1.0]])
    phi = scaled_confidence(logits, torch.tensor([0, 1]))
    expected = lead - torch.tensor([0.0, 1.0], dtype=torch.float64).logsumexp(0)
    torch.testing.assert_close(phi, expected.expand(2))


@pytest.mark.parametrize("lead", [0.0, 8.0, 24.0])
def test_a_posteriors_slope_is_the_limit_of_its_change(lead: float) -> None:
    generator = torch.Generator().manual_seed(6)
    logits = torch.randn(200, 6, generator=generator)
    logits[:, 2] += lead
    slope = torch.randn(200, 6, generator=generator)
    limit = posterior_change(logits.double(), 1e-7 * slope.double()) / 1e-7
    ours = posterior_slope(logits, slope).double()
    scale = limit.abs().clamp_min(1e-3 * limit.abs().amax(1, keepdim=True))
    assert ((ours - limit).abs() / scale).max() < 1e-2
    assert ((ours - limit).abs() / scale).median() < 1e-5


def test_the_same_seed_gives_the_same_signals() -> None:
    ensemble, x, rows = make_stack("fc"), make_records("fc"), rows_of(3)
    first, again, other = (signals(ensemble, x, rows, seed=seed) for seed in (1, 1, 2))
    assert torch.equal(first[0], again[0])
    assert torch.equal(first[1], again[1])
    assert torch.equal(first[0], other[0])
    assert not torch.equal(first[1], other[1])


def test_a_records_draws_are_the_same_under_every_model() -> None:
    ensemble, x = make_stack("fc"), make_records("fc")
    ensemble.keep(torch.tensor([1, 1]))  # the same model twice
    _, sensitivity = signals(ensemble, x, rows_of(1).expand(2, -1), seed=3)
    torch.testing.assert_close(sensitivity[0], sensitivity[1])
    _, same_record = signals(ensemble, x, torch.zeros(2, COUNT, dtype=torch.long), seed=3)
    assert not torch.allclose(same_record[0, 0], same_record[0, 1]), "each column has its own draws"


def test_logits_do_not_depend_on_the_chunk() -> None:
    ensemble, x, rows = make_stack("cnn"), make_records("cnn"), rows_of(3)
    whole, _ = signals(ensemble, x, rows, seed=3)
    parts, sensitivity = signals(ensemble, x, rows, seed=3, chunk=5)
    torch.testing.assert_close(parts, whole)
    assert sensitivity.shape == whole.shape


@pytest.mark.parametrize("name", ["fc", "cnn", "resnet18"])
def test_answers_are_the_logits_of_the_signals(name: str) -> None:
    ensemble, x, rows = make_stack(name), make_records(name), rows_of(3)
    logits, _ = signals(ensemble, x, rows, seed=3)
    assert torch.equal(answers(ensemble, x, rows), logits)
    torch.testing.assert_close(answers(ensemble, x, rows, chunk=5), logits)


@pytest.mark.parametrize("query", [answers, partial(signals, seed=3)], ids=["answers", "signals"])
def test_dropout_and_running_statistics_are_not_used_or_changed(query: Callable[..., Any]) -> None:
    ensemble, x = make_stack("cnn").train(), make_records("cnn")
    before = ensemble.copy_state()
    query(ensemble, x, rows_of(3))
    for name, value in ensemble.state_dict().items():
        assert torch.equal(value, before[name])


@pytest.mark.parametrize("lead", [0.0, 2.0, 8.0, 16.0, 24.0])
def test_a_posteriors_change_keeps_its_digits(lead: float) -> None:
    generator = torch.Generator().manual_seed(6)
    logits = torch.randn(200, 6, generator=generator)
    logits[:, 2] += lead
    change = 1e-3 * torch.randn(200, 6, generator=generator)
    z, dz = logits.double(), change.double()
    expected = (z + dz).softmax(1) - z.softmax(1)
    top = logits.argmax(1, keepdim=True)
    others = expected.scatter(1, top, 0.0).sum(1, keepdim=True)
    expected = expected.scatter(1, top, -others)  # in float64, too, 1 - p is lost near 1
    ours = posterior_change(logits, change)
    # what float32 keeps of the largest possible change of a posterior of this size
    floor = z.softmax(1).scatter(1, top, (1 - z.softmax(1)).gather(1, top)) * dz.abs().amax()
    assert ((ours - expected).abs() <= 2e-6 * floor + 1e-5 * expected.abs()).all()
    plain = (logits + change).softmax(1) - logits.softmax(1)
    worst = ((plain - expected).abs() / expected.abs().clamp_min(1e-30)).median()
    assert worst > 1e-5, "the plain difference loses digits: the formula is needed"


@pytest.mark.parametrize("reached", [1e3, 1e6, 1e20])
def test_answers_of_huge_logits_change_from_one_posterior_to_another(reached: float) -> None:
    """Where the exponential of a change overflows: the second class takes over, or nothing does."""
    logits = torch.tensor([[0.0, -reached / 2, -3 * reached], [0.0, 1.0, 2.0]])
    change = torch.tensor([[0.0, reached, reached], [0.5, -0.25, 0.0]])
    expected = (logits + change).double().softmax(1) - logits.double().softmax(1)
    assert expected[0].tolist() == [-1.0, 1.0, 0.0]
    torch.testing.assert_close(posterior_change(logits, change).double(), expected)


@pytest.mark.parametrize("value", [float("inf"), float("nan")])
def test_answers_that_are_not_finite_are_refused(value: float) -> None:
    ensemble, x, rows = make_stack("fc", 2), make_records("fc"), rows_of(2)
    ensemble.output.bias.data[1, 0] = value  # type: ignore[union-attr]
    with pytest.raises(TrainingError, match=r"not finite numbers.*: lower the learning rate"):
        signals(ensemble, x, rows, seed=4)
    with pytest.raises(TrainingError, match=r"not finite numbers.*: lower the learning rate"):
        confidences(ensemble, x, torch.zeros(len(x), dtype=torch.int64), rows[0])
