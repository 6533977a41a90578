"""The written-out encoder layer against finite differences and against PyTorch's operations."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from prunepriv.attacks.dropout import Masks, use_masks
from prunepriv.attacks.encoder import Attention, EncoderLayer, FeedForward
from prunepriv.attacks.products import use_products

torch.set_num_threads(1)

CLASSES = pytest.mark.parametrize("classes", [1, 5, 17])
"""Rows shorter than a processor's vector, and longer ones."""


def layer() -> EncoderLayer:
    torch.manual_seed(0)
    made = EncoderLayer()
    for norm in (made.norm1, made.norm2):
        torch.nn.init.uniform_(norm.weight, 0.5, 1.5)
        torch.nn.init.normal_(norm.bias)
    return made


def plain(made: EncoderLayer, x: Tensor, masks: Masks) -> Tensor:
    """The same layer in the words of PyTorch, one head after another."""
    records, tokens, _ = x.shape
    in_attention = masks.draw(0.2, (records * 4, tokens, tokens), x.dtype)
    after_attention = masks.draw(0.2, (records * tokens, 64), x.dtype).view(x.shape)
    queries, keys, values = made.project(x).split(64, dim=-1)
    heads = []
    for head in range(4):
        q, k, v = (part[..., 16 * head : 16 * head + 16] for part in (queries, keys, values))
        weights = F.softmax(q @ k.mT / 4, dim=-1)
        heads.append((weights * in_attention.view(records, 4, tokens, tokens)[:, head]) @ v)
    x = made.norm1(x + made.combine(torch.cat(heads, dim=-1)) * after_attention)
    in_middle = masks.draw(0.2, (records * tokens, 128), x.dtype).view(records, tokens, 128)
    at_end = masks.draw(0.2, (records * tokens, 64), x.dtype).view(x.shape)
    y: Tensor = made.norm2(x + made.narrow(F.gelu(made.widen(x)) * in_middle) * at_end)
    return y


def masks() -> Masks:
    return Masks(torch.Generator().manual_seed(3))


@CLASSES
def test_a_layer_and_its_gradients_are_pytorchs(classes: int) -> None:
    made = layer().double()
    use_masks(made, masks())
    x = torch.randn(3, classes, 64, dtype=torch.double, requires_grad=True)
    weight = torch.randn(3, classes, 64, dtype=torch.double)
    ours, theirs = made(x), plain(made, x, masks())
    torch.testing.assert_close(ours, theirs)
    wanted = [x, *made.parameters()]
    for found, expected in zip(
        torch.autograd.grad((ours * weight).sum(), wanted),
        torch.autograd.grad((theirs * weight).sum(), wanted),
        strict=True,
    ):
        torch.testing.assert_close(found, expected)


@CLASSES
@pytest.mark.parametrize("half", [Attention, FeedForward])
def test_gradients_are_those_of_finite_differences(
    half: type[Attention | FeedForward], classes: int
) -> None:
    made, drawn, rows = layer().double(), masks(), 2 * classes
    x = torch.randn(2, classes, 64, dtype=torch.double, requires_grad=True)
    if half is Attention:
        inner = drawn.draw(0.2, (8, classes, classes), torch.double)
        layers = made.project, made.combine, made.norm1
    else:
        inner = drawn.draw(0.2, (rows, 128), torch.double)
        layers = made.widen, made.narrow, made.norm2
    outer = drawn.draw(0.2, (rows, 64), torch.double)
    parameters = [p.detach().requires_grad_() for one in layers for p in (one.weight, one.bias)]

    def outputs(*inputs: Tensor) -> Tensor:
        y: Tensor = half.apply(inputs[0], inner, outer, torch.double, *inputs[1:])
        return y

    assert torch.autograd.gradcheck(outputs, (x, *parameters), fast_mode=True)


def test_with_bfloat16_products_a_layer_is_almost_the_same() -> None:
    made, x = layer(), torch.randn(8, 30, 64)
    made.drop.rate = 0.0
    use_masks(made, masks())
    found = {}
    for products in (torch.float32, torch.bfloat16):
        use_products(made, products)
        y = made(x)
        assert y.dtype == torch.float32
        found[products] = y, *torch.autograd.grad((y * x).sum(), [*made.parameters()])
    names = ["y", *(name for name, _ in made.named_parameters())]
    for name, exact, rounded in zip(names, *found.values(), strict=True):
        error = float((rounded - exact).detach().norm() / exact.detach().norm())
        assert error < 0.02, name
        assert error > 0 or name == "norm2.bias", "nothing was rounded"
