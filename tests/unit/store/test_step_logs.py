"""The log of a step that failed."""

from __future__ import annotations

from pathlib import Path

import pytest

from prunepriv.errors import StoreError
from prunepriv.store import step_logs
from prunepriv.store.step_logs import add_to_log, log_path, move_log, read_log, remove_logs

KEY = "0123456789abcdef" * 4
OTHER = "fedcba9876543210" * 4


def test_a_log_is_written_at_its_end_read_and_removed(tmp_path: Path) -> None:
    assert read_log(tmp_path, KEY) == ""
    add_to_log(tmp_path, KEY, "first")
    add_to_log(tmp_path, KEY, "second \u2013\n")
    assert log_path(tmp_path, KEY) == tmp_path / "logs" / f"{KEY}.txt"
    assert read_log(tmp_path, KEY) == "first\nsecond \u2013\n"
    remove_logs(tmp_path, [KEY])
    remove_logs(tmp_path, [KEY])
    assert read_log(tmp_path, KEY) == ""


def test_a_log_moves_to_another_step_of_its_group(tmp_path: Path) -> None:
    move_log(tmp_path, KEY, OTHER)
    add_to_log(tmp_path, KEY, "first")
    move_log(tmp_path, KEY, KEY)
    move_log(tmp_path, KEY, OTHER)
    assert (read_log(tmp_path, KEY), read_log(tmp_path, OTHER)) == ("", "first\n")
    add_to_log(tmp_path, KEY, "again")
    remove_logs(tmp_path, [OTHER, KEY])
    assert list((tmp_path / "logs").iterdir()) == []


def test_only_the_end_of_a_long_log_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(step_logs, "MOST", 5)
    add_to_log(tmp_path, KEY, "beginning and end")
    assert read_log(tmp_path, KEY) == " end\n"


def test_bytes_that_are_no_text_can_be_read(tmp_path: Path) -> None:
    add_to_log(tmp_path, KEY, "x")
    log_path(tmp_path, KEY).write_bytes(b"\xff\xfe then text")
    assert read_log(tmp_path, KEY).endswith(" then text")


@pytest.mark.parametrize("key", ["../../passwd", "", KEY[:-1], f"{KEY}/x", KEY.upper()])
def test_text_that_is_no_key_never_becomes_a_path(tmp_path: Path, key: str) -> None:
    for use in (log_path, read_log):
        with pytest.raises(StoreError, match="64 hexadecimal digits"):
            use(tmp_path, key)
    with pytest.raises(StoreError, match="64 hexadecimal digits"):
        remove_logs(tmp_path, [key])
    for pair in ((KEY, key), (key, KEY)):
        with pytest.raises(StoreError, match="64 hexadecimal digits"):
            move_log(tmp_path, *pair)
    with pytest.raises(StoreError, match="64 hexadecimal digits"):
        add_to_log(tmp_path, key, "text")


def test_a_log_does_not_make_a_store_again_that_was_removed(tmp_path: Path) -> None:
    add_to_log(tmp_path / "store", KEY, "text")
    assert not (tmp_path / "store").exists()


def test_a_store_that_cannot_be_written_to_keeps_no_log(tmp_path: Path) -> None:
    (tmp_path / "logs").write_text("a file where the folder should be")
    add_to_log(tmp_path, KEY, "text")
    remove_logs(tmp_path, [KEY])
    assert read_log(tmp_path, KEY) == ""
