"""Where progress is shown: a terminal, a notebook, or nowhere."""

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

import prunepriv
from prunepriv.library.screen import Notebook, Screen, Terminal, open_screen
from tests.unit.library.conftest import SMALL


class Handle:
    """What IPython's ``display`` returns: here it remembers what it was given."""

    def __init__(self, html: str) -> None:
        self.shown = [html]

    def update(self, html: str) -> None:
        self.shown.append(html)


@pytest.fixture
def notebook(monkeypatch: pytest.MonkeyPatch) -> list[Handle]:
    """A notebook's kernel, as far as it matters here; what it displays."""
    displayed: list[Handle] = []

    def display(html: str, display_id: bool = False) -> Handle:
        displayed.append(Handle(html))
        return displayed[-1]

    ipython: Any = ModuleType("IPython")
    ipython.get_ipython = lambda: SimpleNamespace(kernel=object())
    ipython.display = ModuleType("IPython.display")
    ipython.display.display, ipython.display.HTML = display, str
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    monkeypatch.setitem(sys.modules, "IPython.display", ipython.display)
    return displayed


def test_nobody_watches_a_script(capsys: pytest.CaptureFixture[str]) -> None:
    with open_screen(True) as screen:
        screen.draw(0.5, "train")
        screen.tell("hello")
        assert type(screen) is Screen
    assert capsys.readouterr() == ("", "")


@pytest.mark.usefixtures("notebook")
def test_nothing_is_shown_unless_wanted() -> None:
    with open_screen(False) as screen:
        assert type(screen) is Screen


def test_a_terminal_has_a_bar(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    with open_screen(True) as screen:
        assert isinstance(screen, Terminal)
        screen.draw(0.5, "train")
        screen.report(0.7, "reading")
        screen.tell("the engine has ended")
    captured = capsys.readouterr()
    assert "the engine has ended" in captured.err
    assert captured.out == ""


def test_a_notebook_has_a_bar(notebook: list[Handle]) -> None:
    with open_screen(True) as screen:
        assert isinstance(screen, Notebook)
        screen.draw(0.5, "train <1>", "about 3 s left")
        screen.draw(0.5, "train <1>", "about 3 s left")
        screen.tell("a & b")
    bar, told = notebook
    assert bar.shown == [
        "", '<progress max="100" value="50"></progress> train &lt;1&gt;, about 3 s left', ""
    ]  # fmt: skip
    assert told.shown == ["a &amp; b"]


@pytest.mark.usefixtures("fake")
def test_a_run_and_a_sweep_show_how_far_they_are(notebook: list[Handle]) -> None:
    prunepriv.run(**SMALL, inline=True)
    prunepriv.sweep(**SMALL, seed=[1, 2], inline=True)
    run, sweep = (handle.shown for handle in notebook)
    assert 'value="100"' in run[-2]
    assert "2 of 2 runs, " in sweep[-2]
    assert (run[-1], sweep[-1]) == ("", "")


@pytest.mark.usefixtures("fake", "notebook")
def test_a_file_is_read_with_a_bar(tmp_path: Any, notebook: list[Handle]) -> None:
    file = tmp_path / "people.csv"
    file.write_text("age,label\n" + "4,a\n7,b\n" * 40)
    prunepriv.run(**{**SMALL, "limit": None}, data=file, inline=True)
    assert len(notebook) == 2, "a bar for reading, and one for the run"
    assert any("100" in shown for shown in notebook[0].shown)
