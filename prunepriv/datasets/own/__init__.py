"""Data sets that users bring: a file or a folder, read into labelled records.

A file comes from anywhere: nothing in it is unpickled, unpacked to disk or followed as a link, and
what is too large is refused before it is read.
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
"""Reads a path, given what to call it in messages, the label column and whom to report to."""

FORMATS: Mapping[str, Reader] = {
    "csv": tables.read_csv,
    "parquet": tables.read_parquet,
    "zip": folders.read_zip,
    "npz": npz.read,
}
"""Endings of files; a folder is read as pictures, one sub-folder per class."""


def read(
    path: Path, report: Report = silent, *, label_column: str | None = None, source: str = ""
) -> Dataset:
    """All records of a file or folder, in its own order (pictures: by name).

    Args:
        path: a ``.csv``, ``.parquet``, ``.zip`` or ``.npz`` file, or a folder of pictures.
        report: hears how far it is.
        label_column: name of the label's column; looked for if left out.
        source: what to call it in messages; the path's own name if left out.

    Returns:
        A data set named "own". Features that are all 0 or 1 are kept as uint8; other numbers are
        standardised, column by column over all records, to mean 0 and deviation 1 (a constant column
        becomes 0), as float32. Pictures keep their size if all are alike, square and of 8 to 64
        pixels a side, else they are resized to 32x32; they are grey only if all are.

    Raises:
        DataError: anything in it that cannot be used, in one sentence that names the place.
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
        raise DataError(f"{source} does not fit into memory: bring fewer records") from None
    if len(data.y) < SMALLEST:
        raise DataError(
            f"{source} holds {len(data.y)} records, and a split needs {SMALLEST} at least"
        )
    return data


def _reader(path: Path, source: str) -> Reader:
    if path.is_dir():
        return folders.read_folder
    if not path.exists():
        raise DataError(f"{source} is not there: name a file or a folder")
    ending = path.suffix.removeprefix(".").lower()
    if ending not in FORMATS:
        known = ", ".join(f".{name}" for name in FORMATS)
        raise DataError(
            f"{source} is of no kind that can be read: expected {known} or a folder of pictures, "
            "one sub-folder per class"
        )
    return FORMATS[ending]
