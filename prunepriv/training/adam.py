"""Adam: for any tensors, and for a stack of models none of which depends on the others."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from prunepriv.models import Ensemble

BETAS = 0.9, 0.999
EPSILON = 1e-8


@dataclass
class Moments:
    """Some tensors, and what Adam (Kingma & Ba 2015) remembers of their gradients.

    Its step is PyTorch's fused update itself. The first optimiser object of a process imports
    PyTorch's compiler, which takes more than a second, and counts the steps of every tensor apart,
    which takes longer than the update of a small one.

    Attributes:
        tensors: what a step changes in place.
        first: running means of their gradients.
        second: running means of the squares of their gradients.
        steps: () float32, steps taken.
    """

    tensors: list[Tensor]
    first: list[Tensor]
    second: list[Tensor]
    steps: Tensor

    @classmethod
    def of(cls, tensors: list[Tensor]) -> Self:
        """Those of tensors before the first step."""
        first, second = ([torch.zeros_like(tensor) for tensor in tensors] for _ in range(2))
        return cls(tensors, first, second, torch.zeros((), device=tensors[0].device))

    @torch.no_grad()
    def step(
        self,
        gradients: list[Tensor],
        learning_rate: float,
        weight_decay: float,
        betas: tuple[float, float] = BETAS,
    ) -> None:
        """Change the tensors by their gradients, with an L2 penalty of weight `weight_decay`."""
        self.steps += 1
        torch._fused_adam_(
            self.tensors,
            gradients,
            self.first,
            self.second,
            [],
            [self.steps] * len(self.tensors),
            amsgrad=False,
            beta1=betas[0],
            beta2=betas[1],
            lr=learning_rate,
            weight_decay=weight_decay,
            eps=EPSILON,
            maximize=False,
        )


class StackAdam:
    """Adam (Kingma & Ba 2015) with coupled weight decay, which updates each model by itself.

    On the processor, the fused update treats the last elements of a tensor apart from the rest and
    rounds them differently. So it is given one tensor per model: where a model stands in a stack,
    and with how many others, then changes no bit of it. On a GPU it is given the whole stack.

    Args:
        ensemble: the stack; its parameters are updated in place.
        learning_rate: the rate of every step.
        weight_decay: weight of the L2 penalty.
    """

    def __init__(self, ensemble: Ensemble, learning_rate: float, weight_decay: float = 0.0) -> None:
        self._parameters = list(ensemble.parameters())
        self.learning_rate, self.weight_decay = learning_rate, weight_decay
        self._channels_last = [not parameter.is_contiguous() for parameter in self._parameters]
        self._apart = self._parameters[0].device.type == "cpu"
        self._models = ensemble.models
        self._moments = Moments.of(self._rows(parameter.detach() for parameter in self._parameters))

    def zero_grad(self) -> None:
        """Forget the gradients of the stack."""
        for parameter in self._parameters:
            parameter.grad = None

    def step(self) -> None:
        """Update every model by its gradient; a parameter without one is an error."""
        gradients = [parameter.grad for parameter in self._parameters]
        rows = self._rows(gradient for gradient in gradients if gradient is not None)
        self._moments.step(rows, self.learning_rate, self.weight_decay)

    def keep(self, rows: Tensor) -> None:
        """Keep only some of the models; called after :meth:`Ensemble.keep`."""
        before = self._moments
        tensors = self._rows(parameter.detach() for parameter in self._parameters)
        first, second = (
            [
                kept.view_as(tensor)
                for kept, tensor in zip(self._kept(held, rows), tensors, strict=True)
            ]
            for held in (before.first, before.second)
        )
        self._moments = Moments(tensors, first, second, before.steps)
        self._models = len(rows)

    def _kept(self, held: list[Tensor], rows: Tensor) -> list[Tensor]:
        if self._apart:
            starts = range(0, len(held), self._models)
            return [held[start + row] for start in starts for row in rows.tolist()]
        return [tensor[rows] for tensor in held]

    def plain(self) -> torch.optim.Adam:
        """The same, as PyTorch's own optimiser of the whole stack; it begins anew."""
        return torch.optim.Adam(
            self._parameters,
            lr=self.learning_rate,
            weight_decay=self.weight_decay,
            fused=True,
        )

    def _rows(self, tensors: Iterable[Tensor]) -> list[Tensor]:
        """The tensors of a stack, or each model's part of them, in the same order.

        Filters that lie with channels last in memory (:meth:`Ensemble.lay_out_for_training`) are
        given in that order. The fused update pairs values by their place in memory, and would copy
        each gradient that is not contiguous.
        """
        ordered = [
            (tensor.movedim(-3, -1) if moved else tensor).contiguous()
            for tensor, moved in zip(tensors, self._channels_last, strict=True)
        ]
        if not self._apart or len(ordered[0]) == 1:
            return ordered
        return [row for tensor in ordered for row in tensor.unbind()]
