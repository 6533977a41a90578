"""Archives that are not what they should be are refused; nothing is ever written to disk."""

from __future__ import annotations

import gzip
import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from prunepriv.datasets.unpack import opened_zip, read_tar, stays_inside
from prunepriv.errors import ArchiveError
from tests.official_files import packed_zip, tgz

from .conftest import regular, tar

LARGE = 1 << 24


def read(path: Path, largest: int = LARGE) -> bytes:
    return read_tar(path, {"bangkok": lambda stream: stream.read()}, largest)["bangkok"]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "archive.tgz"


def link(kind: bytes, target: str) -> tuple[tarfile.TarInfo, bytes]:
    member = tarfile.TarInfo("bangkok")
    member.type, member.linkname = kind, target
    return member, b""


def sparse() -> bytes:
    """A member of a terabyte, of which nothing is there."""
    member = tarfile.TarInfo("bangkok")
    member.pax_headers = {
        "GNU.sparse.major": "0", "GNU.sparse.minor": "1", "GNU.sparse.name": "bangkok",
        "GNU.sparse.size": str(1 << 40), "GNU.sparse.map": f"{1 << 40},0",
    }  # fmt: skip
    return tar((member, b""))


OUTSIDE = {
    "parent path": tar(regular("../bangkok", b"1")),
    "hidden parent path": tar(regular("a/../../bangkok", b"1")),
    "absolute path": tar(regular("/etc/bangkok", b"1")),
    "Windows path": tar(regular("C:\\bangkok", b"1")),
    "Windows parent path": tar(regular("..\\bangkok", b"1")),
    "beside the right one": tar(regular("bangkok", b"1"), regular("../more", b"2")),
}
IRREGULAR = {
    "symbolic link": tar(link(tarfile.SYMTYPE, "/etc/passwd")),
    "hard link": tar(link(tarfile.LNKTYPE, "/etc/passwd")),
    "device": tar(link(tarfile.CHRTYPE, "")),
    "pipe": tar(link(tarfile.FIFOTYPE, "")),
    "sparse": sparse(),
}


@pytest.mark.parametrize("content", OUTSIDE.values(), ids=OUTSIDE)
def test_a_path_that_leaves_the_archive(content: bytes, path: Path):
    path.write_bytes(content)
    with pytest.raises(ArchiveError, match="has an absolute or parent path"):
        read(path)
    assert [item.name for item in path.parent.iterdir()] == ["archive.tgz"]


@pytest.mark.parametrize("content", IRREGULAR.values(), ids=IRREGULAR)
def test_what_is_no_regular_file(content: bytes, path: Path):
    path.write_bytes(content)
    with pytest.raises(ArchiveError, match="is neither a regular file nor a folder"):
        read(path)


def test_a_member_listed_twice(path: Path):
    path.write_bytes(tar(regular("bangkok", b"1"), regular("./bangkok", b"2")))
    with pytest.raises(ArchiveError, match="is listed twice"):
        read(path)


@pytest.mark.parametrize("content", [tar(), tgz({"texas": b"1"}), tgz({"a/bangkok": b"1"})])
def test_the_member_is_not_there(content: bytes, path: Path):
    path.write_bytes(content)
    with pytest.raises(ArchiveError, match="holds no regular file 'bangkok'"):
        read(path)


def test_folders_and_other_files_are_skipped(path: Path):
    folder = tarfile.TarInfo("data")
    folder.type = tarfile.DIRTYPE
    path.write_bytes(tar((folder, b""), regular("readme", b"x" * 5000), regular("bangkok", b"1")))
    assert read(path) == b"1"


def test_an_archive_that_unpacks_to_too_much_is_not_read(path: Path):
    path.write_bytes(tgz({"bangkok": bytes(3_000_000)}))
    assert path.stat().st_size < 30_000
    assert len(read(path)) == 3_000_000
    with pytest.raises(ArchiveError, match="unpacks to more than 2,999,999 bytes"):
        read(path, largest=2_999_999)
    path.write_bytes(gzip.compress(bytes(3_000_000)))
    with pytest.raises(ArchiveError, match="unpacks to more than 2,000,000 bytes"):
        read(path, largest=2_000_000)


def test_damage_is_told(path: Path):
    content = tgz({"bangkok": bytes(range(256)) * 5000})
    flipped = bytearray(content)
    flipped[len(content) // 2] ^= 0xFF
    checksum = bytearray(content)
    checksum[-6] ^= 0xFF
    for damaged in (
        content[: len(content) // 2], bytes(flipped), bytes(checksum), b"no gzip",
        gzip.compress(b"no tar" * 100), b"",
    ):  # fmt: skip
        path.write_bytes(damaged)
        with pytest.raises(ArchiveError, match=r"archive.tgz is damaged .*: put a whole copy"):
            read(path)


# --- zip ---


def zip_names(path: Path, largest: int = LARGE) -> list[str]:
    with opened_zip(path, largest) as archive:
        return archive.namelist()


def special(name: str, attributes: int = 0, flags: int = 0) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        member = zipfile.ZipInfo(name)
        member.external_attr = attributes << 16
        archive.writestr(member, b"content")
        archive.filelist[0].flag_bits |= flags
    return file.getvalue()


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (packed_zip({"../a.tif": b""}), "absolute or parent path"),
        (packed_zip({"/a.tif": b""}), "absolute or parent path"),
        (special("a.tif", attributes=0o120777), "is a link"),
        (special("a.tif", flags=1), "is encrypted"),
        (packed_zip({"a.tif": bytes(1001)}), "unpacks to more than 1,000 bytes"),
        (packed_zip({"a.tif": bytes(9)})[:-30], "is damaged"),
        (b"no zip", "is damaged"),
    ],
)
def test_a_zip_archive_that_is_refused(tmp_path: Path, content: bytes, rule: str):
    path = tmp_path / "archive.zip"
    path.write_bytes(content)
    with pytest.raises(ArchiveError, match=rf"archive\.zip.*{rule}"):
        zip_names(path, 1000)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_zip_archive_that_lists_a_member_twice(tmp_path: Path):
    path = tmp_path / "archive.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.tif", b"1")
        archive.writestr("a.tif", b"2")
    with pytest.raises(ArchiveError, match="lists a member twice"):
        zip_names(path)


def test_names_that_stay_inside():
    assert all(map(stays_inside, ("a", "a/b.tif", "./a", "a..b/..c")))
    assert not any(map(stays_inside, ("/a", "..", "a/..", "\\\\host\\a", "D:a", "a\\..\\b")))
