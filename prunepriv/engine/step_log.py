"""Keeps the log of a step while it is done, and afterwards if it failed."""

from __future__ import annotations

import faulthandler
import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import BinaryIO

from prunepriv.errors import Cancelled
from prunepriv.store.step_logs import add_to_log, log_path, remove_log

STDERR = 2
"""The file descriptor of standard error, to which libraries in C print, too."""


@contextmanager
def kept_log(store: Path, key: str, *, printed: bool) -> Iterator[None]:
    """While the block does a step: its traceback goes to the step's log, if it fails.

    An earlier log of the step is removed first. If the block ends well, or by Cancelled, no log
    stays.

    Args:
        store: the store's folder.
        key: the step's.
        printed: whether the log also gets what this process prints on standard error meanwhile, and
            the stack if a fault in a library ends it. Standard error gets it at the end. For a
            process that does one step at a time.
    """
    remove_log(store, key)
    try:
        with _standard_error_to(log_path(store, key)) if printed else nullcontext():
            yield
    except Cancelled:
        remove_log(store, key)
        raise
    except BaseException:
        add_to_log(store, key, traceback.format_exc())
        raise
    remove_log(store, key)


@contextmanager
def _standard_error_to(path: Path) -> Iterator[None]:
    """Let standard error lead to a file; it gets the file's content back at the end."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        log = path.open("w+b", buffering=0)
    except OSError:  # the step is more important than its log
        yield
        return
    sys.stderr.flush()
    before, watched = os.dup(STDERR), faulthandler.is_enabled()
    os.dup2(log.fileno(), STDERR)
    faulthandler.enable(log)
    try:
        yield
    finally:
        sys.stderr.flush()
        os.dup2(before, STDERR)
        os.close(before)
        faulthandler.disable()
        if watched:
            faulthandler.enable()
        with log:
            _copy(log)


def _copy(log: BinaryIO) -> None:
    log.seek(0)
    while block := log.read(2**16):
        os.write(STDERR, block)
