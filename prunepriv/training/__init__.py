"""Training a stack of models, and what it minimises."""

from __future__ import annotations

import torch

from prunepriv.models import Ensemble
from prunepriv.seeding import derive
from prunepriv.training.loop import Trained, train
from prunepriv.training.objective import Objective, cross_entropy
from prunepriv.training.protection import DefenseContext, Protection, ProtectionFactory, plain
from prunepriv.training.settings import Records, Settings


def initialize(ensemble: Ensemble, seed: int) -> None:
    """Draw new weights; each model has its own random stream."""
    ensemble.reset(
        [
            torch.Generator().manual_seed(derive(seed, "initial weights", m))
            for m in range(ensemble.models)
        ]
    )


__all__ = [
    "DefenseContext",
    "Objective",
    "Protection",
    "ProtectionFactory",
    "Records",
    "Settings",
    "Trained",
    "cross_entropy",
    "initialise",
    "plain",
    "train",
]
