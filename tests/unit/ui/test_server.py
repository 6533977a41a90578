"""What the dashboard's server does beside serving pages; the addresses are asked of a real server."""

from __future__ import annotations

import asyncio
import gc
import http.client
import json
import logging
import re
import signal
import threading
import urllib.request
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeVar

import pytest
import streamlit as st
from websockets.frames import CloseCode
from websockets.sync.server import serve

from prunepriv.environment import root
from prunepriv.ui import server as module
from prunepriv.ui.server import get_ready, visit
from tests.e2e.conftest import Server, free_port, start_server, stop_server
from tests.e2e.session import Session

T = TypeVar("T")
PATHS = ("", "run", "leakage", "classes", "attacks", "defences", "sweeps")


@pytest.fixture(scope="module")
def dashboard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    running = start_server(tmp_path_factory.mktemp("dashboard"), "tests.e2e.telling_server")
    yield running
    stop_server(running)


def told(dashboard: Server) -> dict[str, Any]:
    """What the server holds, once it has visited itself."""
    with urllib.request.urlopen(f"{dashboard.url}/told", timeout=120) as answer:
        return dict(json.load(answer))


def finished(task: Coroutine[Any, Any, T]) -> T:
    """What a task returns; a thread of its own, as playwright's loop may run in this one."""
    with ThreadPoolExecutor(1) as threads:
        return threads.submit(asyncio.run, task).result()


def test_the_server_is_warm_before_anybody_comes(dashboard: Server) -> None:
    before = told(dashboard)
    rooms = {file.stem for file in (root() / "pages").glob("*.py")}
    assert {f"prunepriv.ui.{room}" for room in rooms} <= set(before["modules"])
    assert "plotly.graph_objects" in before["modules"]
    assert before["frozen"] > 0

    async def look() -> int:
        async with Session(dashboard.port) as session:
            return len((await session.open()).of("plotly_chart"))

    assert 0 < finished(look()) <= before["figures"]
    assert told(dashboard)["figures"] == before["figures"]
    visit(dashboard.port)
    assert told(dashboard)["modules"] == before["modules"]


def test_our_modules_are_imported_before_a_script_runs(dashboard: Server) -> None:
    """Scripts that import the same packages at once can block each other: "deadlock detected"."""
    there = told(dashboard)
    assert "prunepriv.ui.attacks.view" in there["imported_first"]
    later = set(there["modules"]) - set(there["imported_first"])
    assert {name for name in later if name.startswith("prunepriv")} == set()


def test_no_collection_follows_a_script(dashboard: Server) -> None:
    assert told(dashboard)["postScriptGC"] is False


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])
def test_a_signal_ends_the_server_calmly(tmp_path: Path, number: signal.Signals) -> None:
    running = start_server(tmp_path)
    with urllib.request.urlopen(f"{running.url}/_stcore/health", timeout=60) as answer:
        assert answer.read() == b"ok"
    running.process.send_signal(number)
    code = running.process.wait(60)
    running.drain.join(60)
    assert running.process.stdout is not None
    running.process.stdout.close()
    log = "".join(running.log)
    assert (code, "Stopping..." in log) == (0, True), log
    assert not re.search("(?i)abort|traceback|error|warning", log), log


def test_a_visit_opens_every_page(dashboard: Server) -> None:
    assert visit(dashboard.port) == PATHS


@pytest.mark.parametrize(("asked", "sent"), [("", "/"), ("?run=abc", "/?run=abc")])
def test_overview_leads_to_the_first_page(dashboard: Server, asked: str, sent: str) -> None:
    with closing(http.client.HTTPConnection("127.0.0.1", dashboard.port, timeout=60)) as connection:
        connection.request("GET", f"/overview{asked}")
        answer = connection.getresponse()
        assert (answer.status, answer.headers["location"]) == (307, sent)


@pytest.mark.parametrize(("headless", "opened"), [(True, []), (False, ["http://localhost:8700"])])
def test_the_server_visits_itself_and_opens_a_browser_only_if_it_may(
    monkeypatch: pytest.MonkeyPatch, headless: bool, opened: list[str]
) -> None:
    visited, shown = list[int](), list[str]()
    options = {"server.port": 8700, "server.headless": headless}
    monkeypatch.setattr(module.st, "get_option", options.__getitem__)
    monkeypatch.setattr(module, "get_ready", visited.append)
    monkeypatch.setattr(module.webbrowser, "open", shown.append)

    class Now:
        def __init__(self, target: object, args: tuple[object, ...], **_: object) -> None:
            self.start = lambda: target(*args)  # type: ignore[operator]

    monkeypatch.setattr(module, "threading", SimpleNamespace(Thread=Now))

    async def start() -> None:
        async with module.lifespan(st.App(root() / "app.py")):
            pass

    finished(start())
    assert (visited, shown) == ([8700], opened)


def test_a_server_that_ends_during_its_visit_says_nothing_of_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with serve(lambda visitor: visitor.close(CloseCode.SERVICE_RESTART), "127.0.0.1", 0) as server:
        ends = threading.Thread(target=server.serve_forever)
        ends.start()
        with caplog.at_level(logging.WARNING):
            get_ready(server.socket.getsockname()[1])
        server.shutdown()
        ends.join()
    # the other end of the visit, websockets' own server, may write lines of its own
    assert [record for record in caplog.records if record.name == module.__name__] == []


def test_what_was_loaded_is_frozen_and_a_failed_visit_is_told(
    caplog: pytest.LogCaptureFixture,
) -> None:
    before = gc.get_freeze_count()
    with caplog.at_level(logging.WARNING):
        get_ready(free_port())
    try:
        assert gc.get_freeze_count() > before
        assert "could not visit itself" in caplog.text
    finally:
        gc.unfreeze()
