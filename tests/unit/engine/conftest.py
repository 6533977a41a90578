"""A small experiment, and a catalogue to enter it in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from prunepriv.experiment import Experiment, make_experiment
from prunepriv.store.catalog import Catalog


@pytest.fixture
def experiment() -> Experiment:
    return make_experiment({"attacks": {"names": ["conf"]}, "models": ["pruned"], "shadows": 2})


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    made = Catalog(tmp_path / "store")
    yield made
    made.close()
