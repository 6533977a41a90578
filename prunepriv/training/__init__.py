"""Training a stack of models, and what it minimises."""

from __future__ import annotations

from collections.abc import Iterable

import torch

from prunepriv.models import Ensemble
from prunepriv.seeding import derive
from prunepriv.training.adam import Moments, StackAdam
from prunepriv.training.loop import Trained, train
from prunepriv.training.objective import Objective, cross_entropy
from prunepriv.training.protection import (
    DefenseContext,
    Protection,
    ProtectionFactory,
    Steps,
    plain,
)
from prunepriv.training.settings import Records, Settings


def initialize(ensemble: Ensemble, seed: int, numbers: Iterable[int] | None = None) -> None:
    """Draw new weights; each model has its own random stream.

    Args:
        ensemble: M models.
        seed: of the experiment.
        numbers: of the models; 0, 1, ... if left out.
    """
    ensemble.reset(
        [
            torch.Generator().manual_seed(derive(seed, "initial weights", number))
            for number in (range(ensemble.models) if numbers is None else numbers)
        ]
    )


__all__ = [
    "DefenseContext",
    "Moments",
    "Objective",
    "Protection",
    "ProtectionFactory",
    "Records",
    "Settings",
    "StackAdam",
    "Steps",
    "Trained",
    "cross_entropy",
    "initialize",
    "plain",
    "train",
]
