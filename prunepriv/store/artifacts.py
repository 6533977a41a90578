"""Content-addressed artifacts: one folder per key, written once, never changed.

An artifact is written under a temporary name, checksummed and renamed into place, so that a
half-written artifact is never read. A damaged artifact is set aside and counts as absent. Tensors
are stored as safetensors, the rest as JSON: nothing is unpickled.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.numpy

from prunepriv.errors import MissingArtifactError, StoreError, StoreFullError
from prunepriv.store.tensors import read_tensors

META = "meta.json"
DRAFTS = "drafts"
"""The folder of artifacts that are being written."""


@dataclass(frozen=True, slots=True)
class Artifact:
    """A complete artifact on disk.

    Attributes:
        key: hex SHA-256 of what it was made from.
        path: its folder.
        meta: what :meth:`ArtifactStore.write` was given (kind, seconds, ...).
    """

    key: str
    path: Path
    meta: Mapping[str, Any]

    def tensors(self, name: str) -> dict[str, np.ndarray]:
        """Arrays of ``<name>.safetensors`` by name; large ones are mapped, see ``tensors.py``.

        Raises:
            MissingArtifactError: the file is missing or damaged.
        """
        file = self.path / f"{name}.safetensors"
        try:
            return read_tensors(file)
        except (OSError, ValueError) as error:
            raise MissingArtifactError(f"{file} cannot be read ({error})") from None

    def json(self, name: str) -> Any:
        """The value in ``<name>.json``.

        Raises:
            MissingArtifactError: the file is missing or damaged.
        """
        file = self.path / f"{name}.json"
        try:
            return json.loads(file.read_text())
        except (OSError, ValueError) as error:
            raise MissingArtifactError(f"{file} cannot be read ({error})") from None

    def has(self, file: str) -> bool:
        """Whether the artifact holds that file (a bundled artifact may hold only some files)."""
        return file in self.meta["files"]


class Draft:
    """An artifact that is being written; see :meth:`ArtifactStore.write`."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def tensors(self, name: str, arrays: Mapping[str, np.ndarray]) -> None:
        """Write ``<name>.safetensors``."""
        contiguous = {key: np.ascontiguousarray(array) for key, array in arrays.items()}
        safetensors.numpy.save_file(contiguous, self.path / f"{name}.safetensors")

    def json(self, name: str, value: Any) -> None:
        """Write ``<name>.json``; NaN is refused."""
        (self.path / f"{name}.json").write_text(json.dumps(value, allow_nan=False))


class ArtifactStore:
    """Artifacts below one folder.

    Args:
        root: the store's folder; made at the first write.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._whole: set[str] = set()

    def path(self, key: str) -> Path:
        """The folder of the artifact with that key, which may not exist yet.

        Raises:
            StoreError: the text is not a key. Text from outside therefore never becomes a path.
        """
        if len(key) != 64 or not set(key) <= set("0123456789abcdef"):
            raise StoreError(f"an artifact's key is 64 hexadecimal digits, got {key[:80]!r}")
        return self.root / "artifacts" / key[:2] / key

    def has(self, key: str) -> bool:
        """Whether a complete artifact has that key. A damaged one is set aside first.

        The checksums are compared once per process and artifact, the sizes each time.
        """
        try:
            self.open(key)
        except MissingArtifactError:
            return False
        return True

    def lists(self, key: str) -> bool:
        """Whether an artifact has that key, without reading it: fast, and enough for an estimate."""
        return (self.path(key) / META).is_file()

    def open(self, key: str) -> Artifact:
        """The artifact with that key.

        Raises:
            MissingArtifactError: it is absent, or it was damaged and set aside.
        """
        folder = self.path(key)
        try:
            meta = json.loads((folder / META).read_text())
            files = {name: (size, digest) for name, (size, digest) in dict(meta["files"]).items()}
        except FileNotFoundError:
            raise MissingArtifactError(f"no artifact {key[:12]} in {self.root}") from None
        except (OSError, ValueError, KeyError, TypeError):
            self._set_aside(key)
            raise MissingArtifactError(f"artifact {key[:12]} was damaged and set aside") from None
        for name, (size, digest) in files.items():
            if not _matches(folder / name, size, None if key in self._whole else digest):
                self._set_aside(key)
                raise MissingArtifactError(f"artifact {key[:12]} was damaged and set aside")
        self._whole.add(key)
        return Artifact(key, folder, meta)

    @contextmanager
    def write(self, key: str, meta: Mapping[str, Any]) -> Iterator[Draft]:
        """A draft to write files into; it becomes the artifact if the block raises nothing.

        If another process has finished the same artifact by then, that one stays.

        Raises:
            StoreFullError: no space left; the draft is removed.
            StoreError: the store cannot be written to, or was removed meanwhile.
        """
        final = self.path(key)
        scratch: Path | None = None
        try:
            final.parent.mkdir(parents=True, exist_ok=True)
            drafts = self.root / DRAFTS
            drafts.mkdir(exist_ok=True)
            scratch = Path(tempfile.mkdtemp(prefix=f"{key[:12]}-", dir=drafts))
            yield Draft(scratch)
            files = {file.name: _describe(file) for file in sorted(scratch.iterdir())}
            text = json.dumps({**meta, "key": key, "files": files}, allow_nan=False)
            (scratch / META).write_text(text)
            _sync(scratch / META)
            self._rename(scratch, final)
        except (OSError, safetensors.SafetensorError) as error:
            if _is_full(error):
                raise StoreFullError(
                    f"no space left in {self.root}: free some, or choose another folder "
                    "with --store; finished steps are kept and the run resumes"
                ) from None
            if _is_refused(error):
                raise StoreError(
                    f"{self.root} cannot be written to: choose another --store"
                ) from None
            if scratch is not None and not scratch.exists():
                raise StoreError(
                    f"the store {self.root} was removed while a step was written to it: submit the "
                    "run again"
                ) from None
            raise
        finally:
            if scratch is not None:
                shutil.rmtree(scratch, ignore_errors=True)

    def _rename(self, scratch: Path, final: Path) -> None:
        try:
            os.rename(scratch, final)
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise
            # another process was first; its artifact is equal

    def _set_aside(self, key: str) -> None:
        """Move a damaged artifact to ``damaged``, where it can be inspected."""
        self._whole.discard(key)
        aside = self.root / "damaged"
        try:
            aside.mkdir(exist_ok=True)
            target = Path(tempfile.mkdtemp(prefix=f"{key[:12]}-", dir=aside))
            self._move(key, target)
        except OSError as error:
            raise StoreError(
                f"{self.path(key)} is damaged and cannot be moved away ({error.strerror}): close the "
                "programs that read it, see that you may write there, then try again"
            ) from None

    def _move(self, key: str, target: Path) -> None:
        """Move an artifact into a new folder, which goes again if there is nothing to move."""
        try:
            os.rename(self.path(key), target / key)
        except FileNotFoundError:
            shutil.rmtree(target, ignore_errors=True)
        except OSError:  # Windows moves no folder of which a file is in use
            shutil.rmtree(target, ignore_errors=True)
            raise


def _describe(file: Path) -> tuple[int, str]:
    """Size and SHA-256 of a file, after it was written to the disk."""
    _sync(file)
    return file.stat().st_size, _digest(file)


def _digest(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _matches(file: Path, size: int, digest: str | None) -> bool:
    try:
        return file.stat().st_size == size and (digest is None or _digest(file) == digest)
    except OSError:
        return False


def _sync(file: Path) -> None:
    descriptor = os.open(file, os.O_RDWR)  # Windows synchronises nothing that is open to read only
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _is_refused(error: Exception) -> bool:
    """Whether it is EACCES, EPERM or EROFS."""
    return isinstance(error, PermissionError) or getattr(error, "errno", None) == errno.EROFS


def _is_full(error: Exception) -> bool:
    """Whether it is ENOSPC, EDQUOT or EFBIG, also inside an error of safetensors."""
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return True
    return "No space left" in str(error) or "File too large" in str(error)
