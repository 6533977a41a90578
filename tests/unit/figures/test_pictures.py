"""An independent reader gets back every pixel."""

from __future__ import annotations

import base64
import io

import numpy as np
import pytest
from PIL import Image

from prunepriv.figures.pictures import features, png, thumbnail


@pytest.mark.parametrize("shape", [(3, 5, 7), (1, 8, 8)])
def test_png_is_lossless(rng, shape):
    image = rng.integers(0, 256, shape).astype(np.uint8)
    read = np.array(Image.open(io.BytesIO(png(image))))
    assert np.array_equal(read, image[0] if shape[0] == 1 else image.transpose(1, 2, 0))


def test_thumbnail_enlarges_whole_pixels(rng):
    image = rng.integers(0, 256, (3, 16, 16)).astype(np.uint8)
    head, data = thumbnail(image).split(",")
    assert head == "data:image/png;base64"
    read = np.array(Image.open(io.BytesIO(base64.b64decode(data))))
    assert read.shape == (48, 48, 3)
    assert np.array_equal(read[1::3, 1::3], image.transpose(1, 2, 0))


def test_png_refuses_what_is_no_picture():
    with pytest.raises(ValueError, match="got float64"):
        png(np.zeros((3, 4, 4)))


def test_features_names_what_is_set():
    row = np.array([0, 1, 0, 1])
    assert features(row) == "2 set: 1, 3"
    assert features(row, ["a", "b", "c", "d"]) == "2 set: b, d"
    assert features(np.zeros(4)) == "none set"
    assert features(np.ones(20)).endswith("11, …")


def test_standardized_features_are_told_by_what_stands_out() -> None:
    row = np.array([0.1, -2.34, 1.5], dtype=np.float32)
    assert features(row, ["a", "b", "c"]) == "b -2.3, c +1.5, a +0.1"
