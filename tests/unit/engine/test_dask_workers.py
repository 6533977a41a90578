"""How steps become Dask's tasks; what becomes of them with a real scheduler: tests/e2e."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from dask.utils import key_split

from prunepriv.engine import dask_workers
from prunepriv.engine.dask_workers import DaskWorkers
from prunepriv.experiment import Experiment
from prunepriv.plan import plan
from tests.fake_runner import RUNNER


class Recorder:
    """Takes tasks as Dask's client does, and remembers their keys."""

    def __init__(self) -> None:
        self.keys: list[str] = []

    def subscribe_topic(self, *_: object) -> None:
        pass

    def submit(self, *_: object, key: str, **__: object) -> SimpleNamespace:
        self.keys.append(key)
        return SimpleNamespace(key=key)

    def cancel(self, futures: list[Any]) -> None:
        pass


def test_a_step_that_is_given_out_again_is_a_new_task(
    experiment: Experiment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Dask would answer with the failure that it remembers of the old one."""
    client = Recorder()
    monkeypatch.setattr(dask_workers, "Client", lambda *_, **__: client)
    workers = DaskWorkers(tmp_path, tmp_path, RUNNER, 1, scheduler="tcp://127.0.0.1:1")
    step = plan(experiment).by_name["fit:conf:pruned"]
    workers.submit(step, 0)
    workers.submit(step, 0)
    assert len(client.keys) == 1, "it is out already"
    workers.drop(step.key)
    workers.submit(step, 0)
    first, second = client.keys
    assert first != second
    assert key_split(first) == key_split(second) == "fit_conf", "Dask learns how long such take"
