from __future__ import annotations

import errno
import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from prunepriv.errors import StoreError
from prunepriv.store.run_files import write_whole

Replace = Callable[[Path, Path], None]


def refusing(times: int, then: Replace) -> Replace:
    """``os.replace`` as Windows has it while somebody reads the file."""
    left = [times]

    def replace(source: Path, target: Path) -> None:
        if left[0]:
            left[0] -= 1
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        then(source, target)

    return replace


def test_a_file_that_is_being_read_is_replaced_a_moment_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "runs" / "run.json"
    write_whole(file, {"status": "queued"}, tmp_path)
    monkeypatch.setattr(os, "replace", refusing(3, os.replace))
    write_whole(file, {"status": "done"}, tmp_path)
    assert json.loads(file.read_text()) == {"status": "done"}
    assert list(file.parent.iterdir()) == [file]


def test_a_file_that_may_not_be_replaced_is_told_soon(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "replace", refusing(-1, os.replace))
    started = time.monotonic()
    with pytest.raises(StoreError, match="cannot be written to: choose another --store"):
        write_whole(tmp_path / "run.json", {}, tmp_path)
    assert time.monotonic() - started < 5.0
    assert list(tmp_path.iterdir()) == []
