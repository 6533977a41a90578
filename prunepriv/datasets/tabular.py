"""Tabular records that others collected and published as an archive.

Location: R. Shokri et al., Membership Inference Attacks Against Machine Learning Models, 2017, from
the check-ins of D. Yang et al., Participatory Cultural Mapping, 2016.
"""

from __future__ import annotations

import gzip
import io
import tarfile
import zlib
from pathlib import Path

import numpy as np

from prunepriv.datasets.base import Records
from prunepriv.datasets.download import Archive, fetch
from prunepriv.errors import ArchiveError
from prunepriv.progress import Report, silent

LOCATION = Archive(
    dataset="Location",
    file="dataset_location.tgz",
    url="https://github.com/privacytrustlab/datasets/raw/master/dataset_location.tgz",
    digest="927203f85a868f8ee17a0ded1dc61699efe602167beabe34fbf45b4b1de94b33",
    size=287_293,
)
LOCATION_FEATURES = 446
LOCATION_CLASSES = 30
LARGEST_UNPACKED = 32 << 20
"""Bytes; the real archive unpacks to 4.5 MB, and nothing larger is read into memory."""


def location(folder: Path, report: Report = silent, archive: Archive = LOCATION) -> Records:
    """Location's records: x uint8 (5010, 446) of 0 and 1, y int64 (5010,) of 0 to 29.

    Raises:
        ArchiveError: the file is not the archive it should be.
        DataError: it is not on this machine and cannot be downloaded.
    """
    path = fetch(archive, folder, report)
    text = unpack(path, "bangkok")
    return parse_label_first(text, LOCATION_FEATURES, LOCATION_CLASSES, f"{path.name}/bangkok")


def unpack(path: Path, member: str, largest: int = LARGEST_UNPACKED) -> bytes:
    """The one file in a gzipped tar archive, read into memory; nothing is extracted to disk.

    Raises:
        ArchiveError: damaged, too large, or holding anything but one regular file of that name.
    """
    try:
        with gzip.open(path) as stream:
            unpacked = stream.read(largest + 1)
        if len(unpacked) > largest:
            raise ArchiveError(f"{path} unpacks to more than {largest:,} bytes: not read")
        with tarfile.open(fileobj=io.BytesIO(unpacked), mode="r:") as tar:
            members = tar.getmembers()
            if len(members) != 1 or members[0].name != member or not members[0].isreg():
                names = ", ".join(repr(item.name) for item in members[:3]) or "nothing"
                raise ArchiveError(
                    f"{path} must hold one regular file {member!r} and nothing else, got "
                    f"{len(members)}: {names}"
                )
            content = tar.extractfile(members[0])
            return content.read() if content is not None else b""
    except (OSError, EOFError, zlib.error, tarfile.TarError) as error:
        raise ArchiveError(f"{path} is damaged ({error}): put a whole copy there") from None


def parse_label_first(text: bytes, features: int, classes: int, source: str) -> Records:
    """Lines of ``"label",0,1,...`` with labels from 1 and as many binary features.

    Args:
        text: one record per line.
        features, classes: what to expect.
        source: where the text came from, for messages.

    Returns:
        x uint8 (n, features) and y int64 (n,), labels counted from 0.

    Raises:
        ArchiveError: the first line that differs, by number.
    """
    labels, rows = [], []
    width = 2 * features  # a comma before each digit
    for number, line in enumerate(text.splitlines(), start=1):
        label, row = line[:-width].strip(b'"'), line[-width:]
        if not label.isdigit() or not 1 <= int(label) <= classes:
            raise ArchiveError(
                f"{source}, line {number}: expected a label of 1 to {classes} and {features} "
                f"features, got {line[:24]!r}... of {len(line)} characters"
            )
        labels.append(int(label) - 1)
        rows.append(row)
    x = _binary(b"".join(rows), features, source)
    if not len(x):
        raise ArchiveError(f"{source} holds no records")
    return x, np.array(labels, dtype=np.int64)


def _binary(text: bytes, features: int, source: str) -> np.ndarray:
    """Rows of ``,0,1,...`` as an array; every character is checked."""
    pairs = np.frombuffer(text, dtype=np.uint8).reshape(-1, features, 2)
    wrong = (pairs[..., 0] != ord(",")) | ((pairs[..., 1] & 0xFE) != ord("0"))
    if wrong.any():
        line = int(wrong.any(axis=1).argmax()) + 1
        raise ArchiveError(f"{source}, line {line}: expected {features} features of 0 or 1")
    return pairs[..., 1] & 1
