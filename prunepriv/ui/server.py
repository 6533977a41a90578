"""What the dashboard's server does beside serving pages: it gets ready, ends, knows one more address.

To get ready it visits itself: it opens every page once, as a browser does. So modules are imported
and the charts of the first run are in the caches when the first visitor comes.
"""

from __future__ import annotations

import gc
import importlib
import logging
import pkgutil
import signal
import threading
import webbrowser
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import click
import streamlit as st
import uvicorn
from starlette.requests import Request
from starlette.responses import RedirectResponse
from starlette.routing import Route
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from prunepriv import ui

FIRST_VISIT = "first-visit"
"""Name of the thread in which the server visits itself."""
PATIENCE = 60.0
"""Seconds without an answer after which the server no longer waits for itself."""


@asynccontextmanager
async def lifespan(_app: st.App) -> AsyncIterator[None]:
    """Start the visit while the server starts to answer; its socket listens already."""
    import_pages()
    port = int(st.get_option("server.port"))
    threading.Thread(target=get_ready, args=(port,), daemon=True, name=FIRST_VISIT).start()
    if not st.get_option("server.headless"):  # streamlit opens no browser for an app with a server
        address = f"http://localhost:{port}"
        threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()
    _end_without_an_error()
    yield
    click.echo("  Stopping...")


def _end_without_an_error() -> None:
    """Let Ctrl+C and SIGTERM end the server with code 0, as they end an app without a server.

    uvicorn raises the signal again when it has stopped, so that streamlit would print "Aborted!".
    """
    server = getattr(signal.getsignal(signal.SIGINT), "__self__", None)
    if not isinstance(server, uvicorn.Server):  # another one, or not in the main thread
        return

    def stop(*_: object) -> None:
        server.force_exit = server.should_exit  # the second time it waits for nobody
        server.should_exit = True

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)


def import_pages() -> None:
    """Import every module of the dashboard, while there are no visitors.

    Several visitors of a server that has just started would import them at the same time, each page
    in another order; Python ends one of them with "deadlock detected".
    """
    for module in pkgutil.walk_packages(ui.__path__, f"{ui.__name__}."):
        importlib.import_module(module.name)


def get_ready(port: int) -> None:
    """Visit all pages; then keep Python's collections of garbage from looking at what was loaded.

    That stays until the server ends: half a million objects, and 0.3 s for each full collection, in
    which nobody is served.
    """
    try:
        visit(port)
    except ConnectionClosed:
        return  # the server ends already
    except (OSError, TimeoutError, WebSocketException) as error:
        logging.getLogger(__name__).warning("the server could not visit itself: %s", error)
    gc.collect()
    gc.freeze()


def visit(port: int) -> tuple[str, ...]:
    """Open every page of the dashboard on this machine's port, one after another.

    Returns:
        Addresses of the pages, "" for the first, in the order of the navigation.

    Raises:
        OSError, TimeoutError, WebSocketException: no answer, or not one of a dashboard.
    """
    with connect(
        f"ws://127.0.0.1:{port}/_stcore/stream", subprotocols=[Subprotocol("streamlit")],
        max_size=None, compression=None, open_timeout=PATIENCE,
    ) as stream:  # fmt: skip
        pages = _open(stream, "")
        for _, page in pages[1:]:
            _open(stream, page)
    return tuple(address for address, _ in pages)


def _open(stream: ClientConnection, page: str) -> list[tuple[str, str]]:
    """Open a page and wait until it is drawn; return the address and the hash of every page."""
    request = BackMsg()
    request.rerun_script.page_script_hash = page
    stream.send(request.SerializeToString())
    pages = list[tuple[str, str]]()
    while True:
        message = ForwardMsg.FromString(stream.recv(PATIENCE, decode=False))
        if message.HasField("navigation"):
            pages = [
                ("" if one.is_default else one.url_pathname, one.page_script_hash)
                for one in message.navigation.app_pages
            ]
        elif message.HasField("script_finished") and not _stopped(message):
            return pages


def _stopped(finished: ForwardMsg) -> bool:
    """Whether the script was stopped only to run again."""
    return finished.script_finished == ForwardMsg.FINISHED_EARLY_FOR_RERUN


async def _to_the_first_page(request: Request) -> RedirectResponse:
    query = request.url.query
    return RedirectResponse(f"/?{query}" if query else "/")


ROUTES = (Route("/overview", _to_the_first_page),)
"""Addresses that streamlit does not know: it has the first page at the root only."""
