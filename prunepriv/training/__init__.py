"""Training a stack of models, and what it minimises."""

from __future__ import annotations

import torch

from prunepriv.models import Ensemble
from prunepriv.seeding import derive
from prunepriv.training.loop import Records, Settings, Trained, train
from prunepriv.training.objective import Objective, cross_entropy


def initialise(ensemble: Ensemble, seed: int) -> None:
    """Fresh weights; model m draws from a stream of its own."""
    ensemble.reset(
        [
            torch.Generator().manual_seed(derive(seed, "initial weights", m))
            for m in range(ensemble.models)
        ]
    )


__all__ = [
    "Objective",
    "Records",
    "Settings",
    "Trained",
    "cross_entropy",
    "initialise",
    "train",
]
