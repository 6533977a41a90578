"""The command line in this process, its steps the fake runner's."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import pytest

from prunepriv.cli import export, main
from prunepriv.engine import follow
from prunepriv.engine.inline import run_inline
from prunepriv.engine.runner import load_runner
from tests.fake_runner import RUNNER

SMALL = ("--limit", "400", "--shadows", "2", "--attacks", "conf", "--models", "pruned")
"""What the fake runner can serve."""


class Done(NamedTuple):
    code: int
    out: str
    err: str


Cli = Callable[..., Done]


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    """A function that takes a command's words and tells how it ended."""
    monkeypatch.setattr(follow, "run_inline", partial(run_inline, runner=RUNNER))
    monkeypatch.setattr(export, "load_runner", partial(load_runner, RUNNER))

    def command(*words: str) -> Done:
        monkeypatch.setattr(sys, "argv", ["prunepriv", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        captured = capsys.readouterr()
        return Done(int(ended.value.code or 0), captured.out, captured.err)

    return command
