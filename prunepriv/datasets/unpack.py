"""Read tar archives in one pass, without unpacking them to disk; sizes and names are checked."""

from __future__ import annotations

import gzip
import io
import tarfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath
from typing import IO, TypeVar

from prunepriv.datasets.guards import stays_inside
from prunepriv.errors import ArchiveError

BLOCK = 1 << 20
Read = TypeVar("Read")


class _Counted(io.BufferedIOBase):
    """A stream that raises an error when it gives more than `largest` bytes."""

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
    """Read members of a gzipped tar archive: what each reader returns for its member, by name.

    Members are read in the order in which they are packed; those without a reader are skipped.

    Args:
        path: of the archive.
        readers: one for each member to read, by its name with forward slashes.
        largest: most bytes that the archive may unpack to.

    Raises:
        ArchiveError: it is damaged or too large, lacks one of these members, or holds anything but
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
        raise ArchiveError(
            f"{path} is damaged ({error}): replace it with a complete copy"
        ) from None
    for name in readers:
        if name not in found:
            raise ArchiveError(
                f"{path} holds no regular file {name!r}: replace it with the right archive"
            )
    return found


def _checked(member: tarfile.TarInfo, found: Mapping[str, object], path: Path) -> str:
    """The name of a member that is safe to read; empty for a folder."""
    where = f"{path}, member {member.name[:120]!r}"
    if not stays_inside(member.name):
        raise ArchiveError(f"{where} has an absolute or parent path: such an archive is not read")
    if not (member.isdir() or member.isreg()) or member.issparse():
        raise ArchiveError(
            f"{where} is neither a regular file nor a folder: such an archive is not read"
        )
    name = PurePosixPath(member.name).as_posix() if member.isreg() else ""
    if name in found:
        raise ArchiveError(f"{where} is listed twice: such an archive is not read")
    return name
