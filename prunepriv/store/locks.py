"""Who is alive: a process that works on runs holds a lock file for as long as it lives.

The kernel lets go of the lock when its holder ends, however it ends, so that a run left behind by a
killed process is told from one that is being worked on.
"""

from __future__ import annotations

import errno
import fcntl
import os
import time
from pathlib import Path

from prunepriv.errors import StoreError

_PROBING = 0.3
"""Seconds for which a claim is retried: whoever asks :func:`is_held` holds the lock for an instant."""


class Claim:
    """An exclusive lock on a file, held until released or until the process ends."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self._descriptor = descriptor

    def beat(self) -> None:
        """Show in the file's time of change that its holder is not stuck."""
        os.utime(self._descriptor)

    def release(self) -> None:
        """Let go. Twice does no harm."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def claim(path: Path) -> Claim | None:
    """The lock on that file, or None where another process holds it.

    Raises:
        StoreError: the folder cannot be written to.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StoreError(f"{path.parent} cannot be written to ({error.strerror})") from None
    deadline = time.monotonic() + _PROBING
    while not _lock(descriptor, fcntl.LOCK_EX):
        if time.monotonic() > deadline:
            os.close(descriptor)
            return None
        time.sleep(0.01)
    os.ftruncate(descriptor, 0)
    os.write(descriptor, str(os.getpid()).encode())  # for people; the lock is what counts
    return Claim(path, descriptor)


def is_held(path: Path) -> bool:
    """Whether a living process holds the lock on that file.

    The probe is a shared lock, so that two who ask at once don't take each other for the holder.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        return not _lock(descriptor, fcntl.LOCK_SH)
    finally:
        os.close(descriptor)


def _lock(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
            return False
        raise
    return True
