"""Progress of a run or a sweep on stderr: a bar on a terminal, a few lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Self

import typer

from prunepriv.cli.app import INTERRUPTED
from prunepriv.engine.follow import follow
from prunepriv.estimates.progress import Standing
from prunepriv.experiment import Experiment
from prunepriv.library.screen import Terminal
from prunepriv.prose import duration


def follow_shown(
    experiments: Sequence[Experiment], store: Path, inline: bool, name: str, interruption: str
) -> Standing:
    """Work through runs and show their progress; see :func:`prunepriv.engine.follow.follow`.

    Args:
        experiments, store, inline: as for that function.
        name: what is followed: the id of a run or a sweep.
        interruption: what Ctrl-C means for it; it is printed, and then this process ends.
    """
    try:
        with Terminal(name) if sys.stderr.isatty() else Lines(name) as display:
            return follow(experiments, store, display, inline=inline)
    except KeyboardInterrupt:
        typer.echo(interruption, err=True)
        sys.exit(INTERRUPTED)


class Lines:
    """A line at the beginning and a line at the end: for logs and pipes."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._started = time.monotonic()
        self._begun = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return

    def show(self, standing: Standing) -> None:
        """Print the line of the beginning once, and that of the end."""
        if standing.cached is None:
            if self._is_first() or standing.ended == standing.runs:
                self.tell(f"{self._name}: {standing.counts} done")
        elif standing.queue_position is None:  # the cached steps are known once a run has begun
            if self._is_first():
                self.tell(f"{self._name}: {standing.steps} steps, {standing.cached} of them cached")
            if standing.done:
                self.tell(f"{self._name}: done in {duration(time.monotonic() - self._started)}")

    def tell(self, sentence: str) -> None:
        """Say something beside it."""
        typer.echo(sentence, err=True)

    def _is_first(self) -> bool:
        begun, self._begun = self._begun, True
        return not begun
