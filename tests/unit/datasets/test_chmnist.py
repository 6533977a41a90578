"""CHMNIST equals a reading by Pillow alone; unsafe and wrong archives are refused."""

from __future__ import annotations

import io
import stat
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from prunepriv.datasets import chmnist, load
from prunepriv.datasets.archives import ARCHIVES, Published
from prunepriv.datasets.chmnist import CLASSES, TOP
from prunepriv.errors import DataError
from tests.official_files import known, official_files, packed_zip, tiff

ARCHIVE = ARCHIVES["chmnist"].files[0]
TILE = tiff(np.full((3, 150, 150), 200, np.uint8))


def read(folder: Path, packed: bytes, records: int = 1):
    (folder / ARCHIVE.file).write_bytes(packed)
    return chmnist.read(Published((known(ARCHIVE, folder),), records), folder)


def refused(folder: Path, packed: bytes, rule: str) -> None:
    """Refused in one sentence, and no file is written."""
    with pytest.raises(DataError, match=rule) as told:
        read(folder, packed)
    assert "\n" not in str(told.value)
    assert [path.name for path in folder.iterdir()] == [ARCHIVE.file]


def test_tiles_equal_a_slow_reading(tmp_path: Path, rng: np.random.Generator) -> None:
    with official_files(["chmnist"], tmp_path, 41, rng):
        data = load("chmnist", {}, tmp_path)
    with zipfile.ZipFile(tmp_path / ARCHIVE.file) as archive:
        names = sorted(archive.namelist())
        for name, picture, label in zip(names, data.x, data.y, strict=True):
            assert CLASSES[label] in name
            image = Image.open(io.BytesIO(archive.read(name)))
            assert image.size == (150, 150)
            small = image.resize((32, 32), Image.Resampling.BILINEAR)
            np.testing.assert_array_equal(picture, np.asarray(small).transpose(2, 0, 1))


def test_tiles_are_sorted_by_class_and_name(tmp_path: Path) -> None:
    shades = {"08_EMPTY/b": 40, "01_TUMOR/z": 20, "08_EMPTY/a": 30, "01_TUMOR/y": 10}
    members = {
        f"{TOP}/{name}.tif": tiff(np.full((3, 150, 150), shade, np.uint8))
        for name, shade in shades.items()
    }
    x, y = read(tmp_path, packed_zip({f"{TOP}/readme.txt": b"", **members}), 4)
    assert x[:, 0, 0, 0].tolist() == [10, 20, 30, 40]
    assert y.tolist() == [0, 0, 7, 7]


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        (f"{TOP}/09_OTHER/1.tif", "member '.*/09_OTHER/1.tif': expected tiles in"),
        ("01_TUMOR/1.tif", "member '01_TUMOR/1.tif': expected tiles in"),
        ("../01_TUMOR/1.tif", "member '../01_TUMOR/1.tif' has an absolute or parent path"),
        ("/tmp/1.tif", "member '/tmp/1.tif' has an absolute or parent path"),
        ("C:/1.tif", "member 'C:/1.tif' has an absolute or parent path"),
    ],
)
def test_tiles_elsewhere_are_refused(name: str, rule: str, tmp_path: Path) -> None:
    refused(tmp_path, packed_zip({name: TILE}), rule)


def test_a_link_is_refused(tmp_path: Path) -> None:
    file, member = io.BytesIO(), zipfile.ZipInfo(f"{TOP}/{CLASSES[0]}/1.tif")
    member.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(member, "/etc/passwd")
    refused(tmp_path, file.getvalue(), r"1\.tif' is a link")


@pytest.mark.parametrize(
    ("tile", "rule"),
    [
        (b"no picture", r"5\.tif' is not a picture that can be read"),
        (TILE[: len(TILE) // 2], r"5\.tif' is (a damaged|not a) picture"),
        (bytes(chmnist.LARGEST_TILE + 1), r"5\.tif' has more than 1,048,576 bytes"),
    ],
    ids=["text", "half", "large"],
)
def test_a_file_that_is_not_a_tile_is_named(tile: bytes, rule: str, tmp_path: Path) -> None:
    refused(tmp_path, packed_zip({f"{TOP}/{CLASSES[4]}/5.tif": tile}), rule)


@pytest.mark.parametrize(
    "packed",
    [b"", b"no zip", packed_zip({"x": bytes(999)})[:60]],
    ids=["empty", "text", "the beginning of one"],
)
def test_a_file_that_is_not_a_zip_archive(packed: bytes, tmp_path: Path) -> None:
    refused(tmp_path, packed, "is not a zip archive, or is damaged")
