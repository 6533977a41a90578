"""``dashboard``: what it would start, and from where; ``--version``."""

from __future__ import annotations

import os
import runpy
import sys
import tomllib
from pathlib import Path
from typing import NamedTuple

import pytest
from streamlit.web.cli import main as streamlit
from typer.testing import CliRunner

from prunepriv import cli
from prunepriv.version import __version__

ROOT = Path(__file__).resolve().parents[2]


class Started(NamedTuple):
    module: str
    words: list[str]
    folder: Path
    store: str
    data: str


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[Started]:
    """What was started instead of streamlit, by a user whose folder is ``tmp_path``."""
    there: list[Started] = []

    def run_module(module: str, run_name: str, alter_sys: bool) -> None:
        assert run_name == "__main__"
        assert alter_sys
        folders = os.environ["PRUNEPRIV_STORE"], os.environ["PRUNEPRIV_DATA"]
        there.append(Started(module, sys.argv[1:], Path.cwd(), *folders))

    monkeypatch.setattr(runpy, "run_module", run_module)
    monkeypatch.setattr(sys, "argv", [])
    monkeypatch.setenv("PRUNEPRIV_STORE", "named")
    monkeypatch.setenv("PRUNEPRIV_DATA", "data")
    monkeypatch.chdir(tmp_path)
    return there


def invoke(*words: str) -> str:
    done = CliRunner().invoke(cli.app.app, words, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def flags(words: list[str]) -> dict[str, str]:
    return dict(word.removeprefix("--").split("=", 1) for word in words if word.startswith("--"))


def test_it_starts_streamlit_in_our_folder_on_the_store_of_theirs(
    started: list[Started], tmp_path: Path
) -> None:
    invoke("dashboard")
    assert started[0].module == "streamlit"
    assert started[0].folder == ROOT
    assert started[0].words[:2] == ["run", str(ROOT / "app.py")]
    assert started[0].store == str(tmp_path / "named")
    assert started[0].data == str(tmp_path / "data")


def test_a_store_is_relative_to_the_users_folder(started: list[Started], tmp_path: Path) -> None:
    invoke("dashboard", "--store", "mine")
    assert started[0].store == str(tmp_path / "mine")


def test_every_setting_but_the_looks_is_told_as_a_flag(started: list[Started]) -> None:
    settings = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text())
    invoke("dashboard")
    told = flags(started[0].words)
    assert {name.split(".")[0] for name in told} == settings.keys() - {"theme"}
    assert told["server.address"] == "127.0.0.1"
    assert told["browser.gatherUsageStats"] == "false"
    assert told["server.headless"] == "true"
    hosts = [word for word in started[0].words if word.startswith("--server.allowedHosts=")]
    assert hosts == [f"--server.allowedHosts={host}" for host in settings["server"]["allowedHosts"]]
    assert "server.port" not in told, "streamlit looks for one that is free"
    known = {name for p in streamlit.commands["run"].params for name in p.opts}
    assert {f"--{name}" for name in told} <= known


def test_port_and_browser_are_handed_on(started: list[Started]) -> None:
    invoke("dashboard", "--port", "8600", "--browser")
    told = flags(started[0].words)
    assert told["server.port"] == "8600"
    assert told["server.headless"] == "false"
    assert told["server.showEmailPrompt"] == "false"
    invoke("dashboard", "--no-browser")
    assert flags(started[1].words)["server.headless"] == "true"


def test_a_port_that_is_none_is_refused(started: list[Started]) -> None:
    assert CliRunner().invoke(cli.app.app, ("dashboard", "--port", "0")).exit_code == 2
    assert started == []


def test_the_version_is_told() -> None:
    assert invoke("--version") == f"prunepriv {__version__}\n"
