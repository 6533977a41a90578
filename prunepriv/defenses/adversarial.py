"""Adversarial regularisation (Nasr, Shokri & Houmansadr 2018)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from prunepriv.models import Ensemble
from prunepriv.models.layers import StackedLinear
from prunepriv.training import DefenseContext, Protection, StackAdam, cross_entropy

WIDTHS = (256, 64)
"""Hidden layers of the attack network: a quarter of Nasr et al.'s, like the size of the models."""
RATE = 1e-3


class AttackNetwork(Ensemble):
    """An attack network per model: (posteriors, one-hot label) -> log-odds of membership.

    As in Nasr et al. (section 5.2), the first layers read the posteriors and the label separately,
    the next layer reads both.
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
        posterior, label = (part.clone() for part in x.split(self.classes, dim=2))
        seen = torch.cat([self.posterior(posterior).relu(), self.label(label).relu()], dim=2)
        odds: Tensor = self.output(self.both(seen).relu())
        return odds.squeeze(2)


class Adversarial(Protection):
    """The model minimises CE - lambda * CE(h(p, y), member); h is trained to recognise members.

    Both are trained on every batch of every epoch: first h, on the batch's members and the same
    number of the model's validation records (Nasr et al.'s reference set, which the model is not
    trained on), then the model, against the updated h. Neither ever reads the target's non-members
    on which attacks are evaluated.

    Args:
        strength: lambda, 0 or more; 0 is plain fine-tuning.
    """

    def __init__(self, strength: float) -> None:
        super().__init__()
        self.strength = strength

    def begin(self, context: DefenseContext) -> None:
        self._setting, self._records = context, context.records
        self._validation = context.records.validation
        self._draws = context.streams("adversary's records")
        self._attack_network: AttackNetwork | None = (
            None  # made with the first logits, which show the number of classes
        )

    def before_step(self, batch: Tensor, query: Callable[[Tensor], Tensor]) -> None:
        if self.strength == 0.0:
            return  # the attack network would have no effect
        others = self._validation.gather(1, self._drawn(batch.shape[1]))
        rows = torch.cat([batch, others], dim=1)
        x = seen(query(rows), self._records.y[rows])
        attack_network = self._attack_network or self._new_attack_network(x.shape[2] // 2)
        member = torch.arange(rows.shape[1], device=x.device) < batch.shape[1]
        odds = attack_network(x)
        self._adam.zero_grad()
        cross_entropies(torch.where(member, odds, -odds)).sum().backward()
        self._adam.step()

    def losses(self, logits: Tensor, labels: Tensor) -> Tensor:
        plain = cross_entropy(logits, labels)
        if self.strength == 0.0 or self._attack_network is None:
            return plain
        return plain - self.strength * member_cross_entropy(self._attack_network, logits, labels)

    def after_backward(self) -> None:
        if self._attack_network is not None:
            self._attack_network.zero_grad()  # the model's loss left gradients in it

    def keep(self, rows: Tensor) -> None:
        self._validation = self._validation[rows]
        self._draws = [self._draws[row] for row in rows.tolist()]
        if self._attack_network is not None:
            self._attack_network.keep(rows)
            self._adam.keep(rows)

    def _new_attack_network(self, classes: int) -> AttackNetwork:
        weights = self._setting.streams("adversary's weights")
        self._attack_network = AttackNetwork(len(weights), classes)
        self._attack_network.reset(weights)
        self._attack_network.to(self._validation.device)
        self._adam = StackAdam(self._attack_network, RATE)
        return self._attack_network

    def _drawn(self, count: int) -> Tensor:
        return _draw(self._validation.shape[1], count, self._draws).to(self._validation.device)


def seen(logits: Tensor, labels: Tensor) -> Tensor:
    """(M, B, 2 C) inputs of an attack network: posteriors and one-hot labels."""
    one_hot = F.one_hot(labels, logits.shape[2]).to(logits.dtype)
    return torch.cat([logits.softmax(dim=2), one_hot], dim=2)


def member_cross_entropy(attack_network: AttackNetwork, logits: Tensor, labels: Tensor) -> Tensor:
    """(M,) cross-entropy of each model's attack network on the model's members, 0 or more."""
    return cross_entropies(attack_network(seen(logits, labels)))


def cross_entropies(odds: Tensor) -> Tensor:
    """(M,) mean cross-entropies -log sigmoid(odds); odds (M, B) of what is true.

    Not by softplus or sigmoid: they round the last elements of a stack otherwise than the rest.
    """
    return -F.logsigmoid(odds).mean(dim=1)


def _draw(count: int, wanted: int, streams: Sequence[torch.Generator]) -> Tensor:
    """(M, wanted) indices below `count`, drawn with replacement, each model from its own stream."""
    return torch.stack([torch.randint(count, (wanted,), generator=g) for g in streams])
