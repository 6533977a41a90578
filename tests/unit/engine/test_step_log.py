"""What a step's log holds, and when it goes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from prunepriv.engine.step_log import kept_log
from prunepriv.errors import Cancelled, DataError
from prunepriv.store.artifacts import ArtifactStore
from prunepriv.store.step_logs import add_to_log, log_path, read_log
from tests.documents import ROOT

KEY = "ab" * 32


@pytest.mark.parametrize("printed", [False, True])
def test_a_step_that_is_done_keeps_no_log(tmp_path: Path, printed: bool) -> None:
    add_to_log(tmp_path, KEY, "of an earlier try")
    with kept_log(tmp_path, [KEY], printed=printed):
        assert read_log(tmp_path, KEY) == "", "it is done again"
    assert not log_path(tmp_path, KEY).exists()


@pytest.mark.parametrize("printed", [False, True])
def test_a_step_that_is_cancelled_keeps_no_log(tmp_path: Path, printed: bool) -> None:
    with pytest.raises(Cancelled), kept_log(tmp_path, [KEY], printed=printed):
        raise Cancelled("enough")
    assert not log_path(tmp_path, KEY).exists()


def test_a_step_that_fails_keeps_its_traceback(tmp_path: Path) -> None:
    with pytest.raises(DataError), kept_log(tmp_path, [KEY], printed=False):
        raise DataError("no such file")
    lines = read_log(tmp_path, KEY).splitlines()
    assert lines[0] == "Traceback (most recent call last):"
    assert lines[-1] == "prunepriv.errors.DataError: no such file"


def test_the_log_of_a_group_becomes_that_of_the_first_step_which_the_store_lacks(
    tmp_path: Path,
) -> None:
    keys = ["ab" * 32, "cd" * 32, "ef" * 32]
    for key in keys:
        add_to_log(tmp_path, key, "of an earlier try")

    def steps() -> None:
        with ArtifactStore(tmp_path).write(keys[0], {}) as draft:
            draft.json("value", 1)
        raise DataError("no such file")

    with pytest.raises(DataError), kept_log(tmp_path, keys, printed=True):
        steps()
    assert [bool(read_log(tmp_path, key)) for key in keys] == [False, True, False]
    assert read_log(tmp_path, keys[1]).endswith("DataError: no such file\n")


def test_what_is_printed_is_kept_and_printed_after_all(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    def step() -> None:
        os.write(2, b"a library in C\n")
        raise DataError("no such file")

    with pytest.raises(DataError), kept_log(tmp_path, [KEY], printed=True):
        step()
    told = read_log(tmp_path, KEY)
    assert told.startswith("a library in C\nTraceback")
    assert told.count("Traceback") == 1
    printed = capfd.readouterr().err
    assert printed == "a library in C\n", "the traceback goes where the error goes"
    os.write(2, b"afterwards\n")
    assert capfd.readouterr().err == "afterwards\n"
    assert "afterwards" not in read_log(tmp_path, KEY)


def test_what_a_step_that_is_done_printed_is_not_lost(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with kept_log(tmp_path, [KEY], printed=True):
        os.write(2, b"a library in C\n")
    assert capfd.readouterr().err == "a library in C\n"


def test_a_fault_in_a_library_leaves_the_stack(tmp_path: Path) -> None:
    script = (
        "import faulthandler, sys, warnings\n"
        "from pathlib import Path\n"
        "from prunepriv.engine.step_log import kept_log\n"
        "def convolve(): warnings.warn('be careful'); faulthandler._sigsegv()\n"
        f"with kept_log(Path(sys.argv[1]), [{KEY!r}], printed=True): convolve()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], cwd=ROOT, capture_output=True, check=False
    )
    assert done.returncode == -11
    told = read_log(tmp_path, KEY)
    assert "UserWarning: be careful" in told
    assert "\nFatal Python error: Segmentation fault\n" in told
    assert told.index("in convolve") > told.index("Fatal Python error")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full, a Linux device")
def test_a_step_is_done_where_nothing_can_be_printed(tmp_path: Path) -> None:
    script = (
        "import os, sys\n"
        "from pathlib import Path\n"
        "from prunepriv.engine.step_log import kept_log\n"
        f"with kept_log(Path(sys.argv[1]), [{KEY!r}], printed=True): os.write(2, b'printed')\n"
    )
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-c", script, str(tmp_path)], cwd=ROOT, stderr=full, check=False
        )
    assert done.returncode == 0


def test_a_step_is_done_where_no_log_can_be_written(tmp_path: Path) -> None:
    (tmp_path / "logs").write_text("a file where the folder should be")
    with kept_log(tmp_path, [KEY], printed=True):
        (tmp_path / "done").touch()
    assert (tmp_path / "done").exists()
