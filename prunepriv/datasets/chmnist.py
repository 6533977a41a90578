"""CHMNIST: tiles of colorectal tissue, from a zip archive of one folder per class.

J. N. Kather et al., Multi-class texture analysis in colorectal cancer histology, 2016; Zenodo
record 53169. Each tile is a TIFF of 150x150 pixels, resized to 32x32 by Pillow's bilinear filter,
which averages. The archive holds 8 classes; the paper's text says 10.
"""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from zipfile import ZipFile

import numpy as np

from prunepriv.datasets.archives import Published
from prunepriv.datasets.base import Records
from prunepriv.datasets.download import fetch_all
from prunepriv.datasets.guards import opened_zip
from prunepriv.datasets.pictures import decode
from prunepriv.errors import ArchiveError
from prunepriv.progress import Report, portion, silent

TOP = "Kather_texture_2016_image_tiles_5000"
CLASSES = (
    "01_TUMOR", "02_STROMA", "03_COMPLEX", "04_LYMPHO",
    "05_DEBRIS", "06_MUCOSA", "07_ADIPOSE", "08_EMPTY",
)  # fmt: skip
SIDE = 32
DOWNLOADED = 0.7
EVERY = 100
LARGEST_TILE = 1 << 20
"""Most bytes of one file."""


def read(published: Published, folder: Path, report: Report = silent) -> Records:
    """All tiles, sorted by class and name: x uint8 (5000, 3, 32, 32), y int64 (5000,) of 0 to 7.

    Raises:
        ArchiveError: the file is not the archive it should be.
        DataError: it is not on this machine and cannot be downloaded, or a tile is not a picture.
    """
    (path,) = fetch_all(published.files, folder, portion(report, 0.0, DOWNLOADED))
    progress = portion(report, DOWNLOADED, 1.0)
    with opened_zip(path, str(path)) as archive:
        tiles = _tiles(archive, path)
        if len(tiles) != published.records:
            raise ArchiveError(
                f"{path} holds {len(tiles):,} tiles, and {published.records:,} were expected"
            )
        x = np.empty((len(tiles), 3, SIDE, SIDE), dtype=np.uint8)
        for number, (_, name) in enumerate(tiles):
            if number % EVERY == 0:
                progress(number / len(tiles), f"reading tiles: {number:,} of {len(tiles):,}")
            where = f"{path}, member {name[:160]!r}"
            x[number] = decode(_content(archive, name, where), SIDE, where)
    return x, np.array([label for label, _ in tiles], dtype=np.int64)


def _tiles(archive: ZipFile, path: Path) -> list[tuple[int, str]]:
    """(class, name) of every TIFF in the archive, sorted; other files are ignored."""
    tiles = []
    for name in archive.namelist():
        where = PurePosixPath(name)
        if where.suffix.lower() not in (".tif", ".tiff"):
            continue
        kind = where.parent.name
        if where.parent.parent.as_posix() != TOP or kind not in CLASSES:
            raise ArchiveError(
                f"{path}, member {name[:160]!r}: expected tiles in {TOP}/{CLASSES[0]} to "
                f"{CLASSES[-1]}"
            )
        tiles.append((CLASSES.index(kind), name))
    return sorted(tiles)


def _content(archive: ZipFile, name: str, where: str) -> bytes:
    with archive.open(name) as stream:
        content = stream.read(LARGEST_TILE + 1)
    if len(content) > LARGEST_TILE:
        raise ArchiveError(f"{where} has more than {LARGEST_TILE:,} bytes: it is not a tile")
    return content
