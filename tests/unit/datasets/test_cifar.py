"""CIFAR-10 and CIFAR-100 equal a slow reading; a wrong record is named by its number."""

from __future__ import annotations

import tarfile
from pathlib import Path

import numpy as np
import pytest

from prunepriv.datasets import cifar, load
from prunepriv.datasets.archives import ARCHIVES, Published
from prunepriv.errors import ArchiveError, DataError
from prunepriv.options import DATASETS
from tests.official_files import known, official_files, tgz

BOTH = {"cifar10": cifar.CIFAR10, "cifar100": cifar.CIFAR100}


def members(name: str, records: int = 2, **changed: bytes) -> dict[str, bytes]:
    """Files of an archive, each of `records` blank records; `changed` replaces some by stem."""
    layout = BOTH[name]
    blank = bytes((len(layout.labels) + cifar.PIXELS) * records)
    return {f"{layout.folder}/{file}": changed.get(file[:-4], blank) for file in layout.files}


def read(name: str, folder: Path, content: dict[str, bytes], records: int):
    """What the loader returns for an archive with these files."""
    archive = ARCHIVES[name].files[0]
    (folder / archive.file).write_bytes(tgz(content))
    return cifar.read(BOTH[name], Published((known(archive, folder),), records), folder)


@pytest.mark.parametrize("name", BOTH)
def test_records_equal_a_slow_reading(name: str, tmp_path: Path, rng: np.random.Generator) -> None:
    """Byte by byte after the publisher's description: row-major red, then green, then blue."""
    labels = len(BOTH[name].labels)
    with official_files([name], tmp_path, 121, rng):
        data = load(name, {}, tmp_path)
    with tarfile.open(tmp_path / ARCHIVES[name].files[0].file) as archive:
        position = 0
        for file in BOTH[name].files:
            stream = archive.extractfile(f"{BOTH[name].folder}/{file}")
            assert stream is not None
            while record := stream.read(labels + 3072):
                assert record[labels - 1] == data.y[position]
                for channel, row, column in ((0, 0, 1), (0, 5, 0), (1, 7, 31), (2, 31, 30)):
                    at = labels + channel * 1024 + row * 32 + column
                    assert record[at] == data.x[position, channel, row, column]
                position += 1
    assert position == len(data.x) == 121


def test_the_fine_labels_have_the_names_of_the_publisher() -> None:
    names = DATASETS["cifar100"].class_names
    assert list(names) == sorted(names)
    assert (names[0], names[23], names[47], names[99]) == ("apple", "cloud", "maple tree", "worm")


@pytest.mark.parametrize(
    ("name", "column", "label", "rule"),
    [
        ("cifar10", 0, 10, "a label below 10, got 10"),
        ("cifar100", 0, 20, "a label below 20, got 20"),
        ("cifar100", 1, 255, "a label below 100, got 255"),
    ],
)
def test_the_first_record_with_a_wrong_label_is_named(
    name: str, column: int, label: int, rule: str, tmp_path: Path
) -> None:
    width = len(BOTH[name].labels) + cifar.PIXELS
    wrong = bytearray(3 * width)
    wrong[width + column] = wrong[2 * width + column] = label
    last = BOTH[name].files[-1]
    content = members(name, **{last[:-4]: bytes(wrong)})
    with pytest.raises(ArchiveError, match=rf"{last}, record 2: expected {rule}$"):
        read(name, tmp_path, content, 0)


@pytest.mark.parametrize("name", BOTH)
def test_a_file_of_another_length_is_named(name: str, tmp_path: Path) -> None:
    first, width = BOTH[name].files[0], len(BOTH[name].labels) + cifar.PIXELS
    content = members(name, **{first[:-4]: bytes(width + 1)})
    with pytest.raises(ArchiveError, match=rf"{first} must hold records of {width:,} bytes, got"):
        read(name, tmp_path, content, 0)


def test_a_missing_batch_is_named(tmp_path: Path) -> None:
    content = members("cifar10")
    del content["cifar-10-batches-bin/data_batch_3.bin"]
    with pytest.raises(ArchiveError, match=r"holds no regular file '.*/data_batch_3.bin'"):
        read("cifar10", tmp_path, content, 10)


def test_records_may_be_split_into_files_in_another_way(tmp_path: Path) -> None:
    x, y = read("cifar10", tmp_path, members("cifar10"), 12)
    assert (x.shape, y.shape, x.flags.c_contiguous) == ((12, 3, 32, 32), (12,), True)


@pytest.mark.usefixtures("offline")
@pytest.mark.parametrize("name", BOTH)
def test_the_file_of_pickles_is_named_and_not_opened(name: str, tmp_path: Path) -> None:
    """torchvision downloads this file, so users may have it."""
    pickled = tmp_path / ARCHIVES[name].files[0].unfit
    pickled.mkdir()  # a folder: opening it would raise another error
    with pytest.raises(DataError, match=rf"put {ARCHIVES[name].files[0].file} \(sha256") as told:
        load(name, {}, tmp_path)
    assert f"{pickled.name} is in that folder, but it holds pickles" in str(told.value)
    assert "\n" not in str(told.value)
