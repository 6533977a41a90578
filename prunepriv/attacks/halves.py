"""The gradient of a batch as the sum of its halves' gradients, computed on one core or on two.

Each half does the same arithmetic wherever it runs: it draws its dropout from a stream of its own,
and the two gradients are always added in the same order. So a fit has the same figures, to the
byte, on one thread, on two, and if another core becomes idle in the middle.

The two threads wait for each other asleep. PyTorch's own threads spin while they wait: on two cores
they took 0.12 s for a step of SAMIA that one thread does in 0.06 s, and 0.5 s or more beside
another process.
"""

from __future__ import annotations

import copy
from abc import abstractmethod
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Self, TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils import parameters_to_vector, vector_to_parameters

from prunepriv.attacks.dropout import Masks, use_masks
from prunepriv.attacks.products import use_products

T = TypeVar("T")

SECOND = "second-half"
"""Beginning of the second thread's name."""


class Normalizing(nn.Module):
    """A network that first normalises its inputs over the batch, then computes record by record."""

    normalise: nn.BatchNorm1d

    @abstractmethod
    def after(self, normalized: Tensor) -> Tensor:
        """(B, d) normalised inputs -> (B, 2)."""

    def normalized(self, x: Tensor) -> Tensor:
        """(B, d) -> (B, d). A single record has no variance: the running statistics serve it."""
        norm = self.normalise
        if len(x) == 1:
            return F.batch_norm(x, norm.running_mean, norm.running_var, norm.weight, norm.bias)
        y: Tensor = norm(x)
        return y

    def forward(self, x: Tensor) -> Tensor:
        return self.after(self.normalized(x))


class SideBySide:
    """Does two things one after the other, or at the same time on a second thread.

    The second thread starts when it is first needed, and ends with the context.

    Args:
        two_cores: whether to use the second thread; asked every time.
    """

    def __init__(self, two_cores: Callable[[], bool]) -> None:
        self._two_cores = two_cores
        self._threads = ThreadPoolExecutor(1, SECOND, _use_one_core)

    def __call__(self, first: Callable[[], T], second: Callable[[], T]) -> tuple[T, T]:
        """The results of both. The first to fail raises its error here."""
        if not self._two_cores():
            return first(), second()
        other = self._threads.submit(second)
        return first(), other.result()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._threads.shutdown()


def _use_one_core() -> None:
    torch.set_num_threads(1)  # OpenMP counts threads per thread


class Halves:
    """A network, and its gradients computed half a batch at a time.

    Attributes:
        network: what is trained.
        side_by_side: does both halves.
        weights: (P,) all parameters of the network: they are views of it.
        halves: the network and its copy, or the network alone.

    Args:
        network: (B, ...) -> (B, 2).
        streams: draw the dropout of the first half and of the second. With one stream, the whole
            batch is the first half.
        products: type of the factors and results of matrix products.
        side_by_side: does both halves.
    """

    def __init__(
        self,
        network: nn.Module,
        streams: Sequence[torch.Generator],
        products: torch.dtype,
        side_by_side: SideBySide,
    ) -> None:
        self.network, self.side_by_side = network, side_by_side
        self._norm = network if isinstance(network, Normalizing) else None
        self.weights = nn.Parameter(parameters_to_vector(_ordered(network)).detach())
        networks = [network, *(copy.deepcopy(network) for _ in streams[1:])]
        self.halves = [
            _Half(one, self.weights.data, Masks(stream), products)
            for one, stream in zip(networks, streams, strict=True)
        ]

    def train(self) -> None:
        """Set training mode."""
        for half in self.halves:
            half.network.train()

    def set_gradient(self, x: Tensor, truth: Tensor) -> None:
        """Set the gradient of `weights`: that of the mean cross-entropy of a batch.

        Args:
            x: (B, ...) inputs; a single record is the first half, and the second is empty.
            truth: (B, 2) float32, 1 in the column of the record's class.
        """
        whole = self._norm.normalized(x) if self._norm else x
        count, number = len(x), min(len(x), len(self.halves))
        parts = [
            part.detach().requires_grad_(self._norm is not None)
            for part in whole.tensor_split(number)
        ]
        work = [
            partial(half.gradient, part, answers, count)
            for half, part, answers in zip(
                self.halves[:number], parts, truth.tensor_split(number), strict=True
            )
        ]
        if number == 1:
            gradient = work[0]()
        else:
            gradient, other = self.side_by_side(*work)
            gradient += other
        if self._norm:
            inputs = torch.cat([part.grad for part in parts if part.grad is not None])
            own = torch.autograd.grad(whole, [*self._norm.normalise.parameters()], inputs)
            gradient = torch.cat([*own, gradient])
        self.weights.grad = gradient


class _Half:
    """A network that sees one half of every batch.

    Args:
        weights: what the parameters become views of.
    """

    def __init__(
        self, network: nn.Module, weights: Tensor, masks: Masks, products: torch.dtype
    ) -> None:
        self.network = network
        parameters = _ordered(network)
        vector_to_parameters(weights, parameters)
        use_masks(network, masks)
        use_products(network, products)
        norm = 2 if isinstance(network, Normalizing) else 0
        self._parameters = parameters[norm:]

    def gradient(self, x: Tensor, truth: Tensor, count: int) -> Tensor:
        """Of the summed cross-entropy over `count`, by all parameters but those of the norm.

        That by `x` becomes its `grad`, if it requires one.
        """
        network = self.network
        outputs = network.after(x) if isinstance(network, Normalizing) else network(x)
        # the cross-entropy's gradient, which takes fewer calls than the cross-entropy
        slope = (outputs.detach().softmax(1) - truth) / count
        inputs = [x] if x.requires_grad else []
        found = torch.autograd.grad(outputs, [*inputs, *self._parameters], slope)
        if inputs:
            x.grad = found[0]
        return parameters_to_vector(found[len(inputs) :])


def _ordered(network: nn.Module) -> list[nn.Parameter]:
    """All parameters, those of the first norm at the beginning."""
    first = list(network.normalise.parameters()) if isinstance(network, Normalizing) else []
    known = {id(parameter) for parameter in first}
    return first + [p for p in network.parameters() if id(p) not in known]
