from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from prunepriv.errors import StoreError
from prunepriv.store.locks import claim, is_held

HOLDER = """
import pathlib, sys
from prunepriv.store.locks import claim
assert claim(pathlib.Path(sys.argv[1])) is not None
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    return tmp_path / "store" / "engine.lock"


def test_only_one_holds_it(lock: Path) -> None:
    first = claim(lock)
    assert first is not None
    assert is_held(lock)
    assert claim(lock) is None
    first.release()
    first.release()
    assert not is_held(lock)
    second = claim(lock)
    assert second is not None
    second.release()


def test_nobody_holds_what_is_not_there(lock: Path) -> None:
    assert not is_held(lock)


def test_a_killed_holder_lets_go(lock: Path) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(lock)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        assert is_held(lock)
        assert lock.read_text() == str(holder.pid)
        holder.send_signal(signal.SIGKILL)
        holder.wait()
    assert not is_held(lock)


def test_a_beat_moves_the_time_of_change(lock: Path) -> None:
    import os

    held = claim(lock)
    assert held is not None
    os.utime(lock, (0, 0))
    held.beat()
    held.release()
    assert lock.stat().st_mtime > 0


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be written to"):
        claim(tmp_path / "file" / "engine.lock")
