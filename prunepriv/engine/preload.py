"""What a worker of the engine's own cluster does first: lower its priority, import the runner."""

from __future__ import annotations

import os
import threading
from importlib import import_module
from typing import Any

NICENESS = 10
"""A lower priority than the process that draws the pages on the same machine."""

RUNNER = "PRUNEPRIV_RUNNER"
"""Environment variable that names the runner to workers."""


def dask_setup(worker: Any) -> None:
    """Called by Dask when a worker has started."""
    if hasattr(os, "nice"):  # not on Windows
        os.nice(NICENESS)
    worker.http_server.stop()  # it asks for no credentials, and is not needed
    module = os.environ[RUNNER].partition(":")[0]
    threading.Thread(target=_import, args=(module,), daemon=True, name="warm-up").start()


def _import(module: str) -> None:
    """Import the runner's module before the first step needs it; that step reports a failure."""
    try:
        import_module(module)
    except ImportError:
        return
