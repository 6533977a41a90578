"""CIFAR-10 and CIFAR-100 in their binary versions, because the Python versions hold pickles.

A. Krizhevsky, Learning Multiple Layers of Features from Tiny Images, 2009. A record is one byte for
the label (in CIFAR-100 two: first coarse, then fine), then 3 x 32 x 32 bytes: red, green and blue.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np

from prunepriv.datasets.archives import Published
from prunepriv.datasets.base import Records
from prunepriv.datasets.download import fetch_all
from prunepriv.datasets.unpack import read_tar
from prunepriv.errors import ArchiveError
from prunepriv.progress import Report, portion, silent

SHAPE = (3, 32, 32)
PIXELS = 3 * 32 * 32
DOWNLOADED = 0.9
LARGEST_UNPACKED = 256 << 20
"""Most bytes when unpacked; the real archives unpack to 184 MB."""


@dataclass(frozen=True, slots=True)
class Layout:
    """How the files of an archive are laid out.

    Attributes:
        folder: the folder that holds the files.
        files: training files, then the test file.
        labels: number of classes of each label byte; the last one is the label that models learn.
    """

    folder: str
    files: tuple[str, ...]
    labels: tuple[int, ...]


CIFAR10 = Layout(
    "cifar-10-batches-bin",
    (*(f"data_batch_{number}.bin" for number in range(1, 6)), "test_batch.bin"),
    (10,),
)
CIFAR100 = Layout("cifar-100-binary", ("train.bin", "test.bin"), (20, 100))


def read(layout: Layout, published: Published, folder: Path, report: Report = silent) -> Records:
    """All records, training and test files merged: x uint8 (60000, 3, 32, 32), y int64 (60000,).

    Raises:
        ArchiveError: the file is not the archive it should be.
        DataError: it is not on this machine and cannot be downloaded.
    """
    (path,) = fetch_all(published.files, folder, portion(report, 0.0, DOWNLOADED))
    report(DOWNLOADED, f"reading {path.name}")
    names = [f"{layout.folder}/{file}" for file in layout.files]
    contents = read_tar(path, dict.fromkeys(names, _whole), LARGEST_UNPACKED)
    tables = [_table(contents[name], layout, f"{path.name}/{name}") for name in names]
    count = sum(len(table) for table in tables)
    if count != published.records:
        raise ArchiveError(
            f"{path} holds {count:,} records, and {published.records:,} were expected"
        )
    x, y = np.empty((count, *SHAPE), dtype=np.uint8), np.empty(count, dtype=np.int64)
    done, used = 0, len(layout.labels)
    for table in tables:
        rows = slice(done, done + len(table))
        x[rows] = table[:, used:].reshape(-1, *SHAPE)
        y[rows] = table[:, used - 1]
        done += len(table)
    return x, y


def _whole(stream: IO[bytes]) -> bytes:
    return stream.read()


def _table(content: bytes, layout: Layout, where: str) -> np.ndarray:
    """The records of a file, one per row; their labels are checked."""
    width = len(layout.labels) + PIXELS
    if len(content) % width:
        raise ArchiveError(
            f"{where} must hold records of {width:,} bytes, got {len(content):,} bytes"
        )
    table = np.frombuffer(content, dtype=np.uint8).reshape(-1, width)
    for column, classes in enumerate(layout.labels):
        wrong = table[:, column] >= classes
        if wrong.any():
            row = int(wrong.argmax())
            raise ArchiveError(
                f"{where}, record {row + 1:,}: expected a label below {classes}, "
                f"got {table[row, column]}"
            )
    return table
