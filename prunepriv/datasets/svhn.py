"""SVHN, house numbers cropped to single digits, from its two MATLAB files.

Y. Netzer et al., Reading Digits in Natural Images with Unsupervised Feature Learning, 2011. The
files have the MATLAB 5 format, which holds arrays and no code. Label 10 stands for the digit 0.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from prunepriv.datasets.archives import Published
from prunepriv.datasets.base import Records
from prunepriv.datasets.download import fetch_all
from prunepriv.errors import ArchiveError
from prunepriv.progress import Report, portion, silent

DOWNLOADED = 0.9
MOST_RECORDS = 100_000
"""Most records of one file; the larger file holds 73,257."""
UNREADABLE = (
    OSError, EOFError, ValueError, TypeError, KeyError, IndexError, NotImplementedError, zlib.error,
)  # fmt: skip
"""What scipy raises for damaged or wrong files, in addition to its own MatReadError."""


def read(published: Published, folder: Path, report: Report = silent) -> Records:
    """All records, training and test file merged: x uint8 (99289, 3, 32, 32), y int64 (99289,).

    Raises:
        ArchiveError: a file is not what it should be.
        DataError: a file is not on this machine and cannot be downloaded.
    """
    paths = fetch_all(published.files, folder, portion(report, 0.0, DOWNLOADED))
    x = np.empty((published.records, 3, 32, 32), dtype=np.uint8)
    y = np.empty(published.records, dtype=np.int64)
    done = 0
    for path in paths:
        report(DOWNLOADED, f"reading {path.name}")
        pictures, labels = _file(path)
        count = len(labels)
        if done + count <= published.records:
            x[done : done + count] = pictures.transpose(3, 2, 0, 1)
            y[done : done + count] = labels % 10
        done += count
        del pictures
    if done != published.records:
        names = " and ".join(path.name for path in paths)
        raise ArchiveError(
            f"{names} hold {done:,} records, and {published.records:,} were expected"
        )
    return x, y


def _file(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """uint8 (32, 32, 3, n): row, column, colour, record; and labels int64 (n,) of 1 to 10."""
    import scipy.io  # noqa: PLC0415 - slow to import, rarely needed

    try:
        _check_shapes({name: shape for name, shape, _ in scipy.io.whosmat(path)}, path)
        content = scipy.io.loadmat(path, variable_names=("X", "y"))
        pictures, labels = content["X"], content["y"].ravel().astype(np.int64)
    except (scipy.io.matlab.MatReadError, *UNREADABLE) as error:
        raise ArchiveError(f"{path} is not a MATLAB file of X and y ({error})") from None
    if pictures.dtype != np.uint8:
        raise ArchiveError(f"{path}: expected X of uint8, got {pictures.dtype}")
    wrong = (labels < 1) | (labels > 10)
    if wrong.any():
        row = int(wrong.argmax())
        raise ArchiveError(
            f"{path}, record {row + 1:,}: expected a label of 1 to 10, got {labels[row]}"
        )
    return pictures, labels


def _check_shapes(shapes: Mapping[str, tuple[int, ...]], path: Path) -> None:
    """Check the shapes in the file's headers before anything is unpacked."""
    pictures, labels = shapes.get("X", ()), shapes.get("y", ())
    count = pictures[-1] if pictures else 0
    if pictures != (32, 32, 3, count) or labels != (count, 1) or count > MOST_RECORDS:
        raise ArchiveError(
            f"{path} must hold X (32, 32, 3, records) and y (records, 1), {MOST_RECORDS:,} at "
            f"most, got X {pictures} and y {labels}"
        )
