"""What the dashboard's server does beside serving pages; the addresses are asked of a real server."""

from __future__ import annotations

import asyncio
import gc
import http.client
import logging
from collections.abc import Iterator

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from prunepriv.environment import root
from prunepriv.ui import server as module
from prunepriv.ui.server import get_ready, visit
from tests.e2e.conftest import Server, free_port, start_server, stop_server

PATHS = ("", "run", "leakage", "classes", "attacks", "defences", "sweeps")


@pytest.fixture(scope="module")
def dashboard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    running = start_server(tmp_path_factory.mktemp("dashboard"))
    yield running
    stop_server(running)


def test_a_visit_opens_every_page(dashboard: Server) -> None:
    assert visit(dashboard.port) == PATHS


@pytest.mark.parametrize(("asked", "sent"), [("", "/"), ("?run=abc", "/?run=abc")])
def test_overview_leads_to_the_first_page(dashboard: Server, asked: str, sent: str) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", dashboard.port, timeout=60)
    connection.request("GET", f"/overview{asked}")
    answer = connection.getresponse()
    assert (answer.status, answer.headers["location"]) == (307, sent)
    connection.close()


def test_the_server_visits_itself_as_soon_as_it_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    ports = list[int]()
    monkeypatch.setattr(module, "get_ready", ports.append)

    class Now:
        def __init__(self, target: object, args: tuple[object, ...], **_: object) -> None:
            self.start = lambda: target(*args)  # type: ignore[operator]

    monkeypatch.setattr(module.threading, "Thread", Now)

    async def start() -> None:
        async with module.lifespan(st.App(root() / "app.py")):
            pass

    asyncio.run(start())
    assert ports == [st.get_option("server.port")]


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


def test_a_script_sees_that_no_collection_follows_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(root())
    seen = AppTest.from_function(_setting, default_timeout=60).run()
    assert seen.markdown[0].value == "False"


def _setting() -> None:
    import streamlit as st

    st.markdown(str(st.get_option("runner.postScriptGC")))
