from __future__ import annotations

import pytest

from prunepriv.estimates import cost, progress
from prunepriv.estimates.throughput import Throughput
from tests.unit.estimates.small_runs import SECONDS, Fixed, Measured


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> Measured:
    """Sets what has been measured; at first it is SECONDS."""

    def set_(throughput: Throughput) -> None:
        for module in (cost, progress):
            monkeypatch.setattr(module, "measure", lambda catalog: throughput)

    set_(Fixed(SECONDS))
    return set_
