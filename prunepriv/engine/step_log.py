"""Keeps the log of a group of steps while they are done, and afterwards if they failed."""

from __future__ import annotations

import faulthandler
import os
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import BinaryIO

from prunepriv.errors import Cancelled
from prunepriv.store.artifacts import ArtifactStore
from prunepriv.store.step_logs import add_to_log, log_path, move_log, remove_logs

STDERR = 2
"""The file descriptor of standard error, to which libraries in C print, too."""


@contextmanager
def kept_log(store: Path, keys: Sequence[str], *, printed: bool) -> Iterator[None]:
    """While the block does a group of steps: its traceback goes to a log, if it fails.

    That is the log of the first step which the store then lacks. Earlier logs of the steps are
    removed first. If the block ends well, or by Cancelled, no log stays.

    Args:
        store: the store's folder.
        keys: the steps'.
        printed: whether the log also gets what this process prints on standard error meanwhile, and
            the stack if a fault in a library ends it: then it is the log of the first step. Standard
            error gets it at the end. For a process that does one group at a time.
    """
    remove_logs(store, keys)
    try:
        with _standard_error_to(log_path(store, keys[0])) if printed else nullcontext():
            yield
    except Cancelled:
        remove_logs(store, keys)
        raise
    except BaseException:
        add_to_log(store, keys[0], traceback.format_exc())
        artifacts = ArtifactStore(store)
        move_log(store, keys[0], next((key for key in keys if not artifacts.lists(key)), keys[0]))
        raise
    remove_logs(store, keys)


@contextmanager
def _standard_error_to(path: Path) -> Iterator[None]:
    """Let standard error lead to a file; it gets the file's content back at the end."""
    try:
        path.parent.mkdir(exist_ok=True)
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
        with suppress(OSError):  # a full disk
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
    with suppress(OSError):  # a full disk
        while block := log.read(2**16):
            os.write(STDERR, block)
