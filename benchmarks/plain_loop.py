"""The training loop that a good engineer would write for one model, in PyTorch alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from prunepriv.models import build
from prunepriv.models.vision import Vision
from prunepriv.training import Records, Settings


def network(name: str, shape: Sequence[int], classes: int) -> nn.Module:
    """The network of this name, from PyTorch's own layers.

    Raises:
        KeyError: a network that this module does not write out.
    """
    made = build(name, 1, shape, classes)
    if isinstance(made, Vision):
        plain: nn.Module = made.network(shape, classes, 1.0)
        return plain
    return {"fc": _fc, "cnn": _cnn}[name](shape, classes)


def _fc(shape: Sequence[int], classes: int) -> nn.Module:
    made = build("fc", 1, shape, classes)
    rows = [weight for name, weight in made.named_parameters() if name.endswith("weight")]
    layers: list[nn.Module] = []
    for weight in rows:
        layers += [nn.Linear(weight.shape[2], weight.shape[1]), nn.ReLU(), nn.Dropout(0.1)]
    return nn.Sequential(*layers[:-2])


def _cnn(shape: Sequence[int], classes: int) -> nn.Module:
    side = min(4, shape[1] // 4, shape[2] // 4) or 1
    layers: list[nn.Module] = []
    for inputs, outputs, pool in ((shape[0], 16, True), (16, 32, True), (32, 32, False)):
        layers.append(nn.Conv2d(inputs, outputs, 3, padding=1, bias=False))
        layers += [nn.MaxPool2d(2)] if pool else []
        layers += [nn.BatchNorm2d(outputs), nn.ReLU()]
    layers += [nn.AdaptiveAvgPool2d(side), nn.Flatten()]
    layers += [nn.Linear(32 * side**2, 128), nn.ReLU(), nn.Linear(128, classes)]
    return nn.Sequential(*layers)


class PlainLoop:
    """Records on the device, channels last, fused Adam, and bfloat16 where it is fast.

    Args:
        model: from :func:`network`.
        inputs: stored records -> the network's inputs.
        records: those of the first model are used.
        settings: epochs, rate, weight decay and batch size; no early stopping.
        bfloat16: whether products are in it.
    """

    def __init__(
        self,
        model: nn.Module,
        inputs: Callable[[Tensor], Tensor],
        records: Records,
        settings: Settings,
        bfloat16: bool,
    ) -> None:
        device = records.x.device
        self.records, self.settings, self.bfloat16 = records, settings, bfloat16
        pictures = records.x.dim() == 4
        layout = torch.channels_last if pictures else torch.contiguous_format
        self.x = inputs(records.x).to(memory_format=layout)
        self.model = model.to(device).to(memory_format=layout)
        self.adam = torch.optim.Adam(
            self.model.parameters(),
            lr=settings.learning_rate,
            weight_decay=settings.weight_decay,
            fused=True,
        )

    def train(self) -> float:
        """Train for the epochs of the settings; the last epoch's validation accuracy."""
        accuracy = 0.0
        for _ in range(self.settings.epochs):
            self.model.train()
            members = self.records.train[0]
            order = members[torch.randperm(len(members), device=members.device)]
            for batch in order.split(self.settings.batch_size):
                self.adam.zero_grad()
                F.cross_entropy(self._logits(batch), self.records.y[batch]).backward()
                self.adam.step()
            self.model.eval()
            watched = self.records.validation[0]
            with torch.inference_mode():
                answers = torch.cat([self._logits(rows).argmax(1) for rows in watched.split(512)])
            accuracy = float((answers == self.records.y[watched]).float().mean())
        return accuracy

    def _logits(self, rows: Tensor) -> Tensor:
        kind = self.x.device.type
        with torch.autocast(kind, dtype=torch.bfloat16, enabled=self.bfloat16):
            logits: Tensor = self.model(self.x[rows])
        return logits.float()
