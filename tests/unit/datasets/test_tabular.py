from __future__ import annotations

import csv
import gzip
import io
import tarfile
from pathlib import Path

import numpy as np
import pytest

from prunepriv.datasets.tabular import LOCATION, location, parse_label_first, unpack
from prunepriv.errors import ArchiveError

from .conftest import describe, regular, tar

Official = tuple[bytes, np.ndarray, np.ndarray]


def test_real_location_equals_a_slow_reading(location_archive: Path):
    x, y = location(location_archive.parent)
    assert (x.shape, x.dtype, y.shape, y.dtype) == ((5010, 446), np.uint8, (5010,), np.int64)
    with tarfile.open(location_archive) as archive:
        stream = archive.extractfile("bangkok")
        assert stream is not None
        rows = list(csv.reader(io.TextIOWrapper(stream)))
    np.testing.assert_array_equal(y, [int(row[0]) - 1 for row in rows])
    np.testing.assert_array_equal(x, np.array([row[1:] for row in rows], dtype=np.uint8))


def test_real_location_is_what_its_publishers_describe(location_archive: Path):
    x, y = location(location_archive.parent)
    sizes = np.bincount(y)
    assert (len(sizes), sizes.min(), sizes.max()) == (30, 97, 308)
    assert x.max() == 1
    assert x.sum() == 269_047


def test_a_small_archive_of_the_official_format(official: Official, tmp_path: Path):
    content, x, y = official
    (tmp_path / LOCATION.file).write_bytes(content)
    found_x, found_y = location(tmp_path, archive=describe(content))
    np.testing.assert_array_equal(found_x, x)
    np.testing.assert_array_equal(found_y, y)


def test_a_truncated_archive_names_both_digests(official: Official, tmp_path: Path):
    content = official[0]
    (tmp_path / LOCATION.file).write_bytes(content[:-100])
    with pytest.raises(ArchiveError, match=describe(content[:-100]).digest):
        location(tmp_path, archive=describe(content))


def link(kind: bytes, target: str) -> tuple[tarfile.TarInfo, bytes]:
    member = tarfile.TarInfo("bangkok")
    member.type, member.linkname = kind, target
    return member, b""


EVIL = {
    "path traversal": tar(regular("../bangkok", b"1")),
    "absolute path": tar(regular("/etc/bangkok", b"1")),
    "symbolic link": tar(link(tarfile.SYMTYPE, "/etc/passwd")),
    "hard link": tar(link(tarfile.LNKTYPE, "/etc/passwd")),
    "device": tar(link(tarfile.CHRTYPE, "")),
    "second member": tar(regular("bangkok", b"1"), regular("more", b"2")),
    "another name": tar(regular("texas", b"1")),
    "nothing": tar(),
}


@pytest.mark.parametrize("content", EVIL.values(), ids=EVIL)
def test_an_archive_of_anything_else_is_refused(content: bytes, tmp_path: Path):
    path = tmp_path / "archive.tgz"
    path.write_bytes(content)
    with pytest.raises(ArchiveError, match="must hold one regular file 'bangkok' and nothing else"):
        unpack(path, "bangkok")
    assert [item.name for item in tmp_path.iterdir()] == ["archive.tgz"]


def test_an_archive_that_unpacks_to_too_much_is_not_read(tmp_path: Path):
    path = tmp_path / "archive.tgz"
    path.write_bytes(tar(regular("bangkok", bytes(1_000_000))))
    assert path.stat().st_size < 10_000
    assert len(unpack(path, "bangkok")) == 1_000_000
    with pytest.raises(ArchiveError, match="unpacks to more than 999,999 bytes"):
        unpack(path, "bangkok", largest=999_999)


def test_a_damaged_archive_is_told(official: Official, tmp_path: Path):
    content = official[0]
    path = tmp_path / "archive.tgz"
    flipped = bytearray(content)
    flipped[len(content) // 2] ^= 0xFF
    for damaged in (
        content[: len(content) // 2],
        bytes(flipped),
        b"no gzip",
        gzip.compress(b"no tar"),
    ):
        path.write_bytes(damaged)
        with pytest.raises(
            ArchiveError, match=r"archive.tgz is damaged .*: put a whole copy there"
        ):
            unpack(path, "bangkok")


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        (b'"1",0,1,0\n"9",0,0,0\n', "line 2: expected a label of 1 to 3 and 3 features"),
        (b'"0",0,1,0\n', "line 1: expected a label"),
        (b'"1",0,1,0\n"2",0,1\n', "line 2: expected a label"),
        (b'"1",0,1,0,1\n', "line 1: expected a label"),
        (b'"1",0,1,0\n\n', "line 2: expected a label"),
        (b'"1",0,1,0\n"2",0,2,0\n', "line 2: expected 3 features of 0 or 1"),
        (b'"1",0,1,0\n"2",0;1,0\n', "line 2: expected 3 features of 0 or 1"),
        (b'"1",0,1,0\n"2",0,1,/\n', "line 2: expected 3 features of 0 or 1"),
        (b"", "holds no records"),
    ],
)
def test_a_wrong_line_is_named(text: bytes, rule: str):
    with pytest.raises(ArchiveError, match=f"^small.*{rule}"):
        parse_label_first(text, 3, 3, "small")


def test_labels_may_go_without_quotes():
    x, y = parse_label_first(b"3,0,1,0\n1,1,1,1\n", 3, 3, "small")
    assert x.tolist() == [[0, 1, 0], [1, 1, 1]]
    assert y.tolist() == [2, 0]
