"""Decode pictures (PNG, JPEG, TIFF, ...) into arrays; too large ones are refused beforehand."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
from PIL import Image

from prunepriv.errors import DataError

MOST_PIXELS = 50_000_000
"""Most pixels of one picture. They are read from its header, before anything is decoded."""
Image.MAX_IMAGE_PIXELS = MOST_PIXELS
ENCODINGS = ("PNG", "JPEG", "BMP", "GIF", "TIFF", "WEBP", "PPM")

DAMAGED = (OSError, SyntaxError, ValueError, EOFError, struct.error, zlib.error)
BOMB = (Image.DecompressionBombError, Image.DecompressionBombWarning)


def decode(data: bytes, side: int | None, where: str, *, channels: int = 3) -> np.ndarray:
    """Decode a picture in colour or grey.

    Args:
        data: the bytes of its file.
        side: width and height to resize it to, in pixels; None keeps its size.
        where: name of the picture, for messages.
        channels: 3 for red, green and blue; 1 for grey.

    Returns:
        uint8 (channels, height, width).

    Raises:
        DataError: it cannot be decoded, or has too many pixels.
    """
    with open_picture(data, where) as image:
        try:
            fitted = image.convert("L" if channels == 1 else "RGB")
        except DAMAGED as error:
            raise DataError(f"{where} is a damaged picture ({error})") from None
    return fit(fitted, side)


def fit(image: Image.Image, side: int | None) -> np.ndarray:
    """A grey or colour picture as uint8 (1 or 3, height, width), resized if needed.

    Pillow's bilinear filter resizes it. When a picture gets smaller, the filter averages over all
    pixels that a new pixel covers, and skips none.
    """
    if side is not None and image.size != (side, side):
        image = image.resize((side, side), Image.Resampling.BILINEAR)
    return np.atleast_3d(np.asarray(image)).transpose(2, 0, 1)


def open_picture(data: bytes, where: str) -> Image.Image:
    """Open a picture and read its header, but not its pixels.

    Raises:
        DataError: not a picture, or one with too many pixels.
    """
    try:
        image = Image.open(io.BytesIO(data), formats=ENCODINGS)
    except BOMB:
        raise _too_large(where) from None
    except DAMAGED:
        known = ", ".join(ENCODINGS)
        raise DataError(f"{where} is not a picture that can be read: expected {known}") from None
    if image.width * image.height > MOST_PIXELS:
        raise _too_large(where)
    return image


def _too_large(where: str) -> DataError:
    return DataError(f"{where} has more than {MOST_PIXELS // 10**6} million pixels")
