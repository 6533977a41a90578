"""Pictures in one folder per class, on disk or in a zip archive."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from prunepriv.datasets.base import Dataset
from prunepriv.datasets.guards import opened_zip
from prunepriv.datasets.own.labels import named
from prunepriv.datasets.own.pixels import Pictures, stack
from prunepriv.errors import DataError
from prunepriv.options import OWN
from prunepriv.progress import Report

ENDINGS = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".ppm"})
MOST_PICTURE_BYTES = 50_000_000
"""Largest size of one encoded picture."""


def read_folder(path: Path, source: str, label_column: str | None, report: Report) -> Dataset:
    """Read the pictures below a folder; the class of a picture is the folder that holds it.

    Raises:
        DataError: no pictures, one outside a sub-folder, or one that cannot be read.
    """
    _no_columns(label_column, source)
    names = _pictures(
        (file.relative_to(path).as_posix() for file in path.rglob("*") if file.is_file()), source
    )

    def pictures() -> Iterator[tuple[str, bytes]]:
        for name in names:
            with (path / name).open("rb") as stream:
                yield f"{source}: {name}", _limited(stream.read(MOST_PICTURE_BYTES + 1), name)

    return _dataset(names, pictures, source, report)


def read_zip(path: Path, source: str, label_column: str | None, report: Report) -> Dataset:
    """Read the pictures in a zip archive; the class of a picture is the folder that holds it.

    Raises:
        DataError: as :func:`read_folder`, or an archive that is not safe to read.
    """
    _no_columns(label_column, source)
    with opened_zip(path, source) as archive:
        names = _pictures((m.filename for m in archive.infolist() if not m.is_dir()), source)
        return _dataset(names, _members(archive, names, source), source, report)


def _members(archive: zipfile.ZipFile, names: Sequence[str], source: str) -> Pictures:
    def pictures() -> Iterator[tuple[str, bytes]]:
        for name in names:
            with archive.open(name) as stream:
                yield f"{source}: {name}", _limited(stream.read(MOST_PICTURE_BYTES + 1), name)

    return pictures


def _limited(data: bytes, name: str) -> bytes:
    if len(data) > MOST_PICTURE_BYTES:
        raise DataError(
            f"{name} has more than {MOST_PICTURE_BYTES // 10**6} MB: use smaller pictures"
        )
    return data


def _pictures(names: Iterator[str], source: str) -> list[str]:
    """Names of the pictures, sorted; hidden files are left out."""
    found = sorted(
        name
        for name in names
        if PurePosixPath(name).suffix.lower() in ENDINGS
        and not any(part.startswith((".", "__MACOSX")) for part in PurePosixPath(name).parts)
    )
    if not found:
        raise DataError(f"{source} holds no pictures: expected one folder of pictures per class")
    for name in found:
        if len(PurePosixPath(name).parts) < 2:
            raise DataError(
                f"{source}: {name} is in no folder: put the pictures of each class into a "
                "folder with the name of the class"
            )
    return found


def _dataset(names: Sequence[str], pictures: Pictures, source: str, report: Report) -> Dataset:
    y, classes = named(
        [PurePosixPath(name).parent.name for name in names], lambda row: f"{source}: {names[row]}"
    )
    x = stack(pictures, len(names), source, report)
    return Dataset(name=OWN, kind="image", x=x, y=y, classes=len(classes), class_names=classes)


def _no_columns(label_column: str | None, source: str) -> None:
    if label_column is not None:
        raise DataError(
            f"{source} has no columns, because its folders are the classes: leave the label column out"
        )
