"""How the engine begins on a store that refuses something; its work: tests/e2e."""

from __future__ import annotations

import threading
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

import pytest

from prunepriv.engine import process
from prunepriv.engine.client import ENGINE_LOCK, ENGINE_SCHEDULER, engine_scheduler
from prunepriv.engine.process import run_engine
from prunepriv.engine.worker_setup import TOKEN
from prunepriv.errors import StoreError
from prunepriv.store.locks import is_held
from tests.unit.engine.fake_cluster import FakeClient

ADDRESS = "tcp://127.0.0.1:1"


@pytest.fixture(autouse=True)
def client(monkeypatch: pytest.MonkeyPatch) -> FakeClient:
    made = FakeClient()
    monkeypatch.setattr(process, "connect", lambda _: made)
    monkeypatch.setattr(process, "signal", mock.Mock())
    return made


class Impatient(threading.Event):
    """What the engine waits with between two attempts: makes room in the store meanwhile."""

    store: Path
    waited = 0

    def wait(self, timeout: float | None = None) -> bool:
        Impatient.waited += 1
        for name in (ENGINE_SCHEDULER, TOKEN):
            if (self.store / name).is_dir():
                (self.store / name).rmdir()
                break
        return False


@pytest.fixture
def refusing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store in which no file can be made that the engine writes at its start."""
    for name in (ENGINE_SCHEDULER, TOKEN):
        (tmp_path / name).mkdir()
    monkeypatch.setattr(Impatient, "store", tmp_path, raising=False)
    monkeypatch.setattr(Impatient, "waited", 0)
    monkeypatch.setattr(process, "threading", SimpleNamespace(Event=Impatient))
    return tmp_path


def test_an_engine_waits_until_it_can_write_what_a_cluster_needs(
    refusing: Path, client: FakeClient
) -> None:
    run_engine(refusing, scheduler=ADDRESS, idle_timeout=0.0)
    assert Impatient.waited == 2
    assert engine_scheduler(refusing) == ADDRESS
    assert (refusing / TOKEN).read_text()
    assert client.closed
    assert not is_held(refusing / ENGINE_LOCK)


def test_an_engine_does_not_wait_for_ever(refusing: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "START_PATIENCE", -1.0)
    with pytest.raises(StoreError, match=f"{ENGINE_SCHEDULER} cannot be written"):
        run_engine(refusing, scheduler=ADDRESS, idle_timeout=0.0)
