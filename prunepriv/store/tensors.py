"""Reads the arrays of a safetensors file, and copies none of a large file.

The format: 8 bytes that give the length of a header, the header in JSON, then all arrays one after
the other. The `safetensors` package copies every array for numpy. A large file is therefore mapped
into memory: what a step does not use is never read, and processes that read the same artifact share
its pages. The map is copy-on-write: arrays can be written to, and the file never changes.
"""

from __future__ import annotations

import json
import mmap
from pathlib import Path
from typing import IO, Any

import numpy as np

MAPPED = 1 << 20
"""Bytes from which a file is mapped: a map keeps its file open, and pages read many small files."""
LONGEST_HEADER = 100_000_000
"""Bytes; the same limit as in the safetensors package."""

TYPES = {
    "F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "<i1",
    "U64": "<u8", "U32": "<u4", "U16": "<u2", "U8": "<u1", "BOOL": "?",
}  # fmt: skip


def read_tensors(file: Path) -> dict[str, np.ndarray]:
    """All arrays by name; writing to them does not change the file.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is not a safetensors file, or it is damaged.
    """
    with file.open("rb") as stream:
        content = _content(stream)
    begin = 8 + int.from_bytes(content[:8], "little")
    if not 8 < begin <= min(len(content), LONGEST_HEADER):
        raise ValueError("its header is damaged")
    header = json.loads(content[8:begin])
    if not isinstance(header, dict):
        raise ValueError("its header is damaged")
    header.pop("__metadata__", None)
    return {name: _array(content, begin, about) for name, about in header.items()}


def _content(stream: IO[bytes]) -> bytearray | mmap.mmap:
    size = stream.seek(0, 2)
    if size >= MAPPED:
        return mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_COPY)
    stream.seek(0)
    return bytearray(stream.read())


def _array(content: bytearray | mmap.mmap, begin: int, about: Any) -> np.ndarray:
    """One array, which shares the content's memory."""
    try:
        dtype = np.dtype(TYPES[about["dtype"]])
        shape = tuple(map(int, about["shape"]))
        first, last = map(int, about["data_offsets"])
    except (KeyError, TypeError) as error:
        raise ValueError(f"its header is damaged ({error})") from None
    count = 1
    for length in shape:
        count *= length
    whole = 0 <= first <= last <= len(content) - begin and min(shape, default=0) >= 0
    if not whole or last - first != count * dtype.itemsize:
        raise ValueError("its header does not fit its content")
    array = np.frombuffer(content, dtype, count, begin + first) if count else np.empty(0, dtype)
    return np.require(array.reshape(shape), requirements=["A", "W"])
