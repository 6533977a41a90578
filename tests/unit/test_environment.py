from __future__ import annotations

from pathlib import Path

import pytest

from prunepriv.environment import (
    ASSETS,
    SCHEDULER,
    data_folder,
    root,
    scheduler,
    store_folder,
    user_folder,
)

ROOT = Path(__file__).resolve().parents[2]


def test_the_root_is_the_checkout_or_inside_the_installed_package(tmp_path: Path) -> None:
    assert root() == ROOT
    assert ASSETS == ROOT / "assets"
    package = tmp_path / "prunepriv"
    package.mkdir()
    assert root(package) == tmp_path
    (package / "_dashboard").mkdir()
    assert root(package) == package / "_dashboard"


def test_the_option_goes_before_the_environment_and_that_before_the_user_s_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PRUNEPRIV_STORE", str(tmp_path / "named"))
    assert store_folder(tmp_path / "given") == tmp_path / "given"
    assert store_folder() == tmp_path / "named"
    monkeypatch.setenv("PRUNEPRIV_STORE", "")
    assert store_folder() == user_folder() / "store"


def test_folders_are_absolute(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert store_folder(Path("here")) == tmp_path / "here"
    monkeypatch.setenv("PRUNEPRIV_DATA", "data")
    assert data_folder() == tmp_path / "data"
    monkeypatch.setenv("PRUNEPRIV_DATA", "~/data")
    assert data_folder() == Path.home() / "data"


@pytest.mark.parametrize(
    ("text", "address"), [(None, None), ("", None), (" tcp://here:1\n", "tcp://here:1")]
)
def test_a_scheduler_may_be_named(
    monkeypatch: pytest.MonkeyPatch, text: str | None, address: str | None
) -> None:
    monkeypatch.delenv(SCHEDULER, raising=False)
    if text is not None:
        monkeypatch.setenv(SCHEDULER, text)
    assert scheduler() == address
