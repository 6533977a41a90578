"""Adam for a stack of models, such that no model's weights depend on the others in the stack."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from prunepriv.models import Ensemble


class StackAdam:
    """Adam with coupled weight decay that updates each model of a stack by itself.

    On the processor, the fused update treats the last elements of a tensor apart from the rest and
    rounds them differently. So it is given one tensor per model: where a model stands in a stack,
    and with how many others, then changes no bit of it. On a GPU it is given the whole stack.

    Args:
        ensemble: the stack; its parameters are updated in place.
        learning_rate: the rate of every step.
        weight_decay: weight of the L2 penalty.
    """

    def __init__(self, ensemble: Ensemble, learning_rate: float, weight_decay: float = 0.0) -> None:
        self._ensemble = ensemble
        self._apart = next(ensemble.parameters()).device.type == "cpu" and ensemble.models > 1
        self.adam = torch.optim.Adam(
            self._tensors(), lr=learning_rate, weight_decay=weight_decay, fused=True
        )

    def zero_grad(self) -> None:
        """Forget the gradients of the stack."""
        self._ensemble.zero_grad()

    def step(self) -> None:
        """Update every model by its gradient."""
        if self._apart:
            gradients = (parameter.grad for parameter in self._ensemble.parameters())
            rows = [row for gradient in gradients if gradient is not None for row in gradient]
            for tensor, row in zip(self._held, rows, strict=True):
                tensor.grad = row
        self.adam.step()

    def keep(self, rows: Tensor) -> None:
        """Keep only some of the models; called after :meth:`Ensemble.keep`."""
        if not self._apart:
            for moments in self.adam.state.values():
                for name in ("exp_avg", "exp_avg_sq"):
                    moments[name] = moments[name][rows]
            return
        before = [self.adam.state.pop(tensor) for tensor in self._held]
        models = len(before) // len(list(self._ensemble.parameters()))
        kept: list[Any] = []
        for first in range(0, len(before), models):
            kept += [before[first + row] for row in rows.tolist()]
        self._held[:] = self._tensors()
        self.adam.state.update(zip(self._held, kept, strict=True))

    @property
    def _held(self) -> list[Tensor]:
        held: list[Tensor] = self.adam.param_groups[0]["params"]
        return held

    def _tensors(self) -> list[Tensor]:
        """The parameters, or each model's part of them, in the same order."""
        if not self._apart:
            return list(self._ensemble.parameters())
        return [row for parameter in self._ensemble.parameters() for row in parameter.detach()]
