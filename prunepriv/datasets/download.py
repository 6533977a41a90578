"""Download archives into the data folder: checked, and continued after a broken connection."""

from __future__ import annotations

import gzip
import hashlib
import http.client
import urllib.error
import urllib.request
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from prunepriv.errors import ArchiveError, DataError
from prunepriv.progress import Report, portion, silent

ATTEMPTS = 3
TIMEOUT = 20.0
"""Seconds to wait for an answer, or for the next byte."""
BLOCK = 1 << 16
LARGEST = 1 << 30
"""Most bytes to receive of a file whose size is not known."""
NETWORK_ERRORS = (urllib.error.URLError, http.client.HTTPException, ConnectionError, TimeoutError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    """A file that a data set is read from.

    Attributes:
        dataset: the data set's label, for messages.
        file: its name in the data folder.
        url: where it is published.
        digest: of the whole file, in hex, by ``algorithm``; empty if its publisher gives none. Then
            only the structure is checked: the file must be whole by gzip's own checksum, and its
            reader checks all of its content.
        size: bytes; None if it is not known before the download.
        algorithm: as ``hashlib`` names it.
        unfit: name of another file of the same records that users may have; it holds pickles.
    """

    dataset: str
    file: str
    url: str
    digest: str
    size: int | None
    algorithm: Literal["sha256", "sha384", "md5"] = "sha256"
    unfit: str = ""

    @property
    def checksum(self) -> str:
        """The checksum that the file must have, for messages."""
        return f"{self.algorithm} {self.digest}" if self.digest else "no checksum is published"


def fetch_all(archives: Sequence[Archive], folder: Path, report: Report = silent) -> list[Path]:
    """Paths of the archives in the folder; missing ones are downloaded first, one by one.

    Raises:
        ArchiveError, DataError: as :func:`fetch`.
    """
    missing = [archive for archive in archives if not (folder / archive.file).is_file()]
    for archive in archives:
        if archive not in missing:
            _check_users_file(folder / archive.file, archive)
    for number, archive in enumerate(missing):
        share = portion(report, number / len(missing), (number + 1) / len(missing))
        _obtain(archive, folder, share, TIMEOUT, missing[number:])
    return [folder / archive.file for archive in archives]


def fetch(
    archive: Archive, folder: Path, report: Report = silent, *, timeout: float = TIMEOUT
) -> Path:
    """Path of the archive in the folder; a missing one is downloaded first.

    The received part of a broken download is kept as ``<file>.part`` and continued next time. The
    user's own files are never changed or deleted.

    Raises:
        ArchiveError: the file in the folder, or the one that the server sent, is not the archive.
        DataError: it is missing and cannot be downloaded, or the folder cannot be written to.
    """
    path = folder / archive.file
    if path.is_file():
        _check_users_file(path, archive)
    else:
        _obtain(archive, folder, report, timeout, [archive])
    return path


def _obtain(
    archive: Archive, folder: Path, report: Report, timeout: float, missing: Sequence[Archive]
) -> None:
    """Download an archive. If that fails, the error names all missing archives."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _download(archive, folder / archive.file, report, timeout)
    except NETWORK_ERRORS as error:
        wanted = " and ".join(f"{one.file} ({one.checksum})" for one in missing)
        raise DataError(
            f"{archive.dataset} is not on this machine and could not be downloaded "
            f"({_reason(error)}): put {wanted} into {folder}{_unfit(archive, folder)}"
        ) from None
    except OSError as error:
        raise DataError(
            f"{archive.file} cannot be saved in {folder} ({error.strerror or error}): "
            "free space there or choose another data folder"
        ) from None


def _unfit(archive: Archive, folder: Path) -> str:
    """A note if the user has the file of pickles, else empty."""
    if not archive.unfit or not (folder / archive.unfit).exists():
        return ""
    return f"; {archive.unfit} is in that folder, but it holds pickles, which are never read"


def digest(path: Path, algorithm: str = "sha256") -> str:
    """Digest of a file, in hex."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, algorithm).hexdigest()


def _check_users_file(path: Path, archive: Archive) -> None:
    if not archive.digest:
        return
    try:
        found = digest(path, archive.algorithm)
    except OSError as error:
        raise ArchiveError(f"{path} cannot be read ({error.strerror or error})") from None
    if found != archive.digest:
        of = f" of {archive.size}" if archive.size is not None else ""
        raise ArchiveError(
            f"{path} is not the {archive.dataset} archive, or only a part of it: expected "
            f"{archive.checksum}, got {found} ({path.stat().st_size} bytes{of}); "
            "move it away to download it, or replace it with the right file"
        )


def _download(archive: Archive, path: Path, report: Report, timeout: float) -> None:
    """Download to the ``.part`` file, check it, rename it.

    A continued file with a wrong digest may begin with a part of another file. So it is downloaded
    once more from its start before an error is raised.
    """
    part = path.with_name(path.name + ".part")
    started_here = not part.exists()
    _receive_all(archive, part, report, timeout)
    wrong = _wrong(part, archive)
    if wrong and not started_here:
        part.unlink(missing_ok=True)
        _receive_all(archive, part, report, timeout)
        wrong = _wrong(part, archive)
    if wrong:
        size = part.stat().st_size
        part.unlink(missing_ok=True)
        raise ArchiveError(
            f"{archive.url} sent a file that is not the {archive.dataset} archive ({size} bytes): "
            f"{wrong}; put the right {archive.file} into {path.parent}"
        )
    part.replace(path)
    report(1.0, f"downloaded {archive.file}")


def _wrong(part: Path, archive: Archive) -> str:
    """What is wrong with the received file; empty if it is the archive."""
    if not archive.digest:
        return "" if _whole_gzip(part) else "expected a whole gzip file"
    found = digest(part, archive.algorithm)
    return "" if found == archive.digest else f"expected {archive.checksum}, got {found}"


def _whole_gzip(path: Path) -> bool:
    """Whether a file unpacks to its end, where gzip compares its checksum."""
    try:
        with gzip.open(path) as stream:
            while stream.read(BLOCK):
                pass
    except (OSError, EOFError, zlib.error):
        return False
    return True


def _receive_all(archive: Archive, part: Path, report: Report, timeout: float) -> None:
    """Receive the whole file, continuing after a broken connection."""
    for attempt in range(1, ATTEMPTS + 1):
        try:
            for received, size in _receive(archive, part, timeout):
                of = f" of {size // 1000:,}" if size else ""
                report(
                    min(received / size, 1.0) if size else 0.0,
                    f"downloading {archive.file}: {received // 1000:,}{of} kB",
                )
            return
        except urllib.error.HTTPError:
            raise  # the server answered: another request would get the same answer
        except NETWORK_ERRORS:
            if attempt == ATTEMPTS:
                raise


def _receive(archive: Archive, part: Path, timeout: float) -> Iterator[tuple[int, int]]:
    """Append the missing bytes to the part.

    Yields:
        After each block: the bytes received, and the size of the file (0 if it is not known).
    """
    held = part.stat().st_size if part.exists() else 0
    if archive.size is not None and held >= archive.size:
        return
    request = urllib.request.Request(archive.url, headers={"Range": f"bytes={held}-"})
    try:
        answer = urllib.request.urlopen(request, timeout=timeout)
    except urllib.error.HTTPError as error:
        if (
            archive.size is None
            and held
            and error.code == http.client.REQUESTED_RANGE_NOT_SATISFIABLE
        ):
            return  # the part is complete already
        raise
    with answer:
        continues = answer.status == http.client.PARTIAL_CONTENT
        with part.open("ab" if continues else "wb") as stream:
            held = held if continues else 0
            length = answer.headers.get("Content-Length", "")
            size = archive.size or (held + int(length) if length.isdigit() else 0)
            while held <= (size or LARGEST) and (block := _block(answer)):
                held += stream.write(block)
                yield held, size
    if held < size:
        raise http.client.IncompleteRead(b"", size - held)


def _block(answer: http.client.HTTPResponse) -> bytes:
    """The next bytes, at most one block.

    A broken connection is raised as a URLError, because an OSError means that the disk fails.
    """
    try:
        return answer.read(BLOCK)
    except OSError as error:
        raise urllib.error.URLError(error) from None


def _reason(error: Exception) -> str:
    """What went wrong, in a few words."""
    if isinstance(error, urllib.error.HTTPError):
        return f"the server answered {error.code} {error.reason}"
    if isinstance(error, http.client.IncompleteRead):
        return (
            "the connection was lost; the received part is kept, and the next download continues it"
        )
    return str(getattr(error, "reason", error))
