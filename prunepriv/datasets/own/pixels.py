"""Decode pictures, one after the other, into one array."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from prunepriv.datasets.guards import check_memory
from prunepriv.datasets.pictures import decode, open_picture
from prunepriv.progress import Report

SIDE, SMALLEST_SIDE, LARGEST_SIDE = 32, 8, 64
GRAY = frozenset({"1", "L", "LA", "I;16"})
EVERY = 500

Pictures = Callable[[], Iterator[tuple[str, bytes]]]
"""Gives all pictures, beginning with the first one: the place of each, and its encoded bytes."""


def stack(pictures: Pictures, count: int, source: str, report: Report) -> np.ndarray:
    """Decode all pictures: uint8 (count, 1 or 3, side, side).

    Two passes: the first reads headers only, and side and channels follow from them, so that the
    second can write each picture to its final place.

    Raises:
        DataError: a picture that cannot be decoded, or has too many pixels.
    """
    sizes, gray = set(), True
    for number, (where, data) in enumerate(pictures()):
        with open_picture(data, where) as image:
            sizes.add(image.size)
            gray = gray and image.mode in GRAY
        _report(report, number, count, 0.0, "checking pictures")
    side = side_of(sizes)
    channels = 1 if gray else 3
    check_memory((count, channels, side, side), 1, source)
    x = np.empty((count, channels, side, side), dtype=np.uint8)
    for number, (where, data) in enumerate(pictures()):
        x[number] = decode(data, side, where, channels=channels)
        _report(report, number, count, 0.2, "reading pictures")
    return x


def side_of(sizes: set[tuple[int, int]]) -> int:
    """Side in pixels that all pictures get, from the sizes (width, height) that occur."""
    width, height = next(iter(sizes))
    alike = len(sizes) == 1 and width == height and SMALLEST_SIDE <= width <= LARGEST_SIDE
    return width if alike else SIDE


def _report(report: Report, number: int, count: int, begun: float, doing: str) -> None:
    if number % EVERY == 0:
        share = 0.2 if begun == 0 else 0.8
        report(begun + share * number / count, f"{doing}: {number:,} of {count:,}")
