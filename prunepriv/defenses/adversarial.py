"""Adversarial regularisation (Nasr, Shokri & Houmansadr 2018)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from prunepriv.models import Ensemble
from prunepriv.models.layers import StackedLinear
from prunepriv.training import Protection, Setting, cross_entropy
from prunepriv.training.moments import keep_moments

WIDTHS = (256, 64)
"""Hidden layers of the attack network: a quarter of Nasr et al.'s, for models of a quarter the size."""
RATE = 1e-3


class Judge(Ensemble):
    """An attack network per model: (posteriors, one-hot label) -> log-odds of membership.

    As in Nasr et al. (section 5.2) the posteriors and the label are first looked at apart, then
    together.
    """

    def __init__(self, models: int, classes: int) -> None:
        super().__init__()
        wide, narrow = WIDTHS
        self.classes = classes
        self.posterior = StackedLinear(models, classes, wide)
        self.label = StackedLinear(models, classes, wide)
        self.both = StackedLinear(models, 2 * wide, narrow)
        self.output = StackedLinear(models, narrow, 1)

    @staticmethod
    def inputs(x: Tensor) -> Tensor:
        return x

    def forward(self, x: Tensor) -> Tensor:
        """(M, B, 2 C) -> (M, B)."""
        posterior, label = x.split(self.classes, dim=2)
        seen = torch.cat([self.posterior(posterior).relu(), self.label(label).relu()], dim=2)
        odds: Tensor = self.output(self.both(seen).relu())
        return odds.squeeze(2)


class Adversarial(Protection):
    """The model minimises CE - lambda * CE(h(p, y), member), h being trained to tell members.

    Both learn on every batch of every epoch: first h, on the batch's members and as many of the
    model's validation records (Nasr et al.'s reference set, which it is not trained on), then the
    model, against h as it then is. The target's non-members that attacks are measured on are never
    shown to either.

    Args:
        strength: lambda, 0 or more; 0 is plain fine-tuning.
    """

    def __init__(self, strength: float) -> None:
        super().__init__()
        self.strength = strength

    def begin(self, setting: Setting) -> None:
        self._setting, self._records = setting, setting.records
        self._validation = setting.records.validation
        self._draws = setting.streams("adversary's records")
        self._judge: Judge | None = None  # the number of classes shows with the first answer

    def before_step(self, batch: Tensor, ask: Callable[[Tensor], Tensor]) -> None:
        if self.strength == 0.0:
            return  # nobody listens to it
        others = self._validation.gather(1, self._drawn(batch.shape[1]))
        rows = torch.cat([batch, others], dim=1)
        x = seen(ask(rows), self._records.y[rows])
        judge = self._judge or self._new_judge(x.shape[2] // 2)
        truth = torch.zeros(rows.shape, device=x.device)
        truth[:, : batch.shape[1]] = 1.0
        self._adam.zero_grad()
        F.binary_cross_entropy_with_logits(judge(x), truth, reduction="none").mean(
            1
        ).sum().backward()
        self._adam.step()

    def losses(self, logits: Tensor, labels: Tensor) -> Tensor:
        plain = cross_entropy(logits, labels)
        if self.strength == 0.0 or self._judge is None:
            return plain
        return plain - self.strength * given_away(self._judge, logits, labels)

    def after_backward(self) -> None:
        if self._judge is not None:
            self._judge.zero_grad()  # the model's loss went through it

    def keep(self, rows: Tensor) -> None:
        self._validation = self._validation[rows]
        self._draws = [self._draws[row] for row in rows.tolist()]
        if self._judge is not None:
            self._judge.keep(rows)
            keep_moments(self._adam, rows)

    def _new_judge(self, classes: int) -> Judge:
        weights = self._setting.streams("adversary's weights")
        self._judge = Judge(len(weights), classes)
        self._judge.reset(weights)
        self._judge.to(self._validation.device)
        self._adam = torch.optim.Adam(self._judge.parameters(), lr=RATE, fused=True)
        return self._judge

    def _drawn(self, count: int) -> Tensor:
        return _draw(self._validation.shape[1], count, self._draws).to(self._validation.device)


def seen(logits: Tensor, labels: Tensor) -> Tensor:
    """(M, B, 2 C) what an attack network sees: posteriors and one-hot labels."""
    one_hot = F.one_hot(labels, logits.shape[2]).to(logits.dtype)
    return torch.cat([logits.softmax(dim=2), one_hot], dim=2)


def given_away(judge: Judge, logits: Tensor, labels: Tensor) -> Tensor:
    """(M,) how wrong each model's attack network is of its members: its cross-entropy, 0 or more."""
    odds = judge(seen(logits, labels))
    return F.softplus(-odds).mean(dim=1)


def _draw(count: int, wanted: int, streams: Sequence[torch.Generator]) -> Tensor:
    """(M, wanted) indices below `count`, drawn with replacement, each model from its own stream."""
    return torch.stack([torch.randint(count, (wanted,), generator=g) for g in streams])
