"""SVHN equals the reading by torchvision; wrong files are refused."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import scipy.io
from torchvision.datasets import SVHN

from prunepriv.datasets import load, svhn
from prunepriv.datasets.archives import ARCHIVES, Published
from prunepriv.errors import ArchiveError
from tests.official_files import known, mat, official_files

TRAIN, TEST = ARCHIVES["svhn"].files


def test_records_equal_torchvisions(
    tmp_path: Path, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    with official_files(["svhn"], tmp_path, 83, rng):
        data = load("svhn", {}, tmp_path)
    monkeypatch.setattr(SVHN, "_check_integrity", lambda self: True)
    parts = [SVHN(tmp_path, split=split) for split in ("train", "test")]
    np.testing.assert_array_equal(data.x, np.concatenate([part.data for part in parts]))
    np.testing.assert_array_equal(data.y, np.concatenate([part.labels for part in parts]))
    assert data.x.flags.c_contiguous
    assert set(data.y) == set(range(10))


def content(**changed: np.ndarray) -> bytes:
    """A MATLAB file of four pictures; `changed` replaces its arrays."""
    arrays = {"X": np.zeros((32, 32, 3, 4), np.uint8), "y": np.full((4, 1), 10, np.uint8)}
    file = io.BytesIO()
    scipy.io.savemat(file, arrays | changed)
    return file.getvalue()


def read(folder: Path, train: bytes, records: int = 8):
    """What the loader returns for this training file and a correct test file."""
    (folder / TRAIN.file).write_bytes(train)
    (folder / TEST.file).write_bytes(content())
    files = known(TRAIN, folder), known(TEST, folder)
    return svhn.read(Published(files, records), folder)


def test_label_10_is_the_digit_0(tmp_path: Path) -> None:
    labels = np.array([[10], [1], [9], [10]])
    assert read(tmp_path, content(y=labels))[1].tolist() == [0, 1, 9, 0, 0, 0, 0, 0]


@pytest.mark.parametrize(
    ("changed", "rule"),
    [
        ({"y": np.array([[1], [0], [11], [2]])}, "record 2: expected a label of 1 to 10, got 0"),
        ({"y": np.array([[1], [2], [11], [2]])}, "record 3: expected a label of 1 to 10, got 11"),
        ({"y": np.ones((3, 1))}, r"must hold X .* got X \(32, 32, 3, 4\) and y \(3, 1\)"),
        ({"X": np.zeros((4, 3, 32, 32), np.uint8)}, r"must hold X \(32, 32, 3, records\)"),
        ({"X": np.zeros((32, 32, 3, 4))}, "expected X of uint8, got float64"),
    ],
)
def test_what_does_not_fit_is_named(
    changed: dict[str, np.ndarray], rule: str, tmp_path: Path
) -> None:
    with pytest.raises(ArchiveError, match=rf"{TRAIN.file}.*{rule}") as told:
        read(tmp_path, content(**changed))
    assert "\n" not in str(told.value)


def test_too_many_pictures_are_not_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packed = mat(np.zeros((31, 3, 32, 32), np.uint8), np.ones(31, np.int64))
    monkeypatch.setattr(svhn, "MOST_RECORDS", 30)
    monkeypatch.setattr(scipy.io, "loadmat", lambda *_, **__: pytest.fail("was unpacked"))
    with pytest.raises(ArchiveError, match="30 at most, got X"):
        read(tmp_path, packed)


@pytest.mark.parametrize("damage", ["empty", "text", "half", "pickle", "hdf"])
def test_a_file_that_is_not_a_matlab_file(damage: str, tmp_path: Path) -> None:
    whole = content()
    damaged = {
        "empty": b"",
        "text": b"label,pixels\n" * 99,
        "half": whole[: len(whole) // 2],
        "pickle": b"\x80\x04\x95" + bytes(200),
        "hdf": b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM" + bytes(400),
    }[damage]
    with pytest.raises(
        ArchiveError, match=f"{TRAIN.file} (is not a MATLAB file|must hold X)"
    ) as told:
        read(tmp_path, damaged)
    assert "\n" not in str(told.value)
