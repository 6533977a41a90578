"""NumPy archives: features and labels as two arrays; pickled objects are refused."""

from __future__ import annotations

import math
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Literal

import numpy as np
from numpy.lib import format as npy
from PIL import Image

from prunepriv.datasets.base import Dataset
from prunepriv.datasets.guards import MOST_BYTES, check_memory, opened_zip
from prunepriv.datasets.own.features import assemble
from prunepriv.datasets.own.labels import Place, named, numbered
from prunepriv.datasets.own.pixels import side_of
from prunepriv.datasets.pictures import fit
from prunepriv.errors import DataError
from prunepriv.options import OWN
from prunepriv.progress import Report

PAIRS = (("x", "y"), ("X", "y"), ("features", "labels"), ("images", "labels"), ("data", "labels"))


def read(path: Path, source: str, label_column: str | None, report: Report) -> Dataset:
    """Read the arrays x and y (or features and labels, images and labels).

    x is (n, features) of numbers, or pictures of uint8: (n, height, width), (n, height, width, 1 or
    3) or (n, 1 or 3, height, width).

    Raises:
        DataError: other arrays, shapes or types, or objects that would have to be unpickled.
    """
    if label_column is not None:
        raise DataError(
            f"{source} has no columns, because its labels are an array: leave the column out"
        )
    with opened_zip(path, source) as archive:
        names = {Path(name).stem: name for name in archive.namelist() if name.endswith(".npy")}
        pair = next(((a, b) for a, b in PAIRS if a in names and b in names), None)
        if pair is None:
            raise DataError(
                f"{source} must hold the arrays x and y, or features and labels; it holds "
                f"{', '.join(sorted(names)[:8]) or 'none'}"
            )
        report(0.0, f"reading {source}")
        x, y = (_array(archive, names[name], f"{source}, array {name}") for name in pair)
    if x.ndim < 2 or y.shape != x.shape[:1] or not len(y):
        raise DataError(
            f"{source} must hold one label per record, got {pair[0]} of shape {x.shape} and "
            f"{pair[1]} of shape {y.shape}"
        )
    return _dataset(x, y, source)


def _array(archive: zipfile.ZipFile, member: str, where: str) -> np.ndarray:
    """Read an array; its header is compared with its size before memory is used."""
    with archive.open(member) as stream:
        shape, dtype = _header(stream, where)
    if dtype.hasobject:
        raise DataError(f"{where} holds pickled objects, which are never read: save plain numbers")
    size = math.prod(shape) * dtype.itemsize
    if size > MOST_BYTES or size > archive.getinfo(member).file_size:
        raise DataError(f"{where} of shape {shape} and type {dtype} is incomplete or too large")
    with archive.open(member) as stream:
        return npy.read_array(stream, allow_pickle=False)


def _header(stream: IO[bytes], where: str) -> tuple[tuple[int, ...], np.dtype]:
    try:
        version = npy.read_magic(stream)
        read_ = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        shape, _, dtype = read_(stream)
    except ValueError as error:
        raise DataError(f"{where} is not an array that NumPy wrote ({error})") from None
    return shape, dtype


def _dataset(x: np.ndarray, y: np.ndarray, source: str) -> Dataset:
    def place(row: int) -> str:
        return f"{source}, record {row} (counted from 0)"

    labels, names = named(y.tolist(), place) if y.dtype.kind == "U" else numbered(y, place)
    kind: Literal["tabular", "image"] = "tabular" if x.ndim == 2 else "image"
    records = _table(x, place, source) if kind == "tabular" else _pictures(x, source)
    return Dataset(
        name=OWN, kind=kind, x=records, y=labels, classes=len(names), class_names=names
    )  # fmt: skip


def _table(x: np.ndarray, place: Place, source: str) -> np.ndarray:
    if x.dtype.kind not in "biuf" or not x.shape[1]:
        raise DataError(f"{source}: features must be numbers, got {x.dtype} of shape {x.shape}")

    def columns() -> Iterator[np.ndarray]:
        yield from x.T

    return assemble(columns, [str(number) for number in range(x.shape[1])], len(x), place, source)


def _pictures(x: np.ndarray, source: str) -> np.ndarray:
    """Channels first; resized like other pictures."""
    first = x[:, None] if x.ndim == 3 else x
    if first.ndim == 4 and first.shape[1] not in (1, 3) and first.shape[3] in (1, 3):
        first = first.transpose(0, 3, 1, 2)
    if x.dtype != np.uint8 or first.ndim != 4 or first.shape[1] not in (1, 3) or 0 in x.shape:
        raise DataError(
            f"{source}: pictures must be uint8 of shape (n, height, width), (n, height, width, 3) "
            f"or (n, 3, height, width), got {x.dtype} of shape {x.shape}"
        )
    height, width = first.shape[2:]
    side = side_of({(width, height)})
    if (height, width) == (side, side):
        return np.ascontiguousarray(first)
    check_memory((len(first), first.shape[1], side, side), 1, source)
    return np.stack([fit(_image(picture), side) for picture in first])


def _image(picture: np.ndarray) -> Image.Image:
    """From (1 or 3, height, width)."""
    flat = picture[0] if len(picture) == 1 else picture.transpose(1, 2, 0)
    return Image.fromarray(np.ascontiguousarray(flat))
