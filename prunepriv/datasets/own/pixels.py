"""Encoded pictures, one after the other, into one array."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable, Iterator

import numpy as np
from PIL import Image

from prunepriv.datasets.own.guards import check_memory
from prunepriv.errors import DataError
from prunepriv.progress import Report

MOST_PIXELS = 50_000_000
"""Of one picture: it is looked up in the header, before anything is decoded."""
Image.MAX_IMAGE_PIXELS = MOST_PIXELS
SIDE, SMALLEST_SIDE, LARGEST_SIDE = 32, 8, 64
ENCODINGS = ("PNG", "JPEG", "BMP", "GIF", "TIFF", "WEBP", "PPM")
GREY = frozenset({"1", "L", "LA", "I;16"})
EVERY = 500

DAMAGED = (OSError, SyntaxError, ValueError, EOFError, struct.error, zlib.error)
BOMB = (Image.DecompressionBombError, Image.DecompressionBombWarning)

Pictures = Callable[[], Iterator[tuple[str, bytes]]]
"""Goes through all pictures from the first one: where each stands, and its encoded bytes."""


def stack(pictures: Pictures, count: int, source: str, report: Report) -> np.ndarray:
    """All pictures: uint8 (count, 1 or 3, side, side).

    Two passes: the first reads headers only and settles side and channels, so that the second
    writes each picture to its final place.

    Raises:
        DataError: a picture that cannot be decoded, or has too many pixels.
    """
    sizes, grey = set(), True
    for number, (where, data) in enumerate(pictures()):
        with _open(data, where) as image:
            sizes.add(image.size)
            grey = grey and image.mode in GREY
        _tell(report, number, count, 0.0, "looking at pictures")
    side = side_of(sizes)
    channels = 1 if grey else 3
    check_memory((count, channels, side, side), 1, source)
    x = np.empty((count, channels, side, side), dtype=np.uint8)
    for number, (where, data) in enumerate(pictures()):
        x[number] = decode(data, side, channels, where)
        _tell(report, number, count, 0.2, "reading pictures")
    return x


def side_of(sizes: set[tuple[int, int]]) -> int:
    """Pixels a side that all pictures get, given the sizes that occur."""
    width, height = next(iter(sizes))
    alike = len(sizes) == 1 and width == height and SMALLEST_SIDE <= width <= LARGEST_SIDE
    return width if alike else SIDE


def decode(data: bytes, side: int, channels: int, where: str) -> np.ndarray:
    """A picture, resized if it must be: uint8 (channels, side, side).

    Raises:
        DataError: it cannot be decoded, or has too many pixels.
    """
    with _open(data, where) as image:
        try:
            fitted = image.convert("L" if channels == 1 else "RGB")
        except DAMAGED as error:
            raise DataError(f"{where} is a damaged picture ({error})") from None
    return fit(fitted, side)


def fit(image: Image.Image, side: int) -> np.ndarray:
    """A grey or colour picture as uint8 (1 or 3, side, side)."""
    if image.size != (side, side):
        image = image.resize((side, side), Image.Resampling.BILINEAR)
    return np.atleast_3d(np.asarray(image)).transpose(2, 0, 1)


def _open(data: bytes, where: str) -> Image.Image:
    """The picture, its header read and its pixels not."""
    try:
        image = Image.open(io.BytesIO(data), formats=ENCODINGS)
    except BOMB:
        raise DataError(f"{where} has more than {MOST_PIXELS // 10**6} million pixels") from None
    except DAMAGED:
        known = ", ".join(ENCODINGS)
        raise DataError(f"{where} is no picture that can be read: expected {known}") from None
    if image.width * image.height > MOST_PIXELS:
        raise DataError(f"{where} has more than {MOST_PIXELS // 10**6} million pixels")
    return image


def _tell(report: Report, number: int, count: int, begun: float, doing: str) -> None:
    if number % EVERY == 0:
        share = 0.2 if begun == 0 else 0.8
        report(begun + share * number / count, f"{doing}: {number:,} of {count:,}")
