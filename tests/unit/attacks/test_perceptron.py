"""The written-out network against PyTorch's own layers."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from prunepriv.attacks.dropout import Dropout, Masks, use_masks
from prunepriv.attacks.neural import attack_network
from prunepriv.attacks.perceptron import Layers, Perceptron
from prunepriv.attacks.products import use_products

torch.set_num_threads(1)


def small() -> Perceptron:
    torch.manual_seed(0)
    return Perceptron(
        nn.Linear(4, 7), nn.ReLU(), Dropout(0.4),
        nn.Linear(7, 5), nn.ReLU(),
        nn.Linear(5, 2),
    ).double()  # fmt: skip


def test_its_gradients_are_those_of_finite_differences() -> None:
    parameters = [p.detach().requires_grad_() for p in small().parameters()]
    x = torch.randn(6, 4, dtype=torch.double, requires_grad=True)
    mask = Masks(torch.Generator().manual_seed(1)).draw(0.4, (6, 7), torch.double)

    def outputs(x: Tensor, *parameters: Tensor) -> Tensor:
        y: Tensor = Layers.apply(x, [mask, None], torch.double, *parameters)
        return y

    assert torch.autograd.gradcheck(outputs, (x, *parameters))


def test_it_is_pytorchs_network_with_the_same_dropout() -> None:
    network, x = small(), torch.randn(6, 4, dtype=torch.double)
    use_masks(network, Masks(torch.Generator().manual_seed(2)))
    mask = Masks(torch.Generator().manual_seed(2)).draw(0.4, (6, 7), torch.double)
    first, second, third = (layer for layer in network if isinstance(layer, nn.Linear))
    plain = third(F.relu(second(F.relu(first(x)) * mask)))
    torch.testing.assert_close(network(x), plain)
    assert not torch.allclose(network.eval()(x), plain)
    torch.testing.assert_close(network(x), third(F.relu(second(F.relu(first(x))))))


def test_with_bfloat16_products_it_is_almost_the_same() -> None:
    torch.manual_seed(0)
    network, x = attack_network(30), torch.randn(64, 30)
    found = {}
    for products in (torch.float32, torch.bfloat16):
        use_products(network, products)
        use_masks(network, Masks(torch.Generator().manual_seed(2)))
        outputs = network(x)
        assert outputs.dtype == torch.float32
        found[products] = torch.autograd.grad(outputs[:, 1].sum(), [*network.parameters()])
    for exact, rounded in zip(*found.values(), strict=True):
        assert rounded.dtype == torch.float32
        assert F.cosine_similarity(rounded.ravel(), exact.ravel(), dim=0) > 0.99
