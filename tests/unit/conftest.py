"""Signals with known gaps, small enough to count by hand."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from prunepriv.options import ModelKind
from prunepriv.store.catalog import Catalog
from prunepriv.store.signals import RecordSignals

CLASSES = 4


def draw_signals(rng: np.random.Generator, n: int, gap: float) -> RecordSignals:
    """n members, then n non-members; members are more confident by about ``gap``."""
    member = np.repeat([True, False], n)
    confidence = np.clip(rng.beta(2, 2, 2 * n) * (1 - gap) + gap * member, 0, 1)
    return RecordSignals(
        record=np.arange(2 * n) * 3 + 5,
        member=member,
        label=np.tile(np.arange(CLASSES), n // 2),
        confidence=confidence,
        sensitivity=rng.gamma(1.0, 0.2, 2 * n) * (1 - 0.5 * gap * member),
        correct=confidence > 0.5,
    )


@pytest.fixture
def signals(rng: np.random.Generator) -> dict[ModelKind, RecordSignals]:
    return {
        "original": draw_signals(rng, 60, 0.2),
        "control": draw_signals(rng, 60, 0.5),
        "pruned": draw_signals(rng, 60, 0.4),
    }


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    """The catalogue of an empty store."""
    made = Catalog(tmp_path / "store")
    yield made
    made.close()
