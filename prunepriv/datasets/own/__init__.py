"""Users' own data sets: a file or a folder, read into labelled records.

A file may come from anywhere. So nothing in it is unpickled or unpacked to disk, no link is
followed, and a file that is too large is refused before it is read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from prunepriv.datasets.base import Dataset
from prunepriv.datasets.guards import check_size, unchanged
from prunepriv.datasets.own import folders, npz, tables
from prunepriv.datasets.splits import SMALLEST
from prunepriv.errors import DataError
from prunepriv.progress import Report, silent

__all__ = ["FORMATS", "read"]

Reader = Callable[[Path, str, str | None, Report], Dataset]
"""Reads a path; takes also its name for messages, the label column and a progress report."""

FORMATS: Mapping[str, Reader] = {
    "csv": tables.read_csv,
    "parquet": tables.read_parquet,
    "zip": folders.read_zip,
    "npz": npz.read,
}
"""Readers by a file's ending; a folder is read as pictures, one sub-folder per class."""


def read(
    path: Path, report: Report = silent, *, label_column: str | None = None, source: str = ""
) -> Dataset:
    """Read all records of a file or folder, in the order of the file (pictures: by name).

    Args:
        path: a ``.csv``, ``.parquet``, ``.zip`` or ``.npz`` file, or a folder of pictures.
        report: receives the progress.
        label_column: name of the label column; None: one of the usual names.
        source: name of the file for messages; empty: the path's own name.

    Returns:
        A data set named "own". If all features are 0 or 1, they stay uint8. If not, each column is
        standardised over all records to mean 0 and standard deviation 1 (a constant column becomes
        0), as float32. Pictures keep their size if all have the same one, square and of 8 to 64
        pixels a side; if not, they are resized to 32x32. They are grey only if all are grey.

    Raises:
        DataError: something in it cannot be used; one sentence names the place.
    """
    source = source or path.name
    reader = _reader(path, source)
    check_size(path, source)
    try:
        with unchanged(path, source):
            data = reader(path, source, label_column, report)
    except OSError as error:
        reason = error.strerror or str(error).partition("\n")[0]
        raise DataError(f"{source} cannot be read ({reason})") from None
    except MemoryError:
        raise DataError(f"{source} does not fit into memory: use fewer records") from None
    if len(data.y) < SMALLEST:
        raise DataError(
            f"{source} holds {len(data.y)} records, but a split needs at least {SMALLEST}"
        )
    return data


def _reader(path: Path, source: str) -> Reader:
    if path.is_dir():
        return folders.read_folder
    if not path.exists():
        raise DataError(f"{source} is not there: give the path of a file or a folder")
    ending = path.suffix.removeprefix(".").lower()
    if ending not in FORMATS:
        known = ", ".join(f".{name}" for name in FORMATS)
        raise DataError(
            f"{source} has a format that cannot be read: expected {known} or a folder of pictures, "
            "one sub-folder per class"
        )
    return FORMATS[ending]
