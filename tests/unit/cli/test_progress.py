"""What is shown on stderr while runs are followed: bars and lines, Ctrl-C, how it ended."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from types import SimpleNamespace
from typing import NamedTuple

import pytest

from prunepriv.cli import main, progress
from prunepriv.cli.progress import Lines
from prunepriv.engine import follow as follow_module
from prunepriv.engine.inline import run_inline
from prunepriv.environment import store_folder
from prunepriv.estimates.progress import Standing, Watch
from prunepriv.experiment import make_experiment
from prunepriv.experiment.sweep import make_sweep
from prunepriv.library.screen import Terminal
from prunepriv.store.catalog import Catalog
from prunepriv.store.sweep_files import write_sweep
from tests.fake_runner import RUNNER

SETTINGS = {"shadows": 2, "attacks": {"names": ["conf"]}, "models": ["pruned"]}
EXPERIMENT = make_experiment(SETTINGS)
SWEEP = make_sweep({"name": "two seeds", "base": SETTINGS, "grid": {"seed": [1, 2]}})
RUN_WORDS = ("run", "--shadows", "2", "--attacks", "conf", "--models", "pruned")

AT_WORK = Standing(
    runs=1, done=0, cancelled=0, active=1, interrupted=(), failures=(), steps=10, steps_done=2,
    cached=2, fraction=0.25, seconds_left=14400.0, queue_position=None, at_work=(),
)  # fmt: skip
MANY = replace(AT_WORK, runs=4, done=1, active=3, cached=None)


def test_the_bar_tells_what_is_done_and_how_long_it_takes(
    capsys: pytest.CaptureFixture[str],
) -> None:
    catalog = Catalog(store_folder())
    catalog.submit(EXPERIMENT)
    watch = Watch([EXPERIMENT], catalog, workers=1)
    with Terminal(EXPERIMENT.run_id) as bar:
        bar.show(watch.look())

        def show() -> None:
            bar.show(watch.look())

        run_inline(EXPERIMENT, store_folder(), watch=show, runner=RUNNER)
        bar.tell("well done")
    catalog.close()
    assert "well done" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("standing", "told"),
    [
        (AT_WORK, ("the-name", "25%", "about 4 h left")),
        (MANY, ("1 of 4 runs, 2 of 10 steps", "25%", "about 4 h left")),
        (replace(AT_WORK, queue_position=3), ("waits, number 3 in the queue",)),
    ],
)
def test_the_bar_on_a_terminal(
    monkeypatch: pytest.MonkeyPatch, standing: Standing, told: tuple[str, ...]
) -> None:
    terminal = io.StringIO()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setenv("TERM", "xterm")
    with Terminal("the-name") as bar:
        bar.show(standing)
    for words in told:
        assert words in terminal.getvalue()


@pytest.fixture
def lines(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., list[str]]:
    """The lines for these states of a run or sweep, one after the other; in 200 s."""

    def lines_(*standings: Standing) -> list[str]:
        clock = iter((1000.0, 1200.0))
        monkeypatch.setattr(progress, "time", SimpleNamespace(monotonic=lambda: next(clock)))
        shown = Lines("the-name")
        for standing in standings:
            shown.show(standing)
        return capsys.readouterr().err.splitlines()

    return lines_


def test_a_run_in_a_pipe_has_two_lines(lines: Callable[..., list[str]]) -> None:
    waits = replace(AT_WORK, queue_position=1, cached=0)
    done = replace(AT_WORK, done=1, active=0, steps_done=10)
    told = lines(waits, AT_WORK, AT_WORK, done)
    assert told == ["the-name: 10 steps, 2 of them cached", "the-name: done in 3 min 20 s"]
    assert lines(AT_WORK, replace(AT_WORK, active=0, cancelled=1)) == told[:1]
    assert lines(done) == told, "there was nothing to do"


def test_a_sweep_in_a_pipe_has_two_lines(lines: Callable[..., list[str]]) -> None:
    waits = replace(MANY, queue_position=5, done=0, steps_done=0)
    failed = replace(MANY, done=3, active=0, failures=(("r", "x"),), steps_done=8)
    assert lines(waits, MANY, MANY, failed) == [
        "the-name: 0 of 4 runs, 0 of 10 steps done",
        "the-name: 4 of 4 runs, 8 of 10 steps done",
    ]
    assert len(lines(failed)) == 1, "it has begun and ended"


class Done(NamedTuple):
    code: int
    lines: list[str]


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Done]:
    """A function that takes a command's words: exit code, lines on stderr."""
    monkeypatch.setattr(follow_module, "run_inline", partial(run_inline, runner=RUNNER))
    write_sweep(store_folder(), SWEEP)

    def command(*words: str) -> Done:
        monkeypatch.setattr(sys, "argv", ["prunepriv", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        return Done(int(ended.value.code or 0), capsys.readouterr().err.splitlines())

    return command


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[Catalog], None]], None]:
    """Replaces the engine; the argument changes the catalogue between two looks."""

    def set_(happens: Callable[[Catalog], None]) -> None:
        def sleep(seconds: float) -> None:
            catalog = Catalog(store_folder())
            happens(catalog)
            catalog.close()

        monkeypatch.setattr(follow_module, "engine_is_alive", lambda store: True)
        monkeypatch.setattr(follow_module, "time", SimpleNamespace(sleep=sleep))
        monkeypatch.setattr("prunepriv.engine.client.ensure_engine", lambda store, options: None)

    return set_


def interrupt(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


def cancel_all(catalog: Catalog) -> None:
    for run in catalog.queued():
        catalog.request_cancel(run.run_id)


GOES_ON = [
    (
        RUN_WORDS,
        f"{EXPERIMENT.run_id} continues in the engine: the same command shows its progress again, "
        f"`python -m prunepriv cancel {EXPERIMENT.run_id}` stops it",
    ),
    (
        ("sweep", SWEEP.sweep_id),
        f"{SWEEP.sweep_id} continues in the engine: `python -m prunepriv sweep {SWEEP.sweep_id}` "
        "shows its progress again, and stops it with --cancel",
    ),
]


@pytest.mark.parametrize(("words", "sentence"), GOES_ON, ids=["run", "sweep"])
def test_ctrl_c_leaves_it_to_the_engine(
    cli: Callable[..., Done], engine: Callable[..., None], words: tuple[str, ...], sentence: str
) -> None:
    engine(interrupt)
    done = cli(*words)
    assert (done.code, done.lines[-1]) == (130, sentence)
    catalog = Catalog(store_folder())
    assert {run.status for run in catalog.runs()} == {"queued"}
    catalog.close()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (RUN_WORDS, f"cancelled: the same command resumes {EXPERIMENT.run_id}"),
        (("sweep", SWEEP.sweep_id), "cancelled: the same command resumes it"),
    ],
    ids=["run", "sweep"],
)
def test_ctrl_c_cancels_what_runs_inline(
    cli: Callable[..., Done],
    monkeypatch: pytest.MonkeyPatch,
    words: tuple[str, ...],
    sentence: str,
) -> None:
    monkeypatch.setattr(follow_module.Watch, "look", interrupt)
    done = cli(*words, "--inline")
    assert done == (130, [f"{sentence} from its finished steps"])
    catalog = Catalog(store_folder())
    assert [run.status for run in catalog.runs()] == ["cancelled"], "none after it was begun"
    catalog.close()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (RUN_WORDS, "the run was cancelled"),
        (
            ("sweep", SWEEP.sweep_id),
            "cancelled: the same command resumes it from its finished steps",
        ),
    ],
    ids=["run", "sweep"],
)
def test_an_inline_run_that_is_cancelled_from_outside(
    cli: Callable[..., Done],
    monkeypatch: pytest.MonkeyPatch,
    words: tuple[str, ...],
    sentence: str,
) -> None:
    monkeypatch.setattr(Catalog, "cancel_requests", lambda self: {r.run_id for r in self.runs()})
    done = cli(*words, "--inline")
    assert (done.code, done.lines[-1]) == (130, sentence)


def test_a_run_that_was_cancelled_on_the_engine(
    cli: Callable[..., Done], engine: Callable[..., None]
) -> None:
    engine(cancel_all)
    done = cli(*RUN_WORDS)
    sentence = f"{EXPERIMENT.run_id} was cancelled: its finished steps are kept"
    assert (done.code, done.lines[-1]) == (130, sentence)


def test_a_sweep_that_was_cancelled_on_the_engine(
    cli: Callable[..., Done], engine: Callable[..., None]
) -> None:
    engine(cancel_all)
    done = cli("sweep", SWEEP.sweep_id)
    sentence = f"{SWEEP.sweep_id}: 2 of 2 runs are not done; the same command resumes them"
    assert (done.code, done.lines[-1]) == (2, sentence)


def test_a_run_that_failed_on_the_engine(
    cli: Callable[..., Done], engine: Callable[..., None]
) -> None:
    engine(lambda catalog: catalog.end(EXPERIMENT.run_id, "failed", "the disk is full"))
    done = cli(*RUN_WORDS)
    assert (done.code, done.lines[-1]) == (2, "the disk is full")
