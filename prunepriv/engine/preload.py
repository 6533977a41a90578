"""What a worker of the engine's own cluster does first: lower its priority, set itself up."""

from __future__ import annotations

import os
from typing import Any

from prunepriv.engine.worker_setup import prepare

NICENESS = 10
"""A lower priority than the process that draws the pages on the same machine."""

RUNNER = "PRUNEPRIV_RUNNER"
"""Environment variable that names the runner to workers."""


def dask_setup(worker: Any) -> None:
    """Called by Dask when a worker has started."""
    if hasattr(os, "nice"):  # not on Windows
        os.nice(NICENESS)
    worker.http_server.stop()  # it asks for no credentials, and is not needed
    prepare(os.environ[RUNNER])
