"""What makes a process a good worker: how it keeps memory, its threads, and what it imports first.

The engine's own workers do it when they start; workers started elsewhere when the engine asks them.
"""

from __future__ import annotations

import ctypes
import os
import tempfile
import threading
from importlib import import_module
from pathlib import Path

TOKEN = "engine.token"
"""A file in the store that tells a worker whether it sees the same store as the engine."""

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # M_TRIM_THRESHOLD and M_MMAP_THRESHOLD of malloc.h
KEPT = {_TRIM_THRESHOLD: 2**31 - 1, _MMAP_THRESHOLD: 2**30}
"""Bytes up to which malloc keeps free memory for the next step, instead of returning it.

Dask makes malloc return memory at once, and training then spends half of its time on allocating it
again: SAMIA took 41 s this way, and 15 s with large blocks kept.
"""


def prepare(runner: str) -> None:
    """Set this process up, and import the runner's module beside whatever comes next.

    Args:
        runner: the function that does steps, "module:function".
    """
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ.setdefault(name, "1")  # a step has one thread; a library reads it when loaded
    keep_memory()
    module = runner.partition(":")[0]
    threading.Thread(target=_import, args=(module,), daemon=True, name="warm-up").start()


def keep_memory() -> bool:
    """Make malloc keep large blocks; False where malloc is not glibc's, and nothing is done."""
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError, TypeError):  # macOS, musl, Windows
        return False
    return all(mallopt(name, size) == 1 for name, size in KEPT.items())


def join_engine(store: Path, token: str, runner: str) -> str:
    """What a worker started elsewhere does first.

    Args:
        store: the store's folder.
        token: what the engine has written into the store.
        runner: the function that does steps, "module:function".

    Returns:
        Why it cannot work; "" if it can, and then the process is set up.
    """
    try:
        seen = (store / TOKEN).read_text()
    except OSError:
        return f"does not see the store {store}"
    if seen != token:
        return f"sees another store at {store}"
    try:
        with tempfile.TemporaryFile(dir=store):
            prepare(runner)
    except OSError as error:
        return f"cannot write to the store {store} ({error.strerror})"
    return ""


def _import(module: str) -> None:
    """Import the runner's module before the first step needs it; that step reports a failure."""
    try:
        import_module(module)
    except ImportError:
        return
