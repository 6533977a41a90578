"""A small convolutional network for pictures of about 8x8 to 32x32 pixels."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from prunepriv.models.base import Ensemble, TiedWeights
from prunepriv.models.layers import (
    StackedBatchNorm2d,
    StackedConv2d,
    StackedGroupNorm,
    StackedLinear,
)


class CNN(Ensemble):
    """Three 3x3 convolutions (16, 32, 32 channels), batch or group norm, layers of 128 and C.

    The outputs of the first two are halved in size before their norm, which then has a quarter of
    the work.

    One tensor holds the channels of all models, (B, M * channels, H, W) with channels last. The
    models are run one by one all the same: a grouped convolution rounds otherwise than one for a
    single model, so a model would depend on its neighbours. Milliseconds for a step of one model,
    alone and as one of six: 3.2 and 2.2 on 8x8 pixels, 7.8 and 9.4 on 16x16, 24 and 44 on 32x32.
    """

    one_by_one: ClassVar[bool] = True

    def __init__(
        self,
        models: int,
        shape: Sequence[int],
        classes: int,
        width: float = 1.0,
        norm: str = "batch",
    ) -> None:
        super().__init__()
        channels = [shape[0], *(max(1, round(base * width)) for base in (16, 32, 32))]
        pairs = list(pairwise(channels))
        kind = StackedBatchNorm2d if norm == "batch" else StackedGroupNorm
        self.side = min(4, shape[1] // 4, shape[2] // 4) or 1
        self.convolutions = nn.ModuleList(StackedConv2d(models, i, o) for i, o in pairs)
        self.norms = nn.ModuleList(kind(models, o) for _, o in pairs)
        self.hidden = StackedLinear(models, channels[-1] * self.side**2, 128)
        self.output = StackedLinear(models, 128, classes)

    @staticmethod
    def inputs(x: Tensor) -> Tensor:
        return x.to(torch.float32).mul_(2 / 255).sub_(1)

    def normalized(self) -> dict[str, TiedWeights]:
        return {
            f"norms.{i}": ((f"convolutions.{i}.weight", 0),)
            for i, norm in enumerate(self.norms)
            if isinstance(norm, StackedBatchNorm2d)
        }

    def forward(self, x: Tensor) -> Tensor:
        models, batch = x.shape[:2]
        x = x.transpose(0, 1).flatten(1, 2).contiguous(memory_format=torch.channels_last)
        for depth, (convolve, norm) in enumerate(zip(self.convolutions, self.norms, strict=True)):
            # a picture of one channel has no layout of its own, and pooling would then be slow
            x = convolve(x).contiguous(memory_format=torch.channels_last)
            if depth < 2:
                x = F.max_pool2d(x, 2)
            x = norm(x).relu()
        if x.shape[-1] != self.side or x.shape[-2] != self.side:
            x = F.adaptive_avg_pool2d(x, self.side)
        x = x.reshape(batch, models, -1).transpose(0, 1)
        logits: Tensor = self.output(self.hidden(x).relu())
        return logits
