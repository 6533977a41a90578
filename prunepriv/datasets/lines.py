"""Read text of binary features, one record per line, into arrays of bytes.

The text is read block by block and is never in memory as a whole: for Texas and Purchase it is
twice as large as the records. Each block becomes one array, in which every character is checked.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO

import numpy as np

from prunepriv.datasets.base import Records
from prunepriv.errors import ArchiveError
from prunepriv.progress import Report, silent

BLOCK = 1 << 20
"""Bytes. With four times as many Texas takes twice as long, because a block then no longer fits
into the processor's cache."""
SHOWN = 24
"""Characters of a wrong line that a message shows."""


def label_first(
    stream: IO[bytes],
    *,
    records: int,
    features: int,
    classes: int,
    where: str,
    report: Report = silent,
) -> Records:
    """Read lines of ``"label",0,1,...``; labels count from 1, with or without quotes.

    Args:
        stream: one record per line.
        records, features, classes: what to expect.
        where: name of the text, for messages.
        report: receives the progress.

    Returns:
        x uint8 (records, features) of 0 and 1 and y int64 (records,), labels counted from 0.

    Raises:
        ArchiveError: a line that differs (the first one is named), or too few lines.
    """
    return _read(stream, _labels(classes), records, features, where, report, begin=b"")


def features_only(
    stream: IO[bytes], *, records: int, features: int, where: str, report: Report = silent
) -> np.ndarray:
    """Read lines of ``0,1,...``: uint8 (records, features) of 0 and 1.

    Raises:
        ArchiveError: as :func:`label_first`.
    """
    return _read(stream, {b"": 0}, records, features, where, report, begin=b",")[0]


def labels_only(stream: IO[bytes], *, records: int, classes: int, where: str) -> np.ndarray:
    """Read lines of one label each, which count from 1: int64 (records,), counted from 0.

    Raises:
        ArchiveError: as :func:`label_first`.
    """
    return _read(stream, _labels(classes), records, 0, where, silent, begin=b"")[1]


def _labels(classes: int) -> dict[bytes, int]:
    """Every way to write a label, and the label counted from 0."""
    return {
        quote + str(label + 1).encode() + quote: label
        for label in range(classes)
        for quote in (b"", b'"')
    }


def _read(
    stream: IO[bytes],
    labels: dict[bytes, int],
    records: int,
    features: int,
    where: str,
    report: Report,
    begin: bytes,
) -> Records:
    """Read lines of a label and a comma before each feature; each line gets `begin` in front."""
    x = np.empty((records, features), dtype=np.uint8)
    y = np.empty(records, dtype=np.int64)
    width, done = 2 * features, 0
    for lines in _lines(stream, len(begin) + width + SHOWN):
        heads, tails = _cut([begin + line for line in lines], width)
        found = [labels.get(head) if head is not None else None for head in heads]
        fit = min(found.index(None) if None in found else len(found), records - done)
        y[done : done + fit] = np.array(found[:fit], dtype=np.int64)
        x[done : done + fit] = _bits(tails[:fit], features, where, done + 1)
        done += fit
        if fit < len(lines):
            raise _wrong(lines[fit], where, done, records, features, labels)
        report(done / records, f"reading {where}: {done:,} of {records:,} records")
    if done < records:
        raise ArchiveError(f"{where} holds {done:,} records, and {records:,} were expected")
    return x, y


def _lines(stream: IO[bytes], longest: int) -> Iterator[list[bytes]]:
    """Complete lines, many at a time.

    A line that is longer than `longest` is given only in part, and nothing after it is read.
    """
    rest = b""
    while block := stream.read(BLOCK):
        *lines, rest = (rest + block).split(b"\n")
        if lines:
            yield [line.removesuffix(b"\r") for line in lines]
        if len(rest) > longest:
            break
    if rest:
        yield [rest.removesuffix(b"\r")]


def _cut(lines: list[bytes], width: int) -> tuple[list[bytes | None], list[bytes]]:
    """Each line before its last `width` characters (None if too short), and these characters."""
    cuts = [len(line) - width for line in lines]
    heads = [line[:cut] if cut >= 0 else None for line, cut in zip(lines, cuts, strict=True)]
    return heads, [line[cut:] for line, cut in zip(lines, cuts, strict=True)]


def _bits(rows: list[bytes], features: int, where: str, first: int) -> np.ndarray:
    """Rows of ``,0,1,...`` as an array of 0 and 1; `first` is the line number of the first row.

    A comma and a digit are read as one little-endian number of 16 bits, which halves the work.
    """
    pairs = np.frombuffer(b"".join(rows), dtype="<u2").reshape(len(rows), features)
    comma, digit = ord(","), ord("0") << 8
    wrong = (pairs & 0xFEFF) != (digit | comma)
    if wrong.any():
        line = first + int(wrong.any(axis=1).argmax())
        raise ArchiveError(f"{where}, line {line:,}: expected {features:,} features of 0 or 1")
    return ((pairs >> 8) & 1).astype(np.uint8)


def _wrong(
    line: bytes, where: str, done: int, records: int, features: int, labels: dict[bytes, int]
) -> ArchiveError:
    """The error for the line after the first `done` lines."""
    if done == records:
        return ArchiveError(f"{where}, line {done + 1:,}: expected {records:,} records and no more")
    classes = max(labels.values()) + 1
    wanted = [] if b"" in labels else [f"a label of 1 to {classes}"]
    wanted += [f"{features:,} features of 0 or 1"] if features else []
    return ArchiveError(
        f"{where}, line {done + 1:,}: expected {' and '.join(wanted)}, got {line[:SHOWN]!r}... of "
        f"{len(line):,} characters"
    )
