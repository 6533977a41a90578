"""What makes a process a good worker."""

from __future__ import annotations

import platform
import subprocess
import sys
from pathlib import Path

import pytest

from prunepriv.engine.worker_setup import TOKEN, join_engine, keep_memory
from tests.fake_runner import RUNNER

FAULTS = """
import ctypes, resource
from prunepriv.engine.worker_setup import keep_memory
libc = ctypes.CDLL(None)
libc.malloc.restype, libc.free.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
SIZE = 64 * 2**20
def faults(times):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(times):
        block = libc.malloc(SIZE)
        ctypes.memset(block, 1, SIZE)
        libc.free(block)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
faults(1)
print(faults(4))
assert keep_memory()
faults(1)
print(faults(4))
"""
"""Counts the pages that the system gives for blocks as large as an epoch's tensors."""

GLIBC = platform.libc_ver()[0] == "glibc"


@pytest.mark.skipif(not GLIBC, reason="glibc's malloc alone can be told to keep memory")
def test_large_blocks_are_kept() -> None:
    """In a process of its own; with the setting that Dask's nannies give their workers."""
    done = subprocess.run(
        [sys.executable, "-c", FAULTS],
        env={"MALLOC_TRIM_THRESHOLD_": "65536", "PATH": ""},
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).resolve().parents[3],
    )
    before, after = map(int, done.stdout.split())
    assert before > 100
    assert after < before / 20


def test_elsewhere_nothing_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_library(name: object) -> object:
        raise TypeError("Windows has no library without a name")

    monkeypatch.setattr("ctypes.CDLL", no_library)
    assert keep_memory() is False


@pytest.fixture
def prepared(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The runners for which this process was set up."""
    made: list[str] = []
    monkeypatch.setattr("prunepriv.engine.worker_setup.prepare", made.append)
    return made


def test_a_worker_that_sees_the_store_joins(tmp_path: Path, prepared: list[str]) -> None:
    (tmp_path / TOKEN).write_text("this one")
    assert join_engine(tmp_path, "this one", RUNNER) == ""
    assert prepared == [RUNNER]
    assert [file.name for file in tmp_path.iterdir()] == [TOKEN], "it tries to write, and tidies up"


def test_a_worker_that_does_not_see_the_store_says_so(tmp_path: Path, prepared: list[str]) -> None:
    """Its folder is missing, or is an other one under the same path."""
    store = tmp_path / "store"
    assert join_engine(store, "this one", RUNNER) == f"does not see the store {store}"
    assert not store.exists()
    store.mkdir()
    (store / TOKEN).write_text("another")
    assert join_engine(store, "this one", RUNNER) == f"sees another store at {store}"
    assert prepared == []


def test_a_worker_that_cannot_write_says_so(
    tmp_path: Path, prepared: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def read_only(**_: object) -> object:
        raise OSError(30, "Read-only file system")

    (tmp_path / TOKEN).write_text("this one")
    monkeypatch.setattr("tempfile.TemporaryFile", read_only)
    told = join_engine(tmp_path, "this one", RUNNER)
    assert told == f"cannot write to the store {tmp_path} (Read-only file system)"
    assert prepared == []
