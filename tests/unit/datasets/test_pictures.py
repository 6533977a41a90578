"""Pictures are decoded as by Pillow alone; a decompression bomb is refused by its header."""

from __future__ import annotations

import io
import struct
import tracemalloc
import zlib

import numpy as np
import pytest
from PIL import Image

from prunepriv.datasets.pictures import ENCODINGS, MOST_PIXELS, decode
from prunepriv.errors import DataError

LOSSLESS = ("PNG", "BMP", "TIFF", "PPM")


def encoded(pixels: np.ndarray, encoding: str) -> bytes:
    """(height, width, 3) or (height, width)."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, encoding)
    return file.getvalue()


def bomb(side: int) -> bytes:
    """A PNG whose header gives side x side pixels, but which holds almost none of them."""
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b""))


def chunk(kind: bytes, content: bytes) -> bytes:
    checksum = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum)


@pytest.mark.parametrize("encoding", LOSSLESS)
def test_pixels_come_back_channels_first(encoding: str, rng: np.random.Generator) -> None:
    pixels = rng.integers(0, 256, (5, 7, 3), dtype=np.uint8)
    found = decode(encoded(pixels, encoding), None, "one")
    assert (found.dtype, found.shape) == (np.uint8, (3, 5, 7))
    np.testing.assert_array_equal(found, pixels.transpose(2, 0, 1))


def test_gray_becomes_color_and_color_gray(rng: np.random.Generator) -> None:
    gray = rng.integers(0, 256, (8, 8), dtype=np.uint8)
    found = decode(encoded(gray, "PNG"), 8, "one")
    np.testing.assert_array_equal(found, np.broadcast_to(gray, (3, 8, 8)))
    assert decode(encoded(np.stack([gray] * 3, axis=2), "PNG"), 8, "one", channels=1).shape == (
        1, 8, 8,
    )  # fmt: skip


def test_shrinking_averages_what_a_pixel_covers(rng: np.random.Generator) -> None:
    """A filter that skipped pixels would give black or white; an average of noise is grey."""
    noise = (rng.integers(0, 2, (300, 300, 3)) * 255).astype(np.uint8)
    found = decode(encoded(noise, "PNG"), 10, "one").astype(float)
    assert abs(found.mean() - noise.mean()) < 2
    assert found.std() < 8
    flat = np.full((150, 150, 3), (10, 200, 77), np.uint8)
    np.testing.assert_array_equal(decode(encoded(flat, "TIFF"), 32, "one")[:, 5, 5], (10, 200, 77))


def test_a_bomb_is_refused_before_it_is_decoded() -> None:
    tracemalloc.start()
    with pytest.raises(DataError, match=r"^tile 7 has more than 50 million pixels$"):
        decode(bomb(30_000), 32, "tile 7")
    assert tracemalloc.get_traced_memory()[1] < 10_000_000
    tracemalloc.stop()
    with pytest.raises(DataError, match=r"^tile 8 has more than 50 million pixels$"):
        decode(bomb(int(MOST_PIXELS**0.5) + 1), 32, "tile 8")  # Pillow only warns up to twice that


@pytest.mark.parametrize("data", [b"", b"no picture", b"\x80\x04pickle", b"%PDF-1.4"])
def test_no_picture_at_all(data: bytes) -> None:
    with pytest.raises(DataError, match=rf"^x is not a picture .*expected {ENCODINGS[0]}"):
        decode(data, 32, "x")


@pytest.mark.parametrize("encoding", ["PNG", "TIFF", "JPEG"])
def test_half_a_picture(encoding: str, rng: np.random.Generator) -> None:
    whole = encoded(rng.integers(0, 256, (64, 64, 3), dtype=np.uint8), encoding)
    with pytest.raises(DataError, match=r"^x is (a damaged|not a) picture"):
        decode(whole[: len(whole) // 2], 32, "x")
