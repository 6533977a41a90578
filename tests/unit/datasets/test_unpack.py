"""Tar archives are read in one pass and in memory; what is not safe is refused and named."""

from __future__ import annotations

import tarfile
from pathlib import Path
from typing import IO

import pytest

from prunepriv.datasets.unpack import read_tar
from prunepriv.errors import ArchiveError

from .conftest import regular, tar

LARGEST = 1 << 20


def whole(stream: IO[bytes]) -> bytes:
    return stream.read()


def read(folder: Path, packed: bytes, largest: int = LARGEST) -> dict[str, bytes]:
    (folder / "a.tgz").write_bytes(packed)
    return read_tar(folder / "a.tgz", {"top/one": whole, "top/two": whole}, largest)


def other(kind: bytes, target: str = "") -> tuple[tarfile.TarInfo, bytes]:
    member = tarfile.TarInfo("top/three")
    member.type, member.linkname = kind, target
    return member, b""


RIGHT = (regular("top/two", b"22"), regular("top/one", b"1"))


def test_wanted_files_in_any_order_while_others_are_skipped(tmp_path: Path) -> None:
    packed = tar(other(tarfile.DIRTYPE), regular("readme", b"?"), *RIGHT)
    assert read(tmp_path, packed) == {"top/one": b"1", "top/two": b"22"}


UNSAFE = {
    "parent path": (regular("../x", b""), "member '../x' has an absolute or parent path"),
    "inner parent path": (regular("top/../../x", b""), "has an absolute or parent path"),
    "absolute path": (regular("/etc/x", b""), "member '/etc/x' has an absolute or parent path"),
    "Windows path": (regular("C:\\x", b""), "has an absolute or parent path"),
    "symbolic link": (other(tarfile.SYMTYPE, "/etc/passwd"), "'top/three' is neither a regular"),
    "hard link": (other(tarfile.LNKTYPE, "top/one"), "'top/three' is neither a regular file"),
    "device": (other(tarfile.CHRTYPE), "'top/three' is neither a regular file nor a folder"),
    "pipe": (other(tarfile.FIFOTYPE), "'top/three' is neither a regular file nor a folder"),
    "twice": (regular("top/one", b"2"), "member 'top/one' is listed twice"),
}


@pytest.mark.parametrize(("member", "rule"), UNSAFE.values(), ids=UNSAFE)
def test_what_is_not_safe_is_refused(
    member: tuple[tarfile.TarInfo, bytes], rule: str, tmp_path: Path
) -> None:
    with pytest.raises(ArchiveError, match=rule) as told:
        read(tmp_path, tar(*RIGHT, member))
    assert "\n" not in str(told.value)
    assert [path.name for path in tmp_path.iterdir()] == ["a.tgz"]


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match="holds no regular file 'top/one'"):
        read(tmp_path, tar(RIGHT[0]))


def test_an_archive_that_unpacks_to_too_much(tmp_path: Path) -> None:
    packed = tar(*RIGHT, regular("readme", bytes(2 * LARGEST)))
    assert len(packed) < 10_000
    with pytest.raises(ArchiveError, match=r"a\.tgz unpacks to more than 1,048,576 bytes"):
        read(tmp_path, packed)


def test_damage_anywhere_is_refused(tmp_path: Path) -> None:
    packed = tar(*RIGHT)
    checksum = bytearray(packed)
    checksum[-6] ^= 1
    for damaged in (b"", b"no gzip", packed[: len(packed) // 2], packed[:-1], bytes(checksum)):
        with pytest.raises(
            ArchiveError, match=r"a\.tgz is damaged .*: replace it with a complete copy"
        ):
            read(tmp_path, damaged)
