"""Fetching an archive into the data folder: checked, resumable, never half-written."""

from __future__ import annotations

import hashlib
import http.client
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from prunepriv.errors import ArchiveError, DataError
from prunepriv.progress import Report, silent

ATTEMPTS = 3
TIMEOUT = 20.0
"""Seconds without an answer, or without a further byte."""
BLOCK = 1 << 16
NETWORK_ERRORS = (urllib.error.URLError, http.client.HTTPException, ConnectionError, TimeoutError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    """A file that a data set is read from.

    Attributes:
        dataset: the data set's label, for messages.
        file: its name in the data folder.
        url: where it is published.
        sha256: digest in hex.
        size: bytes.
    """

    dataset: str
    file: str
    url: str
    sha256: str
    size: int


def fetch(
    archive: Archive, folder: Path, report: Report = silent, *, timeout: float = TIMEOUT
) -> Path:
    """Path of the archive in the folder, downloaded first if it is not there.

    What was received of a broken download stays beside it as ``<file>.part`` and is continued next
    time. A file of the user's is never changed or deleted.

    Raises:
        ArchiveError: the file in the folder, or the one that the server sent, is not the archive.
        DataError: not there and not to be had, or the folder cannot be written to.
    """
    path = folder / archive.file
    if path.is_file():
        _check_users_file(path, archive)
        return path
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _download(archive, path, report, timeout)
    except NETWORK_ERRORS as error:
        raise DataError(
            f"{archive.dataset} is not on this machine and could not be downloaded "
            f"({_reason(error)}): put {archive.file} (sha256 {archive.sha256}) into {folder}"
        ) from None
    except OSError as error:
        raise DataError(
            f"{archive.file} cannot be kept in {folder} ({error.strerror or error}): "
            "free space there or choose another data folder"
        ) from None
    return path


def digest(path: Path) -> str:
    """SHA-256 of a file, in hex."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _check_users_file(path: Path, archive: Archive) -> None:
    try:
        found = digest(path)
    except OSError as error:
        raise ArchiveError(f"{path} cannot be read ({error.strerror or error})") from None
    if found != archive.sha256:
        raise ArchiveError(
            f"{path} is not the {archive.dataset} archive, or only a part of it: expected sha256 "
            f"{archive.sha256}, got {found} ({path.stat().st_size} bytes of {archive.size}); "
            "move it away to have it downloaded, or put the right file there"
        )


def _download(archive: Archive, path: Path, report: Report, timeout: float) -> None:
    """Download to the ``.part`` file, check it, rename it.

    A continued file with a wrong digest may have begun as something else: it is fetched once more
    from its start before the server is blamed.
    """
    part = path.with_name(path.name + ".part")
    started_here = not part.exists()
    _receive_all(archive, part, report, timeout)
    if digest(part) != archive.sha256 and not started_here:
        part.unlink(missing_ok=True)
        _receive_all(archive, part, report, timeout)
    found = digest(part)
    if found != archive.sha256:
        size = part.stat().st_size
        part.unlink(missing_ok=True)
        raise ArchiveError(
            f"{archive.url} sent something else than the {archive.dataset} archive ({size} bytes): "
            f"expected sha256 {archive.sha256}, got {found}; put the right {archive.file} into "
            f"{path.parent}"
        )
    part.replace(path)
    report(1.0, f"downloaded {archive.file}")


def _receive_all(archive: Archive, part: Path, report: Report, timeout: float) -> None:
    """Receive the whole file, continuing after a broken connection."""
    for attempt in range(1, ATTEMPTS + 1):
        try:
            for received in _receive(archive, part, timeout):
                report(
                    min(received / archive.size, 1.0),
                    f"downloading {archive.file}: {received // 1000:,} of "
                    f"{archive.size // 1000:,} kB",
                )
            return
        except urllib.error.HTTPError:
            raise  # the server answered: asking again brings the same
        except NETWORK_ERRORS:
            if attempt == ATTEMPTS:
                raise


def _receive(archive: Archive, part: Path, timeout: float) -> Iterator[int]:
    """Append to the part what it lacks; yields the bytes it holds, block by block."""
    held = part.stat().st_size if part.exists() else 0
    if held >= archive.size:
        return
    request = urllib.request.Request(archive.url, headers={"Range": f"bytes={held}-"})
    with urllib.request.urlopen(request, timeout=timeout) as answer:
        continues = answer.status == http.client.PARTIAL_CONTENT
        with part.open("ab" if continues else "wb") as stream:
            held = held if continues else 0
            while held <= archive.size and (block := _block(answer)):
                held += stream.write(block)
                yield held
    if held < archive.size:
        raise http.client.IncompleteRead(b"", archive.size - held)


def _block(answer: http.client.HTTPResponse) -> bytes:
    """The next bytes, at most a block; a broken connection is told from a disk that fails."""
    try:
        return answer.read(BLOCK)
    except OSError as error:
        raise urllib.error.URLError(error) from None


def _reason(error: Exception) -> str:
    """What went wrong, in few words."""
    if isinstance(error, urllib.error.HTTPError):
        return f"the server answered {error.code} {error.reason}"
    if isinstance(error, http.client.IncompleteRead):
        return "the connection broke off; what came is kept and will be continued"
    return str(getattr(error, "reason", error))
