"""Refuse what is not safe to read, and notice a file that changes while it is read."""

from __future__ import annotations

import os
import stat
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath, PureWindowsPath

from prunepriv.errors import DataError

MOST_FILE_BYTES = 2_000_000_000
"""Largest size of a file, or of all files in a folder together."""
MOST_BYTES = 4_000_000_000
"""Largest size of a packed file when unpacked, and of the records in memory."""

State = tuple[tuple[str, int, int, int], ...]
"""(name, bytes, time of change, inode) of each file."""


def check_size(path: Path, source: str) -> None:
    """Check the size of a file or folder without reading it.

    Raises:
        DataError: neither a regular file nor a folder, empty, too large, or a folder with a link.
    """
    files = _state(path, source)
    size = sum(entry[1] for entry in files)
    if size > MOST_FILE_BYTES:
        raise DataError(
            f"{source} has {size / 1e9:.1f} GB, but at most {MOST_FILE_BYTES / 1e9:g} GB can be read: "
            "use fewer records"
        )
    if not size:
        raise DataError(f"{source} is empty")


@contextmanager
def unchanged(path: Path, source: str) -> Iterator[None]:
    """Check that the file does not change while the block reads it.

    Raises:
        DataError: its size, time or identity changed; also in place of an error that this caused.
    """
    before = _state(path, source)
    try:
        yield
    except (DataError, OSError):
        _compare(before, path, source)
        raise
    _compare(before, path, source)


def _compare(before: State, path: Path, source: str) -> None:
    try:
        same = _state(path, source) == before
    except DataError:
        same = False
    if not same:
        raise DataError(
            f"{source} changed while it was read, so nothing of it was kept: "
            "wait until it is complete, then try again"
        )


def _state(path: Path, source: str) -> State:
    """The state of the file, or of every file in the folder, sorted by name."""
    try:
        if not path.is_dir():
            return (_entry(path, path.stat(), "", source),)
        entries = []
        for folder, folders, files in os.walk(path, onerror=_raise):
            for name in (*folders, *files):
                member = Path(folder, name)
                about = member.lstat()
                if not stat.S_ISDIR(about.st_mode):
                    entries.append(_entry(member, about, str(member.relative_to(path)), source))
        return tuple(sorted(entries))
    except OSError as error:
        raise DataError(f"{source} cannot be read ({error.strerror or error})") from None


def _entry(path: Path, about: os.stat_result, name: str, source: str) -> tuple[str, int, int, int]:
    where = f"{source}: {name}" if name else source
    if stat.S_ISLNK(about.st_mode):
        raise DataError(f"{where} is a link, and links are not followed: put the file itself there")
    if not stat.S_ISREG(about.st_mode):
        raise DataError(f"{where} is neither a file nor a folder")
    if not os.access(path, os.R_OK):
        raise DataError(f"{where} cannot be read: you have no permission")
    return name, about.st_size, about.st_mtime_ns, about.st_ino


def _raise(error: OSError) -> None:
    raise error


@contextmanager
def opened_zip(path: Path, source: str) -> Iterator[zipfile.ZipFile]:
    """Open a zip archive after its members are checked; nothing is unpacked to disk.

    Raises:
        DataError: not a zip archive, or damaged; too large when unpacked; or a member that has an
            absolute or parent path, is a link, is encrypted or is listed twice.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            _check_members(archive.infolist(), source)
            yield archive
    except (zipfile.BadZipFile, EOFError, NotImplementedError, ValueError, zlib.error) as error:
        raise DataError(f"{source} is not a zip archive, or is damaged ({error})") from None


def _check_members(members: list[zipfile.ZipInfo], source: str) -> None:
    seen: set[str] = set()
    for member in members:
        where = f"{source}, member {member.filename[:120]!r}"
        if not stays_inside(member.filename):
            raise DataError(f"{where} has an absolute or parent path: such an archive is not read")
        if stat.S_ISLNK(member.external_attr >> 16):
            raise DataError(f"{where} is a link: such an archive is not read")
        if member.flag_bits & 1:
            raise DataError(f"{where} is encrypted: save it without a password")
        if member.filename in seen:
            raise DataError(f"{where} is listed twice")
        seen.add(member.filename)
    size = sum(member.file_size for member in members)
    if size > MOST_BYTES:
        raise DataError(
            f"{source} unpacks to {size / 1e9:.1f} GB, but at most {MOST_BYTES / 1e9:g} GB can be read"
        )


def stays_inside(name: str) -> bool:
    """Whether a member's path stays below the archive's root on every operating system."""
    windows = PureWindowsPath(name)
    parts = {*PurePosixPath(name).parts, *windows.parts}
    return not (name.startswith("/") or windows.drive or windows.root or ".." in parts)


def check_memory(shape: tuple[int, ...], itemsize: int, source: str) -> None:
    """Refuse records that would take more than :data:`MOST_BYTES`.

    Raises:
        DataError: they would take more.
    """
    size = itemsize
    for length in shape:
        size *= length
    if size > MOST_BYTES:
        raise DataError(
            f"{source} would take {size / 1e9:.1f} GB of memory, but at most {MOST_BYTES / 1e9:g} "
            "GB are allowed: use fewer records or features"
        )
