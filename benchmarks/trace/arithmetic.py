"""The arithmetic of a step: the least that it multiplies and adds, whoever writes it.

Only products of matrices and convolutions count. Training counts as three forward passes: forward,
the gradient of the weights and the gradient of the inputs. What a defence adds is left out, and so
is everything of the kinds of step that are not made of products.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from prunepriv.attacks import Queries, get_attack
from prunepriv.attacks.networks import FastRecipe
from prunepriv.attacks.neural import FAST, NeuralAttack, attack_network
from prunepriv.attacks.samia import SelfAttention, fast_recipe
from prunepriv.datasets import split
from prunepriv.experiment import Experiment
from prunepriv.models import build, multiplications
from prunepriv.options import ATTACKS
from prunepriv.signals import DRAWS

TRAINING = 3
"""Forward passes that cost as much as a training step."""
PAPER_EPOCHS = 100
"""Epochs of the `paper` recipe (assets/method.md#attack-networks)."""


@dataclass(frozen=True)
class Done:
    """A step that was done.

    Attributes:
        name, kind: as in the run's plan.
        params: the plan's; empty if they are not known.
        report: the report that its artifact holds; None if there is none.
    """

    name: str
    kind: str
    params: Mapping[str, Any]
    report: Mapping[str, Any] | None

    @property
    def lone(self) -> bool:
        """Whether it is about one model, whose number ends its name."""
        return self.name.rpartition(":")[2].isdecimal()


class Arithmetic:
    """Counts the multiply-adds of an experiment's steps."""

    def __init__(self, experiment: Experiment) -> None:
        self._experiment = experiment

    def of(self, done: Done) -> float | None:
        """Multiply-adds of a step; None for a kind that is not made of products."""
        count = _COUNTS.get(done.kind)
        return None if count is None else count(self, done)

    @cached_property
    def _forward(self) -> int:
        """Multiply-adds of one record in one pass through the target's network."""
        model, option = self._experiment.model, self._experiment.data.option
        shape = tuple(option.shape)
        return network_multiplications(model.name, shape, option.classes, model.width, model.norm)

    @cached_property
    def _sizes(self) -> tuple[int, int, int]:
        """Records that a model is trained on, validated on and tested on."""
        return sizes(self._experiment.data.option.records, self._experiment.data.limit)

    def _models(self, done: Done) -> int:
        return 1 if done.lone else 1 + self._experiment.shadows

    def _training(self, done: Done) -> float:
        """Each epoch passes the members in training and the validation records once."""
        members, validation, _ = self._sizes
        a_pass = TRAINING * members + validation
        until = done.params.get("training", {}).get("stop_at_member_accuracy")
        if done.kind == "train" and until is not None:
            a_pass += members  # their accuracy is measured after the epoch
        return float(self._epochs(done) * a_pass * self._forward)

    def _epochs(self, done: Done) -> int:
        """Epochs of all models of the step, as its report has them; else all that are allowed."""
        history = (done.report or {}).get("history")
        if history:
            one_model = isinstance(history[0], Mapping)
            return len(history) if one_model else sum(len(points) for points in history)
        training = self._experiment.training
        most = training.epochs if done.kind == "train" else training.fine_tune_epochs
        return most * self._models(done)

    def _signals(self, done: Done) -> float:
        """One pass, and a pass for each draw; a derivative costs as much as two passes."""
        exact = self._experiment.signals.sensitivity == "exact"
        passes = 1 + DRAWS * (2 if exact else 1)
        return float(passes * self._own * self._models(done) * self._forward)

    def _confidences(self, done: Done) -> float:
        """Own records; in a step of all models, also those of the shadow half."""
        records = self._own if done.lone else self._own + sum(self._sizes)
        return float(records * self._models(done) * self._forward)

    def _population(self, done: Done) -> float:
        return float(sum(self._sizes) * self._models(done) * self._forward)

    @property
    def _own(self) -> int:
        """Members and non-members of a model."""
        members, _, non_members = self._sizes
        return members + non_members

    def _fit(self, done: Done) -> float | None:
        attack = str(done.params.get("attack", ""))
        if attack not in ATTACKS or ATTACKS[attack].kind != "network":
            return None
        shadows = self._experiment.shadows * self._own
        if done.params.get("recipe") == "paper":
            passes = PAPER_EPOCHS * TRAINING * shadows
        else:
            fast = _recipe(attack, self._classes)
            used = min(shadows, fast.most)
            held = fast.held(used)
            passes = fast.epochs * (TRAINING * (used - held) + held)
        return float(passes * attack_multiplications(attack, self._classes))

    def _score(self, done: Done) -> float | None:
        attack = str(done.params.get("attack", ""))
        if attack not in ATTACKS or ATTACKS[attack].kind != "network":
            return None
        return float(self._own * attack_multiplications(attack, self._classes))

    @property
    def _classes(self) -> int:
        return self._experiment.data.option.classes


_COUNTS: Mapping[str, Callable[[Arithmetic, Done], float | None]] = {
    "train": Arithmetic._training,
    "fine_tune": Arithmetic._training,
    "signals": Arithmetic._signals,
    "confidences": Arithmetic._confidences,
    "population": Arithmetic._population,
    "fit": Arithmetic._fit,
    "score": Arithmetic._score,
}


@lru_cache(maxsize=64)
def network_multiplications(
    name: str, shape: tuple[int, ...], classes: int, width: float, norm: str
) -> int:
    """Multiply-adds of one record in one pass through a target's network."""
    return multiplications(build(name, 1, shape, classes, width, norm), shape)


@lru_cache(maxsize=64)
def sizes(records: int, limit: int | None) -> tuple[int, int, int]:
    """How many records a model is trained on, validated on and tested on: the same for all."""
    members, validation, non_members = (
        len(rows)
        for part in ("train", "validation", "test")
        for name, rows in split(records, 1, 0, limit).to_arrays().items()
        if name.endswith(part) and not name.startswith("shadow")
    )
    return members, validation, non_members


@lru_cache(maxsize=64)
def attack_multiplications(attack: str, classes: int) -> int:
    """Multiply-adds of one record in one pass through an attack network."""
    method = get_attack(attack)
    if isinstance(method, NeuralAttack):
        nothing = np.zeros((1, classes), dtype=np.float32)
        inputs = method.features(Queries(nothing, nothing, np.zeros(1, dtype=np.int64))).shape[1]
        return _products(attack_network(inputs), [inputs])
    return _products(SelfAttention(classes), [3 * classes])


def _recipe(attack: str, classes: int) -> FastRecipe:
    return FAST if isinstance(get_attack(attack), NeuralAttack) else fast_recipe(classes)


def _products(network: nn.Module, shape: Sequence[int]) -> int:
    """Counted by torch, which passes a record without data through the network."""
    counter = FlopCounterMode(display=False)
    with counter, torch.no_grad():
        network.to("meta").eval()(torch.empty(1, *shape, device="meta"))
    return counter.get_total_flops() // 2
