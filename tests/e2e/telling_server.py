"""The dashboard's server, started as a user starts it, which also tells at ``/told`` what it holds.

``python -m tests.e2e.telling_server run app.py``, instead of ``python -m streamlit run app.py``.
"""

from __future__ import annotations

import gc
import runpy
import sys
import threading
from typing import Any

import plotly.graph_objects as go
import streamlit as st
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from prunepriv.ui import server

IMPORTED_FIRST = list[str]()
"""Modules that there are before the server visits itself."""
MADE = list[str]()
"""One entry for each figure made so far."""


def told(_: Request) -> JSONResponse:
    """What the server holds, once it has visited itself."""
    for thread in threading.enumerate():
        if thread.name == server.FIRST_VISIT:
            thread.join()
    return JSONResponse({
        "imported_first": IMPORTED_FIRST,
        "modules": sorted(sys.modules),
        "figures": len(MADE),
        "frozen": gc.get_freeze_count(),
        "postScriptGC": st.get_option("runner.postScriptGC"),
    })  # fmt: skip


def _count_figures() -> None:
    make = go.Figure.__init__

    def counted(self: go.Figure, *values: Any, **named: Any) -> None:
        MADE.append(type(self).__name__)
        make(self, *values, **named)

    go.Figure.__init__ = counted


def _note_what_is_imported_first() -> None:
    get_ready = server.get_ready

    def noted(port: int) -> None:
        IMPORTED_FIRST.extend(sorted(sys.modules))
        get_ready(port)

    server.get_ready = noted


if __name__ == "__main__":
    _count_figures()
    _note_what_is_imported_first()
    server.ROUTES = (*server.ROUTES, Route("/told", told))
    runpy.run_module("streamlit", run_name="__main__", alter_sys=True)
