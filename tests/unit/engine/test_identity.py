"""Which program this is."""

from __future__ import annotations

from pathlib import Path

import pytest

from prunepriv.engine.identity import IDENTITY, code_digest
from prunepriv.version import __version__


@pytest.fixture
def package(tmp_path: Path) -> Path:
    (tmp_path / "room").mkdir()
    (tmp_path / "a.py").write_text("one = 1\n")
    (tmp_path / "room" / "b.py").write_text("two = 2\n")
    return tmp_path


def test_an_identity_names_the_version() -> None:
    assert IDENTITY.startswith(f"{__version__} (code ")


@pytest.mark.parametrize(
    ("file", "text"),
    [("a.py", "one = 2\n"), ("room/b.py", ""), ("room/c.py", "")],
)
def test_every_change_of_a_module_is_another_program(package: Path, file: str, text: str) -> None:
    before = code_digest(package)
    (package / file).write_text(text)
    assert code_digest(package) != before


def test_a_module_that_is_moved_makes_another_program(package: Path) -> None:
    before = code_digest(package)
    (package / "a.py").rename(package / "room" / "a.py")
    assert code_digest(package) != before


def test_ends_of_lines_pages_and_compiled_modules_do_not_count(package: Path) -> None:
    before = code_digest(package)
    (package / "a.py").write_bytes(b"one = 1\r\n")
    (package / "_dashboard").mkdir()
    (package / "_dashboard" / "app.py").write_text("")
    (package / "a.pyc").write_text("")
    assert code_digest(package) == before
