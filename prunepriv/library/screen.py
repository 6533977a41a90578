"""Progress bars: on a terminal, in a notebook, or none."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from html import escape
from importlib import import_module
from typing import Any, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from prunepriv.estimates.progress import Standing


class Screen:
    """No progress bar: neither a terminal nor a notebook."""

    def show(self, standing: Standing) -> None:
        """Show the progress of a run or a sweep."""
        self.draw(standing.fraction, standing.words, standing.time_left)

    def report(
        self, fraction: float, message: str = "", point: Mapping[str, float] | None = None
    ) -> None:
        """Show the progress of one piece of work: a :class:`prunepriv.progress.Report`."""
        self.draw(fraction, message)

    def draw(self, fraction: float, words: str, left: str = "") -> None:
        """Show the finished share, 0 to 1, the current work and the time left."""

    def tell(self, sentence: str) -> None:
        """Show a sentence."""

    def close(self) -> None:
        """Remove the bar."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Terminal(Screen):
    """A bar on standard error: the share done, the steps at work and the time left.

    Args:
        name: is shown while there are no steps at work.
    """

    def __init__(self, name: str = "") -> None:
        self._name = name
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[left]}"),
            console=Console(stderr=True),
            transient=True,
        )
        self._task = self._progress.add_task(name, total=1.0, left="")
        self._progress.start()

    def draw(self, fraction: float, words: str, left: str = "") -> None:
        words = words or self._name
        self._progress.update(self._task, completed=fraction, description=words, left=left)

    def tell(self, sentence: str) -> None:
        self._progress.console.print(sentence, highlight=False, markup=False)

    def close(self) -> None:
        self._progress.stop()


class Notebook(Screen):
    """A bar below the cell: an HTML element, because widgets are not always installed."""

    def __init__(self) -> None:
        self._ipython = import_module("IPython.display")
        self._bar: Any = self._ipython.display(self._html(""), display_id=True)
        self._shown = ""

    def draw(self, fraction: float, words: str, left: str = "") -> None:
        text = escape(", ".join(filter(None, (words, left))))
        bar = f'<progress max="100" value="{100 * fraction:.0f}"></progress> {text}'
        if bar != self._shown:
            self._shown = bar
            self._bar.update(self._html(bar))

    def tell(self, sentence: str) -> None:
        self._ipython.display(self._html(escape(sentence)))

    def close(self) -> None:
        self._bar.update(self._html(""))

    def _html(self, text: str) -> Any:
        return self._ipython.HTML(text)


def open_screen(progress: bool) -> Screen:
    """The progress bar for this process, to be used in ``with``; none if ``progress`` is false."""
    return _screen() if progress else Screen()


def _screen() -> Screen:
    if _in_notebook():
        return Notebook()
    return Terminal() if sys.stderr.isatty() else Screen()


def _in_notebook() -> bool:
    """Whether this process is the kernel of a notebook."""
    ipython = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    return getattr(shell, "kernel", None) is not None
