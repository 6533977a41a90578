"""Layers of many models at once: each model's part is what torch.nn's own layer computes."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from prunepriv.models.layers import (
    Dropout,
    StackedBatchNorm2d,
    StackedConv2d,
    StackedGroupNorm,
    StackedLinear,
    group_count,
    keep_mask,
    products,
)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("rate", [0.0, 0.1, 0.2, 0.5])
def test_a_mask_drops_at_its_rate_and_keeps_the_mean(rate: float) -> None:
    count = 400_001  # not a multiple of the four that share a draw
    mask = keep_mask((count,), rate, generator())
    spread = math.sqrt(max(rate * (1 - rate), 1e-12) / count)
    assert mask.shape == (count,)
    assert float((mask == 0).double().mean()) == pytest.approx(rate, abs=5 * spread + 2**-16)
    assert mask[mask != 0].unique().tolist() == [pytest.approx(1 / (1 - rate), rel=1e-4)]


def test_neighbors_that_share_a_draw_are_dropped_independently() -> None:
    dropped = (keep_mask((400_000,), 0.5, generator()) == 0).double().view(-1, 4)
    correlations = torch.corrcoef(dropped.T)
    assert (correlations - torch.eye(4)).abs().max() < 5 / math.sqrt(100_000)


def test_the_same_generator_gives_the_same_mask() -> None:
    first, again = (keep_mask((7, 9), 0.2, generator(4)) for _ in range(2))
    assert first.shape == (7, 9)
    assert torch.equal(first, again)
    assert not torch.equal(first, keep_mask((7, 9), 0.2, generator(5)))


def test_a_models_dropout_does_not_depend_on_its_neighbors() -> None:
    drop = Dropout(0.3)
    x = torch.ones(3, 50, 8)
    drop.generators = [generator(m) for m in range(3)]
    together = drop(x)
    drop.generators = [generator(1)]
    assert torch.equal(together[1:2], drop(x[1:2]))
    assert not torch.equal(together[0], together[1])


def test_dropout_is_the_identity_in_eval_mode() -> None:
    x = torch.randn(2, 4, 8, generator=generator())
    assert torch.equal(Dropout(0.9).eval()(x), x)


def test_dropout_draws_on_the_processor_for_records_elsewhere() -> None:
    drop = Dropout(0.3)
    drop.generators = [generator(m) for m in range(2)]
    assert drop(torch.ones(2, 5, 8, device="meta")).device.type == "meta"


def test_dropout_refuses_to_share_a_generator_between_models() -> None:
    drop = Dropout(0.1)
    drop.generators = [generator()]
    with pytest.raises(RuntimeError, match="2 models, but 1 generators"):
        drop(torch.ones(2, 3))


def test_a_batch_norm_learns_the_running_statistics_of_each_model() -> None:
    x = torch.randn(6, 2 * 3, 5, 5, generator=generator()) * 2 + 1
    stacked = StackedBatchNorm2d(2, 3)
    nn.init.ones_(stacked.weight)
    nn.init.zeros_(stacked.bias)
    stacked(x)
    for model in range(2):
        plain = nn.BatchNorm2d(3)
        plain(x[:, 3 * model : 3 * model + 3])
        torch.testing.assert_close(stacked.running_mean[model], plain.running_mean)
        torch.testing.assert_close(stacked.running_var[model], plain.running_var)


def test_one_value_per_channel_is_normalized_by_the_running_statistics() -> None:
    stacked = StackedBatchNorm2d(2, 3)
    for value in stacked.state_dict().values():
        value.copy_(torch.rand(2, 3, generator=generator()) + 0.5)
    before = {name: value.clone() for name, value in stacked.state_dict().items()}
    x = torch.randn(1, 6, 1, 1, generator=generator(1))
    trained = stacked.train()(x)
    assert torch.equal(trained, stacked.eval()(x))
    assert all(torch.equal(value, before[name]) for name, value in stacked.state_dict().items())


@pytest.mark.parametrize("channels", [1, 2, 3, 8, 12, 16])
def test_a_stack_of_group_norms_is_separate_group_norms(channels: int) -> None:
    stacked = StackedGroupNorm(3, channels)
    for number, value in enumerate(stacked.state_dict().values()):
        nn.init.normal_(value, generator=generator(number))
    x = torch.randn(4, 3 * channels, 5, 3, generator=generator())
    together = stacked(x).split(channels, dim=1)
    for model, part in enumerate(x.split(channels, dim=1)):
        plain = nn.GroupNorm(group_count(channels), channels)
        plain.load_state_dict({k: v[model] for k, v in stacked.state_dict().items()})
        torch.testing.assert_close(together[model], plain(part))


def test_groups_are_eight_at_most_and_of_two_channels_at_least() -> None:
    counts = [group_count(channels) for channels in (1, 2, 3, 4, 8, 12, 16, 20, 64)]
    assert counts == [1, 1, 1, 2, 4, 4, 8, 4, 8]


def test_a_convolution_reads_its_own_models_channels_only() -> None:
    layer = StackedConv2d(2, 3, 4)
    nn.init.normal_(layer.weight, generator=generator())
    x = torch.randn(2, 6, 5, 5, generator=generator(1))
    changed = x.clone()
    changed[:, 3:] += 1
    before, after = layer(x), layer(changed)
    torch.testing.assert_close(before[:, :4], after[:, :4])
    assert not torch.allclose(before[:, 4:], after[:, 4:])


PRODUCTS = [
    # rows, inner size, columns: those of layers whose matrices begin at 64 bytes, and of others
    (128, 446, 256), (102, 446, 30), (246, 249, 2), (2, 457, 17), (17, 256, 9),
    (96, 64, 1), (93, 64, 1), (1, 256, 128), (5, 1, 7), (16, 16, 1),
]  # fmt: skip


@pytest.mark.parametrize("sizes", PRODUCTS, ids=str)
def test_products_have_the_bits_of_a_stack_of_one(sizes: tuple[int, int, int]) -> None:
    rows, inner, columns = sizes
    x = torch.randn(9, rows, inner, generator=generator(1))
    y = torch.randn(9, columns, inner, generator=generator(2)).mT
    bias = torch.randn(9, columns, generator=generator(3))
    together, plain = products(x, y, bias), products(x, y)
    exact = x.double() @ y.double()
    torch.testing.assert_close(plain.double(), exact, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(together.double(), exact + bias[:, None], atol=1e-4, rtol=1e-4)
    for model in range(9):
        one = slice(model, model + 1)
        alone = x[one].clone(), y[one].clone()
        assert torch.equal(products(*alone, bias[one])[0], together[model])
        assert torch.equal(products(*alone)[0], plain[model])


@pytest.mark.parametrize("sizes", [(7, 13, 3), (16, 32, 48)], ids=str)
def test_gradients_of_linear_layers_are_autograds(sizes: tuple[int, int, int]) -> None:
    rows, inner, columns = sizes
    layer = StackedLinear(3, inner, columns)
    for parameter in layer.parameters():
        nn.init.normal_(parameter, generator=generator(4))
    x = torch.randn(3, rows, inner, generator=generator(5)).requires_grad_()
    shares = torch.randn(3, rows, columns, generator=generator(6))
    (layer(x) * shares).sum().backward()
    learnt = [x.grad, layer.weight.grad, layer.bias.grad]
    wanted = [x.detach().clone().requires_grad_() for x in (x, layer.weight, layer.bias)]
    again = wanted[0] @ wanted[1].mT + wanted[2][:, None]
    (again * shares).sum().backward()
    for ours, theirs in zip(learnt, wanted, strict=True):
        torch.testing.assert_close(ours, theirs.grad, atol=1e-4, rtol=1e-4)
