"""Locks that show who is alive: a process that works on runs holds its lock file until it ends.

The lock is SQLite's, on an empty database: exclusive for the holder, shared for a process that
checks it. It is the same on Linux, macOS and Windows, and works wherever the catalogue can be kept.
The system releases it when its holder ends, also when it is killed, so an interrupted run can be
distinguished from one at work. A file beside it holds the process id, for people.
"""

from __future__ import annotations

import os
import sqlite3
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from prunepriv.errors import StoreError

LOCKS = "locks"
"""The folder of the locks of processes that write artifacts and are not the engine."""

_PROBING = 0.3
"""Seconds for which a claim is retried, because :func:`is_held` holds the lock for a moment."""

_EXCLUSIVE = ("PRAGMA journal_mode=MEMORY", "BEGIN EXCLUSIVE")  # the first avoids a second file
_SHARED = "PRAGMA schema_version"

_held: set[sqlite3.Connection] = set()
"""Locks of this process, so that a lock is held even if no one keeps its :class:`Claim`."""


class Claim:
    """An exclusive lock on a file, held until released or until the process ends."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self._connection = connection
        found = path.stat()
        self._file = found.st_dev, found.st_ino
        _held.add(connection)
        with suppress(OSError):  # the lock alone is enough, if the disk is full
            pid_file(path).write_text(str(os.getpid()))

    def beat(self) -> None:
        """Update the file's modification time, which shows that the holder still works.

        Raises:
            StoreError: the store was removed, and with it the lock: nobody sees it any more.
        """
        with suppress(OSError):  # the lock alone is enough
            os.utime(self.path)
        if not self._is_in_place():
            raise StoreError(f"the store {self.path.parent} was removed: submit its runs again")

    def release(self) -> None:
        """Release the lock; a second call does nothing."""
        if self._connection in _held:
            _held.discard(self._connection)
            if self._is_in_place():
                _remove(pid_file(self.path))  # before another holder writes it
            self._connection.close()

    def _is_in_place(self) -> bool:
        """Whether the locked file still has its name: SQLite's lock is the file's, not the name's."""
        try:
            found = self.path.stat()
        except FileNotFoundError:
            return False
        except OSError:  # a disk that does not answer now
            return True
        return (found.st_dev, found.st_ino) == self._file

    def remove(self) -> None:
        """Release a lock that no process will claim again, and remove its file."""
        _remove(pid_file(self.path))
        _remove(self.path)  # while nobody else can hold it
        self.release()
        _remove(self.path)  # Windows removes no file that is in use


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
    while True:
        try:
            connection = _lock(path, _PROBING, *_EXCLUSIVE)
        except sqlite3.Error as error:
            raise StoreError(f"{path.parent} cannot be written to ({error})") from None
        if connection is None:
            return None
        try:
            return Claim(path, connection)
        except FileNotFoundError:  # somebody has removed the file just now: make it again
            connection.close()


@contextmanager
def at_work(store: Path) -> Iterator[None]:
    """While the block writes an artifact outside of any run: nobody removes its draft.

    Raises:
        StoreError: the store cannot be written to.
    """
    held = claim(store / LOCKS / f"{uuid.uuid4().hex}.lock")
    try:
        yield
    finally:
        if held is not None:
            held.remove()


def is_held(path: Path) -> bool:
    """Whether a living process holds the lock on that file.

    It tries a shared lock, so that two processes that check at once do not block each other.
    """
    try:
        if not path.is_file():
            return False  # the attempt would create the file
        connection = _lock(path, 0.0, _SHARED)
    except (OSError, sqlite3.Error):
        return False
    if connection is not None:
        connection.close()
    return connection is None


def _lock(path: Path, patience: float, *statements: str) -> sqlite3.Connection | None:
    """The connection that holds the lock; None if others hold it for ``patience`` seconds."""
    connection = sqlite3.connect(path, patience, isolation_level=None, check_same_thread=False)
    try:
        for statement in statements:
            connection.execute(statement)
    except sqlite3.Error as error:
        connection.close()
        if error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY:  # the higher bytes give details
            return None
        raise
    return connection


def _remove(file: Path) -> None:
    with suppress(OSError):  # Windows does not remove a file that a process reads
        file.unlink(missing_ok=True)
