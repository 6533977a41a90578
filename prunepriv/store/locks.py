"""Who is alive: a process that works on runs holds a lock file for as long as it lives.

The lock is SQLite's, on an empty database: exclusive for whoever works, shared for whoever asks. It
is the same on Linux, macOS and Windows, and holds wherever the catalogue can be kept. The system
lets go of it when its holder ends, however it ends, so that a run left behind by a killed process
is told from one that is being worked on. The process id stands beside it, in a file for people.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import suppress
from pathlib import Path

from prunepriv.errors import StoreError

_PROBING = 0.3
"""Seconds for which a claim is retried: whoever asks :func:`is_held` holds the lock for an instant."""

_EXCLUSIVE = ("PRAGMA journal_mode=MEMORY", "BEGIN EXCLUSIVE")  # the first: no second file
_SHARED = "PRAGMA schema_version"

_held: set[sqlite3.Connection] = set()
"""Locks of this process: one whose :class:`Claim` nobody keeps is held all the same."""


class Claim:
    """An exclusive lock on a file, held until released or until the process ends."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self._connection = connection
        _held.add(connection)
        with suppress(OSError):  # on a full disk too, the lock is what counts
            pid_file(path).write_text(str(os.getpid()))

    def beat(self) -> None:
        """Show in the file's time of change that its holder is not stuck."""
        with suppress(FileNotFoundError):  # somebody removed the store
            os.utime(self.path)

    def release(self) -> None:
        """Let go. Twice does no harm."""
        if self._connection in _held:
            _held.discard(self._connection)
            _remove(pid_file(self.path))  # before somebody else's stands there
            self._connection.close()

    def remove(self) -> None:
        """Let go of a lock that nobody will claim again, and remove its file."""
        self.release()
        _remove(self.path)


def pid_file(path: Path) -> Path:
    """Where the holder of the lock on ``path`` writes its process id."""
    return path.with_suffix(".pid")


def claim(path: Path) -> Claim | None:
    """The lock on that file, or None where another process holds it.

    Raises:
        StoreError: the folder cannot be written to.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists() and path.stat().st_size:
            os.truncate(path, 0)  # version 0.1.0 wrote the process id into the lock itself
    except OSError as error:
        raise StoreError(f"{path.parent} cannot be written to ({error.strerror})") from None
    try:
        connection = _lock(path, _PROBING, *_EXCLUSIVE)
    except sqlite3.Error as error:
        raise StoreError(f"{path.parent} cannot be written to ({error})") from None
    return None if connection is None else Claim(path, connection)


def is_held(path: Path) -> bool:
    """Whether a living process holds the lock on that file.

    The probe is a shared lock, so that two who ask at once don't take each other for the holder.
    """
    try:
        if not path.is_file():
            return False  # asking would make it
        connection = _lock(path, 0.0, _SHARED)
    except (OSError, sqlite3.Error):
        return False
    if connection is not None:
        connection.close()
    return connection is None


def _lock(path: Path, patience: float, *statements: str) -> sqlite3.Connection | None:
    """The connection that holds the lock; None where another's is in the way for so many seconds."""
    connection = sqlite3.connect(path, patience, isolation_level=None, check_same_thread=False)
    try:
        for statement in statements:
            connection.execute(statement)
    except sqlite3.Error as error:
        connection.close()
        if error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY:  # the higher bytes tell why
            return None
        raise
    return connection


def _remove(file: Path) -> None:
    with suppress(OSError):  # Windows keeps a file that somebody is reading at this moment
        file.unlink(missing_ok=True)
