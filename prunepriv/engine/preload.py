"""What each worker of the engine's own cluster does first: make room, close up, warm up."""

from __future__ import annotations

import os
import threading
from importlib import import_module
from typing import Any

NICENESS = 10
"""Below whatever draws the pages on the same machine."""

RUNNER = "PRUNEPRIV_RUNNER"
"""Environment variable that names the runner to workers."""


def dask_setup(worker: Any) -> None:
    """Called by Dask when a worker has started."""
    if hasattr(os, "nice"):  # Windows has none
        os.nice(NICENESS)
    worker.http_server.stop()  # it asks no one for credentials, and nobody needs it
    module = os.environ[RUNNER].partition(":")[0]
    threading.Thread(target=_import, args=(module,), daemon=True, name="warm-up").start()


def _import(module: str) -> None:
    """Import what computes before the first step needs it; a failure is told by that step."""
    try:
        import_module(module)
    except ImportError:
        return
