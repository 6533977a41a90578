from __future__ import annotations

import csv
import io
import tarfile
from pathlib import Path

import numpy as np
import pytest

from prunepriv.datasets.archives import ARCHIVES
from prunepriv.datasets.tabular import location, texas
from prunepriv.errors import ArchiveError
from tests.official_files import describe, features_text, make_official, tgz

RECORDS = 120


def test_real_location_equals_a_slow_reading(location_archive: Path):
    x, y = location(ARCHIVES["location"], location_archive.parent)
    assert (x.shape, x.dtype, y.shape, y.dtype) == ((5010, 446), np.uint8, (5010,), np.int64)
    with tarfile.open(location_archive) as archive:
        stream = archive.extractfile("bangkok")
        assert stream is not None
        rows = list(csv.reader(io.TextIOWrapper(stream)))
    np.testing.assert_array_equal(y, [int(row[0]) - 1 for row in rows])
    np.testing.assert_array_equal(x, np.array([row[1:] for row in rows], dtype=np.uint8))


def test_real_location_is_what_its_publishers_describe(location_archive: Path):
    x, y = location(ARCHIVES["location"], location_archive.parent)
    sizes = np.bincount(y)
    assert (len(sizes), sizes.min(), sizes.max()) == (30, 97, 308)
    assert x.max() == 1
    assert x.sum() == 269_047


def test_a_truncated_archive_names_both_digests(rng: np.random.Generator, tmp_path: Path):
    made = make_official("location", 60, rng)
    content = made.files["dataset_location.tgz"][:-100]
    (tmp_path / "dataset_location.tgz").write_bytes(content)
    published = describe("location", made)
    made.files["dataset_location.tgz"] = content
    found = describe("location", made).files[0].digest
    with pytest.raises(ArchiveError, match=f"{published.files[0].digest}, got {found}"):
        location(published, tmp_path)


def texas_of(folder: Path, members: dict[str, bytes]) -> Path:
    (folder / "dataset_texas.tgz").write_bytes(tgz(members))
    return folder


@pytest.fixture
def members(rng: np.random.Generator) -> dict[str, bytes]:
    """The two files of Texas, with 120 records."""
    x = rng.integers(0, 2, (RECORDS, 6169), dtype=np.uint8)
    labels = [number % 100 + 1 for number in range(RECORDS)]
    return {
        "texas/100/feats": "\n".join(features_text(x)).encode() + b"\n",
        "texas/100/labels": "\n".join(map(str, labels)).encode() + b"\n",
    }


def published() -> object:
    return type(ARCHIVES["texas"])(ARCHIVES["texas"].files, RECORDS)


def test_neither_the_order_of_the_files_nor_other_files_matter(
    members: dict[str, bytes], tmp_path: Path
):
    x, y = texas(published(), texas_of(tmp_path, members))
    turned = {
        "texas/.notes": b"0,1", **dict(reversed(members.items())), "texas/10/labels": b"1\n",
    }  # fmt: skip
    again_x, again_y = texas(published(), texas_of(tmp_path, turned))
    np.testing.assert_array_equal(x, again_x)
    np.testing.assert_array_equal(y, again_y)


@pytest.mark.parametrize(
    ("member", "old", "new", "rule"),
    [
        ("texas/100/labels", b"\n7\n", b"\n101\n", "line 7: expected a label of 1 to 100, got b'101'"),
        ("texas/100/labels", b"\n7\n", b"\n0\n", "line 7: expected a label of 1 to 100, got b'0'"),
        ("texas/100/labels", b"\n7\n", b"\n", "holds 119 records, and 120 were expected"),
        ("texas/100/labels", b"\n7\n", b"\n7\n7\n", "line 121: expected 120 records and no more"),
        ("texas/100/feats", b"\n", b",1\n", "line 1: expected 6,169 features of 0 or 1, got"),
        ("texas/100/feats", b"1,", b"2,", "line 1: expected 6,169 features of 0 or 1"),
        ("texas/100/feats", b"1,", b",", "line 1: expected 6,169 features of 0 or 1, got"),
        ("texas/100/feats", b"1,", b"1;", "line 1: expected 6,169 features of 0 or 1"),
    ],
)  # fmt: skip
def test_without_a_digest_all_is_checked(
    members: dict[str, bytes], tmp_path: Path, member: str, old: bytes, new: bytes, rule: str
):
    wrong = {**members, member: members[member].replace(old, new, 1)}
    with pytest.raises(ArchiveError, match=rf"^dataset_texas\.tgz/{member}.*{rule}"):
        texas(published(), texas_of(tmp_path, wrong))


@pytest.mark.parametrize("member", ["texas/100/feats", "texas/100/labels"])
def test_a_missing_file_is_named(members: dict[str, bytes], tmp_path: Path, member: str):
    del members[member]
    with pytest.raises(ArchiveError, match=f"holds no regular file '{member}'"):
        texas(published(), texas_of(tmp_path, members))
