"""Whose workers an engine uses, before one is started."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from prunepriv.engine import client
from prunepriv.engine.client import (
    ENGINE_LOCK,
    ENGINE_SCHEDULER,
    engine_scheduler,
    ensure_engine,
    launch,
    note_scheduler,
)
from prunepriv.engine.inline import run_inline
from prunepriv.environment import SCHEDULER
from prunepriv.errors import EngineError, StoreError
from prunepriv.experiment import Experiment
from prunepriv.store.catalog import Catalog
from prunepriv.store.locks import claim
from tests.fake_runner import RUNNER

NOWHERE = "tcp://127.0.0.1:1"


@pytest.fixture(autouse=True)
def _no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("an engine was started")

    monkeypatch.setattr(client.subprocess, "Popen", refuse)
    monkeypatch.setenv(SCHEDULER, NOWHERE)
    monkeypatch.setattr(client, "_NOTE_DEADLINE", 0.0)


@pytest.fixture
def alive(catalog: Catalog) -> Iterator[Path]:
    """A store whose engine this process stands for."""
    held = claim(catalog.store / ENGINE_LOCK)
    assert held is not None
    yield catalog.store
    held.release()


def test_without_the_scheduler_nothing_is_submitted(
    experiment: Experiment, catalog: Catalog
) -> None:
    with pytest.raises(EngineError, match=f"no Dask scheduler answers at {NOWHERE}"):
        launch(experiment, catalog.store)
    assert catalog.runs() == []
    with pytest.raises(EngineError, match=f"no Dask scheduler answers at {NOWHERE}"):
        ensure_engine(catalog.store)


def test_a_finished_run_needs_no_scheduler(experiment: Experiment, catalog: Catalog) -> None:
    run_inline(experiment, catalog.store, runner=RUNNER)
    launch(experiment, catalog.store)
    assert catalog.run(experiment.run_id).status == "done"


@pytest.mark.parametrize(
    ("used", "told"), [(None, "workers of its own"), ("tcp://x:2", "the scheduler at tcp://x:2")]
)
def test_an_engine_on_other_workers_is_told(
    experiment: Experiment, catalog: Catalog, alive: Path, used: str | None, told: str
) -> None:
    note_scheduler(alive, used)
    assert engine_scheduler(alive) == used
    with pytest.raises(EngineError) as error:
        launch(experiment, alive)
    assert str(error.value) == (
        f"one engine works on a store, and that of {alive} uses {told} instead of {NOWHERE}: end "
        f"it (process {os.getpid()}) or leave the other scheduler out"
    )
    assert catalog.runs() == []


def test_an_engine_that_has_just_begun_is_not_mistaken_for_another(
    experiment: Experiment, catalog: Catalog, alive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It holds its lock a moment before it notes which scheduler it uses."""
    monkeypatch.setattr(client, "_NOTE_DEADLINE", 60.0)
    monkeypatch.setattr(client.time, "sleep", lambda _: note_scheduler(alive, NOWHERE))
    launch(experiment, alive)
    assert catalog.run(experiment.run_id).status == "queued"


def test_a_note_that_cannot_be_written_is_told(catalog: Catalog) -> None:
    (catalog.store / ENGINE_SCHEDULER).mkdir()
    with pytest.raises(StoreError, match=f"{ENGINE_SCHEDULER} cannot be written"):
        note_scheduler(catalog.store, NOWHERE)


@pytest.mark.parametrize("wanted", [NOWHERE, ""])
def test_an_engine_on_the_same_workers_takes_the_run(
    experiment: Experiment,
    catalog: Catalog,
    alive: Path,
    wanted: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whoever names no scheduler has no objection to one."""
    monkeypatch.setenv(SCHEDULER, wanted)
    note_scheduler(alive, NOWHERE)
    launch(experiment, alive)
    assert catalog.run(experiment.run_id).status == "queued"
