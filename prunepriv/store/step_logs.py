"""``logs/<step key>.txt``: why a step failed, kept until the step is done.

It holds what the step's process printed on standard error, and the traceback. Steps that a process
does together share the log of the first, until it is known which of them failed.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from prunepriv.store.artifacts import ArtifactStore

MOST = 2**20
"""Bytes that are read of a log: its end."""


def log_path(store: Path, key: str) -> Path:
    """The log of a step, which may not exist.

    Args:
        store: the store's folder.
        key: the step's.

    Raises:
        StoreError: the text is not a key. Text from outside therefore never becomes a path.
    """
    return store / "logs" / f"{ArtifactStore(store).path(key).name}.txt"


def read_log(store: Path, key: str) -> str:
    """The end of a step's log, at most :data:`MOST` bytes; "" if there is none."""
    try:
        with log_path(store, key).open("rb") as stream:
            size = stream.seek(0, 2)
            stream.seek(max(0, size - MOST))
            return stream.read().decode(errors="replace")
    except OSError:
        return ""


def add_to_log(store: Path, key: str, text: str) -> None:
    """Write a text at the end of a step's log. A store that cannot be written to keeps none."""
    path = log_path(store, key)
    with suppress(OSError):
        path.parent.mkdir(exist_ok=True)  # never a store that was removed
        with path.open("a", encoding="utf-8") as stream:
            stream.write(text.rstrip("\n") + "\n")


def move_log(store: Path, key: str, other: str) -> None:
    """Give a step's log, if there is one, to another step of its group: that one has failed."""
    with suppress(OSError):
        log_path(store, key).replace(log_path(store, other))


def remove_logs(store: Path, keys: Iterable[str]) -> None:
    """Remove steps' logs, where there are any: the steps are done."""
    for key in keys:
        with suppress(OSError):
            log_path(store, key).unlink(missing_ok=True)
