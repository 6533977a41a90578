"""Small files in the official formats of the data sets that are downloaded.

``write_official`` writes them into a folder and returns their description. The loaders read them
when the description is in their table::

    monkeypatch.setitem(ARCHIVES, name, write_official(name, folder, 600, rng))
"""

from __future__ import annotations

import hashlib
import io
import tarfile
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import scipy.io
from PIL import Image

from prunepriv.datasets.archives import ARCHIVES, Published
from prunepriv.datasets.chmnist import CLASSES, TOP
from prunepriv.datasets.download import Archive
from prunepriv.options import DATASETS

TILE = 150


@dataclass(frozen=True, eq=False)
class Official:
    """Files by name, and the records that they hold.

    Attributes:
        files: their content.
        x: (n, ...) uint8, the records; for CHMNIST before they are resized.
        y: (n,) int64.
    """

    files: dict[str, bytes]
    x: np.ndarray
    y: np.ndarray


@contextmanager
def official_files(
    names: Iterable[str], folder: Path, records: int, rng: np.random.Generator
) -> Iterator[None]:
    """The folder holds small files of these data sets, and their loaders expect them."""
    with pytest.MonkeyPatch.context() as patch:
        for name in names:
            patch.setitem(ARCHIVES, name, write_official(name, folder, records, rng))
        yield


def write_official(name: str, folder: Path, records: int, rng: np.random.Generator) -> Published:
    """Write a data set's files with so many records into a folder; every class occurs."""
    made = make_official(name, records, rng)
    for file, content in made.files.items():
        (folder / file).write_bytes(content)
    return describe(name, made)


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


def known(archive: Archive, folder: Path) -> Archive:
    """The archive, if the file in the folder were the real one."""
    content = (folder / archive.file).read_bytes()
    return replace(archive, digest=hashlib.sha256(content).hexdigest(), size=len(content))


def describe(name: str, made: Official) -> Published:
    """What the table of archives would say of these files."""
    files = tuple(
        archive
        if not archive.digest
        else replace(
            archive,
            digest=hashlib.sha256(made.files[archive.file]).hexdigest(),
            size=len(made.files[archive.file]),
        )
        for archive in ARCHIVES[name].files
    )
    return Published(files, len(made.y))


def tgz(members: dict[str, bytes]) -> bytes:
    """A gzipped tar archive of regular files."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz", compresslevel=1) as archive:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return packed.getvalue()


def features_text(x: np.ndarray) -> list[str]:
    """A line of ``0,1,...`` for each record."""
    return [",".join(map(str, row)) for row in x.tolist()]


def _lines(lines: list[str]) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode()


def _location(x: np.ndarray, y: np.ndarray) -> dict[str, bytes]:
    lines = [f'"{label + 1}",{row}' for label, row in zip(y, features_text(x), strict=True)]
    return {"dataset_location.tgz": tgz({"bangkok": _lines(lines)})}


def _purchase(x: np.ndarray, y: np.ndarray) -> dict[str, bytes]:
    lines = [f"{label + 1},{row}" for label, row in zip(y, features_text(x), strict=True)]
    return {"dataset_purchase.tgz": tgz({"dataset_purchase": _lines(lines)})}


def _texas(x: np.ndarray, y: np.ndarray) -> dict[str, bytes]:
    members = {
        "texas/100/feats": _lines(features_text(x)),
        "texas/100/labels": _lines([str(label + 1) for label in y]),
    }
    return {"dataset_texas.tgz": tgz(members)}


def _cifar10(x: np.ndarray, y: np.ndarray) -> dict[str, bytes]:
    table = np.concatenate([y[:, None].astype(np.uint8), x.reshape(len(x), -1)], axis=1)
    parts = np.array_split(table, 6)
    members = {
        f"cifar-10-batches-bin/data_batch_{number}.bin": part.tobytes()
        for number, part in enumerate(parts[:5], start=1)
    }
    # as in the real one: not in order, and with files that are not read
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
    "purchase": _purchase,
    "texas": _texas,
    "cifar10": _cifar10,
    "cifar100": _cifar100,
    "svhn": _svhn,
    "chmnist": _chmnist,
}
