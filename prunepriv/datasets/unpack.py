"""Reading archives without unpacking them to disk: in one pass, with limits, trusting no name."""

from __future__ import annotations

import gzip
import io
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import IO, TypeVar

from prunepriv.errors import ArchiveError

BLOCK = 1 << 20
Read = TypeVar("Read")


class _Counted(io.BufferedIOBase):
    """A stream that refuses to give more than so many bytes."""

    def __init__(self, stream: io.BufferedIOBase, largest: int, path: Path) -> None:
        self._stream = stream
        self._largest = self._left = largest
        self._path = path

    def read(self, size: int | None = BLOCK, /) -> bytes:
        block = self._stream.read(size)
        self._left -= len(block)
        if self._left < 0:
            raise ArchiveError(f"{self._path} unpacks to more than {self._largest:,} bytes")
        return block


def read_tar(
    path: Path, readers: Mapping[str, Callable[[IO[bytes]], Read]], largest: int
) -> dict[str, Read]:
    """What each reader makes of the member of that name in a gzipped tar archive.

    Members are read in the order in which they are packed; others are skipped unread.

    Args:
        path: of the archive.
        readers: by the member's name, with forward slashes.
        largest: bytes that the archive may unpack to.

    Raises:
        ArchiveError: damaged, too large, without one of those members, or holding anything but
            folders and regular files with paths that stay inside.
    """
    found: dict[str, Read] = {}
    try:
        with gzip.open(path) as packed:
            stream = _Counted(packed, largest, path)
            with tarfile.open(fileobj=stream, mode="r|", bufsize=BLOCK) as tar:
                for member in tar:
                    name = _checked(member, found, path)
                    content = tar.extractfile(member) if name in readers else None
                    if content is not None:
                        found[name] = readers[name](content)
            while stream.read():
                pass  # gzip compares its checksum at the end
    except (OSError, EOFError, zlib.error, tarfile.TarError) as error:
        raise ArchiveError(f"{path} is damaged ({error}): put a whole copy there") from None
    for name in readers:
        if name not in found:
            raise ArchiveError(
                f"{path} holds no regular file {name!r}: put the right archive there"
            )
    return found


def _checked(member: tarfile.TarInfo, found: Mapping[str, object], path: Path) -> str:
    """The member's name, if it is one that may be there."""
    where = f"{path}, member {member.name[:120]!r}"
    if not stays_inside(member.name):
        raise ArchiveError(f"{where} has an absolute or parent path: such an archive is not read")
    if not (member.isdir() or member.isreg()) or member.issparse():
        raise ArchiveError(f"{where} is neither a regular file nor a folder: it is not read")
    name = PurePosixPath(member.name).as_posix() if member.isreg() else ""
    if name in found:
        raise ArchiveError(f"{where} is listed twice: such an archive is not read")
    return name


@contextmanager
def opened_zip(path: Path, largest: int) -> Iterator[zipfile.ZipFile]:
    """A zip archive whose members may be read.

    Raises:
        ArchiveError: damaged, also where that is found out in the block; too large; or holding
            links, encrypted members or paths that leave it.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            _check_zip(archive.infolist(), path, largest)
            yield archive
    except (OSError, EOFError, zipfile.BadZipFile, NotImplementedError, zlib.error) as error:
        raise ArchiveError(f"{path} is damaged ({error}): put a whole copy there") from None


def _check_zip(members: list[zipfile.ZipInfo], path: Path, largest: int) -> None:
    for member in members:
        where = f"{path}, member {member.filename[:120]!r}"
        if not stays_inside(member.filename):
            raise ArchiveError(
                f"{where} has an absolute or parent path: such an archive is not read"
            )
        if stat.S_ISLNK(member.external_attr >> 16):
            raise ArchiveError(f"{where} is a link: such an archive is not read")
        if member.flag_bits & 1:
            raise ArchiveError(f"{where} is encrypted: put a copy without a password there")
    if sum(member.file_size for member in members) > largest:
        raise ArchiveError(f"{path} unpacks to more than {largest:,} bytes")
    if len({member.filename for member in members}) < len(members):
        raise ArchiveError(f"{path} lists a member twice: such an archive is not read")


def stays_inside(name: str) -> bool:
    """Whether a member's name means a place below the archive's root on every system."""
    windows = PureWindowsPath(name)
    parts = {*PurePosixPath(name).parts, *windows.parts}
    return not (name.startswith("/") or windows.drive or windows.root or ".." in parts)
