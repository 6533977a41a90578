"""Defences at work, and the batches that they are asked about."""

from __future__ import annotations

import torch

from prunepriv.defenses import make_protection
from prunepriv.models import Ensemble
from prunepriv.seeding import derive
from prunepriv.training import DefenseContext, Protection, Records, Settings
from tests.stacks import CLASSES

SETTINGS = Settings(epochs=3, batch_size=32)


def batch(models: int = 3, size: int = 8) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    logits = 3 * torch.randn(models, size, CLASSES, generator=generator)
    return logits, torch.randint(0, CLASSES, (models, size), generator=generator)


def at_work(name: str, strength: float, ensemble: Ensemble, records: Records) -> Protection:
    """A defence that has begun, on a stack of as many models as it takes."""
    protection = make_protection(name, strength, clip=1.0)()

    def streams(use: str) -> list[torch.Generator]:
        return [torch.Generator().manual_seed(derive(1, m, use)) for m in range(ensemble.models)]

    protection.begin(DefenseContext(ensemble, records, SETTINGS, {}, streams))
    return protection


def answers(rows: torch.Tensor) -> torch.Tensor:
    """Logits that nobody trained."""
    return torch.randn(*rows.shape, CLASSES, generator=torch.Generator().manual_seed(6))
