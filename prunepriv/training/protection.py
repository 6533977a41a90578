"""What a defence may do in the one training loop."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from prunepriv.models import Ensemble
from prunepriv.training.objective import Objective, cross_entropy
from prunepriv.training.settings import Records, Settings


@dataclass(frozen=True)
class DefenseContext:
    """What a defence is told before the first epoch.

    Attributes:
        ensemble: the models that are trained, on their device.
        records: what they train on; row m of its index tables is model m's.
        settings: how they are trained.
        masks: parameter name -> bool (M, ...), False where the weight is pruned.
        streams: a purpose -> a fresh random stream (on the processor) for every model.
    """

    ensemble: Ensemble
    records: Records
    settings: Settings
    masks: Mapping[str, Tensor]
    streams: Callable[[str], list[torch.Generator]]


class Protection:
    """A defence at work on a stack of models; this one only minimises an objective.

    The loop asks for an epoch's batches, and for each of them calls :meth:`before_step`,
    :meth:`losses`, and :meth:`after_backward` when every gradient is there.
    """

    alone: ClassVar[bool] = False
    """Whether every model is to be trained as a stack of one."""

    def __init__(self, objective: Objective = cross_entropy) -> None:
        self.objective = objective

    def begin(self, context: DefenseContext) -> None:
        """Called once, before the first epoch."""

    def optimizer(self, optimizer: torch.optim.Optimizer) -> torch.optim.Optimizer:
        """What makes the steps, given what would make them without the defence."""
        return optimizer

    def batches(
        self, rows: Tensor, orders: Sequence[torch.Generator], size: int
    ) -> Iterable[Tensor]:
        """An epoch's batches, (M, b) each: every member once, in each model's own order.

        Args:
            rows: (M, t) indices of the members.
            orders: a stream per model.
            size: records per batch.
        """
        order = torch.stack([torch.randperm(rows.shape[1], generator=g) for g in orders])
        shuffled: tuple[Tensor, ...] = rows.gather(1, order.to(rows.device)).split(size, dim=1)
        return shuffled

    def before_step(self, batch: Tensor, ask: Callable[[Tensor], Tensor]) -> None:
        """Called before a batch (M, b) is learnt; `ask` gives logits (M, r, C) of rows (M, r)."""

    def losses(self, logits: Tensor, labels: Tensor) -> Tensor:
        """(M,) losses of a batch, differentiable; logits (M, b, C), labels (M, b)."""
        return self.objective(logits, labels)

    def after_backward(self) -> None:
        """Called between the backward pass and the optimiser's step."""

    def keep(self, rows: Tensor) -> None:
        """Go on with some of the models only."""

    def report(self) -> dict[str, Any] | None:
        """What training should tell of the defence, plain JSON values."""
        return None


ProtectionFactory = Callable[[], Protection]
"""Gives a defence that is not at work yet."""


def plain(objective: Objective = cross_entropy) -> ProtectionFactory:
    """A defence that is an objective and nothing else."""
    return lambda: Protection(objective)
