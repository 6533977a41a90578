"""How a record is shown: as a small picture, or as its features that are set."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence

import numpy as np
from PIL import Image

SIDE = 48
"""Small pictures are enlarged to at most this height, in pixels."""
MOST_FEATURES = 12


def png(image: np.ndarray) -> bytes:
    """A picture as a lossless PNG file.

    Args:
        image: uint8 (channels, height, width); one channel is grey, three are red, green, blue.

    Raises:
        ValueError: an array of another type or shape.
    """
    if image.ndim != 3 or image.shape[0] not in (1, 3) or image.dtype != np.uint8:
        raise ValueError(
            f"a picture is uint8 (1 or 3, height, width), got {image.dtype} {image.shape}"
        )
    pixels = image[0] if len(image) == 1 else image.transpose(1, 2, 0)
    file = io.BytesIO()
    # a list shows a hundred: level 1 takes half the time of the usual 6, for files as small
    Image.fromarray(np.ascontiguousarray(pixels)).save(file, "PNG", compress_level=1)
    return file.getvalue()


def thumbnail(image: np.ndarray) -> str:
    """A picture as a data URL, its pixels enlarged so that browsers do not blur them.

    Args:
        image: as :func:`png` takes it.
    """
    factor = max(1, SIDE // image.shape[1])
    large = image.repeat(factor, axis=1).repeat(factor, axis=2)
    return f"data:image/png;base64,{base64.b64encode(png(large)).decode()}"


def features(row: np.ndarray, names: Sequence[str] | None = None) -> str:
    """The main features of a record in words: "14 set: 3, 17, 25, ..."

    Args:
        row: (features,) of 0 and 1: those that are set; or float32, standardised: those
            furthest from the mean, "age +2.1, income -1.8, ..." in deviations.
        names: of the features; their numbers if left out.
    """
    binary = row.dtype != np.float32
    active = np.flatnonzero(row) if binary else np.argsort(-np.abs(row), kind="stable")
    shown = [names[one] if names else str(one) for one in active[:MOST_FEATURES]]
    more = ", \u2026" if len(active) > MOST_FEATURES else ""
    if not binary:
        pairs = zip(shown, row[active[:MOST_FEATURES]], strict=True)
        return ", ".join(f"{name} {value:+.1f}" for name, value in pairs) + more
    return f"{len(active)} set: {', '.join(shown)}{more}" if len(active) else "none set"
