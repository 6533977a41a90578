"""Arrays are read as the safetensors package reads them, but not copied; damage is reported."""

from __future__ import annotations

import json
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy
import torch
from hypothesis import given
from hypothesis import strategies as st

from prunepriv.errors import MissingArtifactError
from prunepriv.store.artifacts import ArtifactStore
from prunepriv.store.tensors import MAPPED, TYPES, read_tensors

KEY = "ab" * 32


def of_every_type(rows: int) -> dict[str, np.ndarray]:
    """An array of each type, with one odd in length, one scalar and one empty."""
    rng = np.random.default_rng(3)
    arrays = {
        name: rng.integers(0, 2, (rows, 3)).astype(np.dtype(code)) for name, code in TYPES.items()
    }
    return {
        **arrays,
        "odd": rng.integers(0, 255, 7, dtype=np.uint8),
        "scalar": np.array(1.5, np.float32),
        "empty": np.empty((0, 4), np.int64),
    }


@pytest.mark.parametrize("rows", [5, MAPPED // 8], ids=["read", "mapped"])
def test_equal_to_what_the_package_reads(tmp_path: Path, rows: int) -> None:
    file = tmp_path / "t.safetensors"
    safetensors.numpy.save_file(of_every_type(rows), file)
    assert (file.stat().st_size >= MAPPED) == (rows > 5)
    expected, found = safetensors.numpy.load_file(file), read_tensors(file)
    assert set(found) == set(expected)
    for name, array in expected.items():
        assert (found[name].dtype, found[name].shape) == (array.dtype, array.shape)
        np.testing.assert_array_equal(found[name], array)


@pytest.mark.parametrize("rows", [5, MAPPED // 8], ids=["read", "mapped"])
def test_writing_to_an_array_changes_no_file_and_no_other_reader(tmp_path: Path, rows: int) -> None:
    """torch warns of arrays that cannot be written to, and warnings are errors here."""
    file = tmp_path / "t.safetensors"
    safetensors.numpy.save_file({"x": np.zeros((rows, 8), np.float32)}, file)
    before = file.read_bytes()
    first, second = read_tensors(file)["x"], read_tensors(file)["x"]
    torch.from_numpy(first).add_(1)
    assert (first == 1).all()
    assert (second == 0).all()
    assert file.read_bytes() == before


def test_a_large_file_is_not_copied(tmp_path: Path) -> None:
    file = tmp_path / "t.safetensors"
    safetensors.numpy.save_file({"x": np.ones((4_000_000,), np.uint8)}, file)
    tracemalloc.start()
    x = read_tensors(file)["x"]
    assert tracemalloc.get_traced_memory()[1] < 100_000
    tracemalloc.stop()
    file.unlink()  # what is mapped stays
    assert x.sum() == 4_000_000


def framed(header: object, content: bytes = b"\x00" * 16) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + content


def about(**change: object) -> dict[str, object]:
    return {"x": {"dtype": "F32", "shape": [4], "data_offsets": [0, 16], **change}}


DAMAGED = {
    "nothing": b"",
    "seven bytes": b"\x00" * 7,
    "no header": (0).to_bytes(8, "little") + b"\x00" * 16,
    "a header beyond the end": (1 << 40).to_bytes(8, "little") + b"{}",
    "no JSON": framed(b"not JSON"),
    "no UTF-8": framed(b"\xff\xfe{}"),
    "a list": framed([1, 2]),
    "no description": framed({"x": 3}),
    "no offsets": framed({"x": {"dtype": "F32", "shape": [4]}}),
    "an unknown type": framed(about(dtype="F4")),
    "an end beyond the file": framed(about(shape=[8], data_offsets=[0, 32])),
    "a beginning before the file": framed(about(data_offsets=[-16, 0])),
    "a shape that does not fit": framed(about(shape=[3])),
    "a negative shape": framed(about(shape=[-2, -2])),
    "a huge shape": framed(about(shape=[1 << 62, 1 << 62])),
    "three offsets": framed(about(data_offsets=[0, 8, 16])),
    "a shape of words": framed(about(shape=["four"])),
}


@pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED)
def test_damage_is_reported(store: ArtifactStore, content: bytes) -> None:
    with store.write(KEY, {}) as draft:
        (draft.path / "t.safetensors").write_bytes(content)
    artifact = store.open(KEY)
    with pytest.raises(MissingArtifactError, match=r"t\.safetensors cannot be read"):
        artifact.tensors("t")


def test_damage_of_a_mapped_file_is_reported(tmp_path: Path) -> None:
    file = tmp_path / "t.safetensors"
    safetensors.numpy.save_file({"x": np.ones(2 * MAPPED, np.uint8)}, file)
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(ValueError, match="does not fit"):
        read_tensors(file)


def test_the_same_file_without_damage_is_read(store: ArtifactStore) -> None:
    with store.write(KEY, {}) as draft:
        (draft.path / "t.safetensors").write_bytes(framed(about()))
    assert store.open(KEY).tensors("t")["x"].tolist() == [0, 0, 0, 0]


@given(st.binary(max_size=200))
def test_no_bytes_crash_it(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    file = tmp_path_factory.getbasetemp() / "any.safetensors"
    file.write_bytes(content)
    try:
        read_tensors(file)
    except ValueError:
        return


def test_an_array_at_an_odd_offset_is_aligned(tmp_path: Path) -> None:
    """The package pads its headers; other writers need not."""
    file = tmp_path / "odd.safetensors"
    header = about(data_offsets=[1, 17])
    numbers = np.arange(4, dtype=np.float32)
    for _ in range(2):
        file.write_bytes(framed(header, b"\x00" + numbers.tobytes()))
        x = read_tensors(file)["x"]
        assert x.flags.aligned
        np.testing.assert_array_equal(x, numbers)
        header["__metadata__"] = {"shifts": "by a byte"}
