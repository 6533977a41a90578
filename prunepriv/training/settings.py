"""How models are trained, and on what."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How to train (assets/method.md#training): Adam with coupled weight decay.

    Attributes:
        epochs: the largest number of epochs.
        patience: stop after this number of epochs and one more, in a row and without a better
            validation accuracy (counted as in Yuan & Zhang's release); None: never.
        stop_at_member_accuracy: instead of early stopping, train until the accuracy on members
            reaches it, and keep the last weights.
        scale_penalty: weight of the L1 penalty on batch-norm scales (network slimming).
    """

    epochs: int
    patience: int | None = 5
    stop_at_member_accuracy: float | None = None
    learning_rate: float = 1e-3
    weight_decay: float = 5e-4
    batch_size: int = 128
    scale_penalty: float = 0.0


@dataclass(frozen=True)
class Records:
    """What the models of a stack train on.

    Attributes:
        x: (n, ...) uint8, or float32 of a table: the whole data set.
        y: (n,) int64.
        train: (M, t) indices of each model's members.
        validation: (M, v) indices of the records that early stopping uses.
    """

    x: Tensor
    y: Tensor
    train: Tensor
    validation: Tensor

    def of(self, model: int) -> Records:
        """The records of one model."""
        rows = slice(model, model + 1)
        return replace(self, train=self.train[rows], validation=self.validation[rows])

    def to(self, device: torch.device) -> Records:
        """The same records on a device."""
        return Records(*(part.to(device) for part in (self.x, self.y, self.train, self.validation)))
