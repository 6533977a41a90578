"""The fully connected network of the tabular data sets (Yuan & Zhang 2022, section 5.1)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from prunepriv.models.base import Ensemble
from prunepriv.models.layers import Dropout, StackedLinear


class FC(Ensemble):
    """Hidden layers of 256 and 128, ReLU, dropout 0.1.

    Features are not rescaled: binary ones are 0 and 1. The network has no norm.
    """

    def __init__(
        self,
        models: int,
        shape: Sequence[int],
        classes: int,
        width: float = 1.0,
        norm: str = "batch",
    ) -> None:
        super().__init__()
        first, second = max(1, round(256 * width)), max(1, round(128 * width))
        self.hidden1 = StackedLinear(models, shape[0], first)
        self.hidden2 = StackedLinear(models, first, second)
        self.output = StackedLinear(models, second, classes)
        self.dropout = Dropout(0.1)

    @staticmethod
    def inputs(x: Tensor) -> Tensor:
        return x.to(torch.float32)

    def forward(self, x: Tensor) -> Tensor:
        x = self.dropout(self.hidden1(x).relu())
        x = self.dropout(self.hidden2(x).relu())
        logits: Tensor = self.output(x)
        return logits
