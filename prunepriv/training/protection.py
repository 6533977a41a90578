"""What a defence may change in the training loop."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import torch
from torch import Tensor

from prunepriv.models import Ensemble
from prunepriv.training.adam import StackAdam
from prunepriv.training.objective import Objective, cross_entropy
from prunepriv.training.settings import Records, Settings


@dataclass(frozen=True)
class DefenseContext:
    """What a defence receives before the first epoch.

    Attributes:
        ensemble: the models that are trained, on their device.
        records: what they train on; row m of its index tables belongs to model m.
        settings: how they are trained.
        masks: parameter name -> bool (M, ...), False where the weight is pruned.
        streams: use -> a new random stream (on the processor) for every model.
    """

    ensemble: Ensemble
    records: Records
    settings: Settings
    masks: Mapping[str, Tensor]
    streams: Callable[[str], list[torch.Generator]]


class Steps(Protocol):
    """What the loop needs of an optimiser."""

    def zero_grad(self) -> None: ...
    def step(self) -> object: ...


class Protection:
    """A defence during the training of a stack; this base class only minimises an objective.

    The loop calls :meth:`batches` in every epoch. For each batch it calls :meth:`before_step`,
    :meth:`losses`, and :meth:`after_backward` when every gradient is computed.
    """

    alone: ClassVar[bool] = False
    """Whether every model must be trained as a stack of one."""

    writes_gradients: ClassVar[bool] = False
    """Whether it sets the gradients itself: contiguous, so the weights must be contiguous too."""

    def __init__(self, objective: Objective = cross_entropy) -> None:
        self.objective = objective

    @property
    def defends(self) -> bool:
        """Whether training differs from that of an undefended model."""
        return type(self) is not Protection or self.objective is not cross_entropy

    def begin(self, context: DefenseContext) -> None:
        """Called once, before the first epoch."""

    def optimizer(self, optimizer: StackAdam) -> Steps:
        """The optimiser to use, given the one that is used without the defence."""
        return optimizer

    def batches(
        self, rows: Tensor, orders: Sequence[torch.Generator], size: int
    ) -> Iterable[Tensor]:
        """An epoch's batches, (M, b) each: every member once, in each model's own order.

        Args:
            rows: (M, t) indices of the members.
            orders: a random stream per model.
            size: records per batch.
        """
        order = torch.stack([torch.randperm(rows.shape[1], generator=g) for g in orders])
        shuffled: tuple[Tensor, ...] = rows.gather(1, order.to(rows.device)).split(size, dim=1)
        return shuffled

    def before_step(self, batch: Tensor, query: Callable[[Tensor], Tensor]) -> None:
        """Called before the step on a batch (M, b).

        Args:
            batch: (M, b) indices of members.
            query: gives logits (M, r, C) of rows (M, r).
        """

    def losses(self, logits: Tensor, labels: Tensor) -> Tensor:
        """(M,) losses of a batch, differentiable; logits (M, b, C), labels (M, b)."""
        return self.objective(logits, labels)

    def after_backward(self) -> None:
        """Called between the backward pass and the optimiser's step."""

    def keep(self, rows: Tensor) -> None:
        """Keep only some of the models."""

    def report(self) -> dict[str, Any] | None:
        """What the stored report should contain on the defence, as plain JSON values."""
        return None


ProtectionFactory = Callable[[], Protection]
"""Makes a new defence, on which :meth:`Protection.begin` was not called yet."""


def plain(objective: Objective = cross_entropy) -> ProtectionFactory:
    """A defence that only has its own objective."""
    return lambda: Protection(objective)
