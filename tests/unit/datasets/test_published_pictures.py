"""CIFAR, SVHN and CHMNIST against readings by others, and what is refused."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import scipy.io
import torchvision
from PIL import Image

from prunepriv.datasets import chmnist, cifar, svhn
from prunepriv.datasets.archives import ARCHIVES, Published
from prunepriv.errors import ArchiveError, DataError
from tests.official_files import Official, describe, make_official, mat, packed_zip, tgz, tiff

from .conftest import bomb


def put(folder: Path, name: str, files: dict[str, bytes], records: int) -> Published:
    """Write files into a folder; the table's entry that fits them."""
    for file, content in files.items():
        (folder / file).write_bytes(content)
    return describe(name, Official(files, np.empty(records), np.empty(records)))


# --- SVHN ---


def test_svhn_is_what_torchvision_reads(
    rng: np.random.Generator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = make_official("svhn", 60, rng)
    x, y = svhn.read(put(tmp_path, "svhn", made.files, 60), tmp_path)
    monkeypatch.setattr(torchvision.datasets.SVHN, "_check_integrity", lambda self: True)
    parts = [torchvision.datasets.SVHN(tmp_path, split=split) for split in ("train", "test")]
    np.testing.assert_array_equal(x, np.concatenate([part.data for part in parts]))
    np.testing.assert_array_equal(y, np.concatenate([part.labels for part in parts]))


def matlab(**arrays: np.ndarray) -> bytes:
    file = io.BytesIO()
    scipy.io.savemat(file, arrays)
    return file.getvalue()


RIGHT = {"X": np.zeros((32, 32, 3, 4), np.uint8), "y": np.array([[1], [10], [2], [3]], np.uint8)}
WRONG_MAT = {
    "no MATLAB file": (b"no MATLAB file at all", "is no MATLAB file of X and y"),
    "empty": (b"", "is no MATLAB file of X and y"),
    "truncated": (matlab(**RIGHT)[:-3000], "is no MATLAB file of X and y"),
    "no labels": (matlab(X=RIGHT["X"]), "is no MATLAB file of X and y"),
    "floats": (matlab(**RIGHT | {"X": RIGHT["X"].astype(float)}), "expected X of uint8"),
    "a label too few": (matlab(**RIGHT | {"y": RIGHT["y"][:3]}), "expected X of uint8"),
    "label 11": (matlab(**RIGHT | {"y": RIGHT["y"] + 1}), "record 2: expected a label of 1 to 10"),
    "label 0": (matlab(**RIGHT | {"y": RIGHT["y"] - 1}), "record 1: expected a label of 1 to 10"),
    "words": (matlab(**RIGHT | {"y": np.array(["one"])}), "is no MATLAB file of X and y"),
}


@pytest.mark.parametrize(("content", "rule"), WRONG_MAT.values(), ids=WRONG_MAT)
def test_a_wrong_matlab_file(tmp_path: Path, content: bytes, rule: str) -> None:
    files = {"train_32x32.mat": mat(RIGHT["X"].transpose(3, 2, 0, 1), np.arange(4)),
             "test_32x32.mat": content}  # fmt: skip
    with pytest.raises(ArchiveError, match=rf"test_32x32\.mat.*{rule}") as told:
        svhn.read(put(tmp_path, "svhn", files, 8), tmp_path)
    assert "\n" not in str(told.value)


def test_one_of_two_files_is_there(rng: np.random.Generator, tmp_path: Path) -> None:
    """The sentence names the one that is missing; the other has been looked at."""
    made = make_official("svhn", 60, rng)
    published = describe("svhn", made)
    nowhere = tuple(replace(archive, url="http://127.0.0.1:9/") for archive in published.files)
    (tmp_path / "train_32x32.mat").write_bytes(made.files["train_32x32.mat"])
    with pytest.raises(DataError, match=r"put test_32x32\.mat \(sha256 \w{64}\) into") as told:
        svhn.read(Published(nowhere, 60), tmp_path)
    assert "train_32x32" not in str(told.value)


# --- CIFAR ---


def batch(labels: list[int], pixel: int = 0, width: int = 1) -> bytes:
    return b"".join(bytes([label] * width) + bytes([pixel]) * 3072 for label in labels)


def cifar10_files(**change: bytes) -> dict[str, bytes]:
    members = {file: batch([number, 9]) for number, file in enumerate(cifar.CIFAR10.files)}
    members |= {f"{name}.bin": content for name, content in change.items()}
    return {
        "cifar-10-binary.tar.gz": tgz(
            {f"cifar-10-batches-bin/{file}": content for file, content in members.items()}
        )
    }


def test_a_cifar_picture_is_red_then_green_then_blue(tmp_path: Path) -> None:
    pixels = bytes([1]) * 1024 + bytes([2]) * 1024 + bytes([3]) * 1023 + bytes([4])
    files = cifar10_files(data_batch_1=b"\x07" + pixels + b"\x08" + pixels)
    x, y = cifar.read(cifar.CIFAR10, put(tmp_path, "cifar10", files, 12), tmp_path)
    assert x[0, :, 0, 0].tolist() == [1, 2, 3]
    assert x[0, :, 31, 31].tolist() == [1, 2, 4]
    assert y.tolist() == [7, 8, 1, 9, 2, 9, 3, 9, 4, 9, 5, 9], "training files, then the test file"


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (batch([1, 10]), "data_batch_3.bin, record 2: expected a label below 10, got 10"),
        (batch([1, 2])[:-1], "data_batch_3.bin must hold records of 3,073 bytes"),
        (batch([1]), "holds 11 records, and 12 were expected"),
    ],
)
def test_a_wrong_batch(tmp_path: Path, content: bytes, rule: str) -> None:
    files = cifar10_files(data_batch_3=content)
    with pytest.raises(ArchiveError, match=rule):
        cifar.read(cifar.CIFAR10, put(tmp_path, "cifar10", files, 12), tmp_path)


def test_cifar100_learns_the_fine_label(tmp_path: Path) -> None:
    def files(coarse: int, fine: int) -> dict[str, bytes]:
        record = bytes([coarse, fine]) + bytes(3072)
        members = {f"cifar-100-binary/{file}": record for file in cifar.CIFAR100.files}
        return {"cifar-100-binary.tar.gz": tgz(members)}

    _, y = cifar.read(cifar.CIFAR100, put(tmp_path, "cifar100", files(19, 99), 2), tmp_path)
    assert y.tolist() == [99, 99]
    with pytest.raises(ArchiveError, match="record 1: expected a label below 20, got 99"):
        cifar.read(cifar.CIFAR100, put(tmp_path, "cifar100", files(99, 19), 2), tmp_path)


def test_the_archive_of_pickles_does_not_serve(tmp_path: Path) -> None:
    (tmp_path / "cifar-10-python.tar.gz").write_bytes(b"pickles")
    nowhere = replace(ARCHIVES["cifar10"].files[0], url="http://127.0.0.1:9/")
    with pytest.raises(DataError, match=r"put cifar-10-binary\.tar\.gz \(sha256") as told:
        cifar.read(cifar.CIFAR10, Published((nowhere,), 60_000), tmp_path)
    assert "cifar-10-python.tar.gz, which is there, does not serve: it holds pickles" in str(
        told.value
    )


# --- CHMNIST ---

ZIP = "Kather_texture_2016_image_tiles_5000.zip"


def test_tiles_are_resized_as_pillow_alone_does(rng: np.random.Generator, tmp_path: Path) -> None:
    made = make_official("chmnist", 24, rng)
    x, y = chmnist.read(put(tmp_path, "chmnist", made.files, 24), tmp_path)
    for tile, found in zip(made.x, x, strict=True):
        small = Image.fromarray(tile.transpose(1, 2, 0)).resize((32, 32), Image.Resampling.BILINEAR)
        np.testing.assert_array_equal(found, np.asarray(small).transpose(2, 0, 1))
    np.testing.assert_array_equal(y, made.y)


TILE = tiff(np.zeros((3, 150, 150), np.uint8))


@pytest.mark.parametrize(
    ("member", "content", "rule"),
    [
        ("01_TUMOR/b.tif", bomb(30_000), "01_TUMOR/b.tif' has more than 50 million pixels"),
        ("01_TUMOR/b.tif", b"no picture", "01_TUMOR/b.tif' is no picture that can be read"),
        ("01_TUMOR/b.tif", TILE[:5000], "01_TUMOR/b.tif' is a damaged picture"),
        ("01_TUMOR/b.tif", bytes(2 << 20), "has more than 1,048,576 bytes: no tile"),
        ("09_OTHER/b.tif", TILE, "expected tiles in .*01_TUMOR to 08_EMPTY"),
        ("b.tif", TILE, "expected tiles in .*01_TUMOR to 08_EMPTY"),
        ("01_TUMOR/b.txt", TILE, "holds 1 tiles, and 2 were expected"),
        ("../b.tif", TILE, "absolute or parent path"),
    ],
)
def test_a_wrong_tile(tmp_path: Path, member: str, content: bytes, rule: str) -> None:
    members = {f"{chmnist.TOP}/02_STROMA/a.tif": TILE, f"{chmnist.TOP}/{member}": content}
    published = put(tmp_path, "chmnist", {ZIP: packed_zip(members)}, 2)
    with pytest.raises(DataError, match=rule) as told:
        chmnist.read(published, tmp_path)
    assert "\n" not in str(told.value)
