"""Small files in the official formats of the data sets that are downloaded.

The loaders accept them while their tables say so::

    with official_files(("svhn", "location"), folder, 600, np.random.default_rng(0)):
        load("svhn", {}, folder)
"""

from __future__ import annotations

import io
import tarfile
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.io
from PIL import Image

from prunepriv.datasets import tabular
from prunepriv.datasets.archives import ARCHIVES, Published
from prunepriv.datasets.chmnist import CLASSES, TOP
from prunepriv.datasets.download import Archive, digest
from prunepriv.datasets.registry import LOADERS
from prunepriv.options import DATASETS

TILE = 150


@dataclass(frozen=True, eq=False)
class Official:
    """Files by name, and the records that they hold.

    Attributes:
        files: their content.
        x: (n, ...) uint8, the records; of CHMNIST before they are resized.
        y: (n,) int64.
    """

    files: dict[str, bytes]
    x: np.ndarray
    y: np.ndarray


@contextmanager
def official_files(
    names: Iterable[str], folder: Path, records: int, rng: np.random.Generator
) -> Iterator[None]:
    """Small files of these data sets lie in the folder, and are what their loaders expect."""
    with pytest.MonkeyPatch.context() as patch:
        for name in names:
            write_official(name, folder, records, rng)
            accept(name, folder, records, patch)
        yield


def write_official(name: str, folder: Path, records: int, rng: np.random.Generator) -> None:
    """Write a data set's files with so many records into a folder; all classes occur if they can."""
    if name in ("purchase", "texas"):
        from tests import official_tables

        getattr(official_tables, f"write_{name}")(folder, records, rng)
        return
    for file, content in make_official(name, records, rng).files.items():
        (folder / file).write_bytes(content)


def accept(name: str, folder: Path, records: int, patch: pytest.MonkeyPatch) -> None:
    """Make the data set's loader expect the files in the folder instead of the real ones."""
    if name in ARCHIVES:
        files = tuple(known(archive, folder) for archive in ARCHIVES[name].files)
        patch.setitem(ARCHIVES, name, Published(files, records))
        return
    read = getattr(tabular, name)
    expected: dict[str, Any] = (
        {"archive": known(tabular.LOCATION, folder)} if name == "location" else {"records": records}
    )
    patch.setitem(LOADERS, name, lambda knobs, at, report: read(at, report, **expected))


def known(archive: Archive, folder: Path) -> Archive:
    """The archive, if the file in the folder were the real one."""
    path = folder / archive.file
    return replace(archive, digest=digest(path, archive.algorithm), size=path.stat().st_size)


def make_official(name: str, records: int, rng: np.random.Generator) -> Official:
    """The same, not written anywhere."""
    option = DATASETS[name]
    y = rng.permutation(np.arange(records) % option.classes)
    if option.kind == "tabular":
        x = rng.integers(0, 2, (records, *option.shape), dtype=np.uint8)
    elif name == "chmnist":
        y = np.sort(y)
        blocks = rng.integers(0, 256, (records, 3, 5, 5), dtype=np.uint8)
        x = blocks.repeat(TILE // 5, axis=2).repeat(TILE // 5, axis=3)
    else:
        x = rng.integers(0, 256, (records, *option.shape), dtype=np.uint8)
    return Official(_WRITERS[name](x, y), x, y)


def tgz(members: dict[str, bytes]) -> bytes:
    """A gzipped tar archive of regular files."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz", compresslevel=1) as archive:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return packed.getvalue()


def _location(x: np.ndarray, y: np.ndarray) -> dict[str, bytes]:
    lines = [
        f'"{label + 1}",{",".join(map(str, row))}\n'
        for label, row in zip(y, x.tolist(), strict=True)
    ]
    return {"dataset_location.tgz": tgz({"bangkok": "".join(lines).encode()})}


def _cifar10(x: np.ndarray, y: np.ndarray) -> dict[str, bytes]:
    table = np.concatenate([y[:, None].astype(np.uint8), x.reshape(len(x), -1)], axis=1)
    parts = np.array_split(table, 6)
    members = {
        f"cifar-10-batches-bin/data_batch_{number}.bin": part.tobytes()
        for number, part in enumerate(parts[:5], start=1)
    }
    # as in the real one: in no order, and with files that nobody reads
    packed = {
        "cifar-10-batches-bin/batches.meta.txt": b"airplane\n",
        "cifar-10-batches-bin/test_batch.bin": parts[5].tobytes(),
        **dict(reversed(members.items())),
        "cifar-10-batches-bin/readme.html": b"<html>",
    }
    return {"cifar-10-binary.tar.gz": tgz(packed)}


def _cifar100(x: np.ndarray, y: np.ndarray) -> dict[str, bytes]:
    labels = np.stack([y // 5, y], axis=1).astype(np.uint8)  # coarse, fine
    table = np.concatenate([labels, x.reshape(len(x), -1)], axis=1)
    cut = len(table) * 5 // 6
    members = {
        "cifar-100-binary/fine_label_names.txt": b"apple\n",
        "cifar-100-binary/test.bin": table[cut:].tobytes(),
        "cifar-100-binary/train.bin": table[:cut].tobytes(),
    }
    return {"cifar-100-binary.tar.gz": tgz(members)}


def mat(x: np.ndarray, y: np.ndarray) -> bytes:
    """A MATLAB file as SVHN's: X (row, column, colour, record), y with 10 for the digit 0."""
    file = io.BytesIO()
    labels = np.where(y == 0, 10, y).astype(np.uint8)[:, None]
    scipy.io.savemat(file, {"X": x.transpose(2, 3, 1, 0), "y": labels}, do_compression=True)
    return file.getvalue()


def _svhn(x: np.ndarray, y: np.ndarray) -> dict[str, bytes]:
    cut = len(x) * 3 // 4
    return {"train_32x32.mat": mat(x[:cut], y[:cut]), "test_32x32.mat": mat(x[cut:], y[cut:])}


def _chmnist(x: np.ndarray, y: np.ndarray) -> dict[str, bytes]:
    members = {
        f"{TOP}/{CLASSES[label]}/{number:05}_CRC-Prim-HE-01.tif": tiff(tile)
        for number, (tile, label) in enumerate(zip(x, y, strict=True))
    }
    return {"Kather_texture_2016_image_tiles_5000.zip": packed_zip(members)}


def tiff(tile: np.ndarray) -> bytes:
    """(3, height, width)."""
    file = io.BytesIO()
    Image.fromarray(tile.transpose(1, 2, 0)).save(file, "TIFF")
    return file.getvalue()


def packed_zip(members: dict[str, bytes]) -> bytes:
    """A zip archive of these files."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


_WRITERS: dict[str, Callable[[np.ndarray, np.ndarray], dict[str, bytes]]] = {
    "location": _location,
    "cifar10": _cifar10,
    "cifar100": _cifar100,
    "svhn": _svhn,
    "chmnist": _chmnist,
}
