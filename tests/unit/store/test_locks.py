from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from prunepriv.errors import StoreError
from prunepriv.store.locks import LOCKS, at_work, claim, is_held, pid_file

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
        assert pid_file(lock).read_text() == str(holder.pid)
        assert lock.read_bytes() == b"", "the id stands beside it: Windows lets nobody read a lock"
        holder.send_signal(signal.SIGKILL)
        holder.wait()
    assert not is_held(lock)


def asking(lock: Path) -> sqlite3.Connection:
    """Whoever asks whether it is held, in the instant in which he does."""
    connection = sqlite3.connect(lock, isolation_level=None, check_same_thread=False)
    connection.execute("BEGIN")
    connection.execute("SELECT * FROM sqlite_master").fetchall()
    return connection


def test_two_who_ask_do_not_take_each_other_for_the_holder(lock: Path) -> None:
    released = claim(lock)
    assert released is not None
    released.release()
    other = asking(lock)
    assert not is_held(lock)
    other.close()
    with ThreadPoolExecutor(8) as pool:
        assert not any(pool.map(lambda _: is_held(lock), range(400)))


def test_a_claim_outlasts_whoever_asks(lock: Path) -> None:
    lock.parent.mkdir()
    other = asking(lock)
    threading.Timer(0.1, other.close).start()
    held = claim(lock)
    assert held is not None
    held.release()


def test_a_claim_waits_for_a_moment_only(lock: Path) -> None:
    held = claim(lock)
    assert held is not None
    started = time.monotonic()
    assert claim(lock) is None
    assert 0.2 < time.monotonic() - started < 5.0
    held.release()


def test_asking_makes_no_file(lock: Path) -> None:
    lock.parent.mkdir()
    assert not is_held(lock)
    assert not is_held(lock.parent), "the owner of a run that nobody works on is no file"
    assert list(lock.parent.iterdir()) == []


def test_a_claim_leaves_no_file_but_its_lock(lock: Path) -> None:
    held = claim(lock)
    assert held is not None
    assert {file.name for file in lock.parent.iterdir()} == {"engine.lock", "engine.pid"}
    held.release()
    assert [file.name for file in lock.parent.iterdir()] == ["engine.lock"]
    again = claim(lock)
    assert again is not None
    again.remove()
    assert list(lock.parent.iterdir()) == []


def test_the_lock_of_an_earlier_version_is_taken_over(lock: Path) -> None:
    lock.parent.mkdir()
    lock.write_text("12345")
    assert not is_held(lock)
    held = claim(lock)
    assert held is not None
    assert is_held(lock)
    held.release()


def test_a_beat_moves_the_time_of_change(lock: Path) -> None:
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


def test_a_lock_that_cannot_be_opened(lock: Path) -> None:
    lock.mkdir(parents=True)
    with pytest.raises(StoreError, match="cannot be written to"):
        claim(lock)
    assert not is_held(lock)


def test_a_beat_after_the_store_was_removed(lock: Path) -> None:
    held = claim(lock)
    assert held is not None
    held.beat()
    shutil.rmtree(lock.parent)
    with pytest.raises(StoreError, match="was removed"):
        held.beat()
    held.release()
    assert not lock.parent.exists()


def test_a_store_that_was_removed_and_made_again_is_another_s(lock: Path) -> None:
    held = claim(lock)
    assert held is not None
    shutil.rmtree(lock.parent)
    other = claim(lock)
    assert other is not None
    with pytest.raises(StoreError, match="was removed"):
        held.beat()
    other.beat()
    held.release()
    assert is_held(lock)
    assert pid_file(lock).exists()
    other.release()


def test_who_writes_outside_of_a_run_holds_a_lock_meanwhile(tmp_path: Path) -> None:
    with at_work(tmp_path):
        (held,) = (tmp_path / LOCKS).glob("*.lock")
        assert is_held(held)
    assert list((tmp_path / LOCKS).iterdir()) == []
