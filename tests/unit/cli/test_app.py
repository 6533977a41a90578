"""What all commands share: how a mistake is told, and that they begin quickly."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from prunepriv.environment import SCHEDULER, store_folder
from tests.unit.cli.conftest import SMALL, Cli

ROOT = Path(__file__).resolve().parents[3]

MISTAKES = [
    (("run", "--sparsity", "1.2"), "sparsity must lie in [0, 1), got 1.2"),
    (("run", "--sparsity", "much"), "--sparsity"),
    (("run", "--sparsity", "much"), "--sparsity must be a valid number, got 'much'"),
    (("run", "--seed", "x"), "--seed must be a valid integer, got 'x'"),
    (("engine", "--workers", "q"), "--workers must be a valid integer, got 'q'"),
    (("run", "--slimming-penalty", "0.1"), "--slimming-penalty belongs to network slimming, which"),
    (
        ("run", "--clip", "2"),
        "--clip belongs to DP-SGD, which was not chosen: add --defense dp_sgd",
    ),
    (("run", "--learning-rate", "2"), "training.learning_rate must be less than or equal to 1"),
    (("run", "--shadows", "0"), "shadows must be at least 1"),
    (("run", "--strength", "4"), "--strength belongs to a defence, and none was chosen"),
    (("run", "--dataset", "cifar"), "unknown data set 'cifar': choose one of checkins, shapes"),
    (("run", "--model", "x"), "unknown model 'x': choose one of fc, cnn"),
    (("run", "--approach", "x"), "unknown approach 'x': choose one of l1_unstructured"),
    (("run", "--approach", "l1_structured"), "l1_structured needs conv layers, and fc has none"),
    (("run", "--defense", "x"), "unknown defence 'x': choose one of none, ppb"),
    (("run", "--attacks", "conf,x"), "unknown attack 'x': choose one of corr, conf"),
    (("run", "--models", "defended"), "model 'defended' needs a defence"),
    (("run", "--models", "pruned,x"), "models"),
    (("run", "--recipe", "x"), "attacks.recipe must be 'fast' or 'paper', got 'x'"),
    (("run", "--preset", "x"), "unknown preset 'x': choose one of default"),
    (("run", "--knob", "noise"), "--knob takes NAME=VALUE with a number, got 'noise'"),
    (("run", "--knob", "noise=1"), "unknown setting 'noise' of data set checkins"),
    (("run", "--json", "/no/such/folder/out.json"), "cannot be written"),
    (("run", "--no-such-option"), "--no-such-option"),
    (("show", "../../../etc/passwd"), "is not a run"),
    (("show", "no-such-run"), "no run no-such-run in"),
    (("export", "no-such-run", "--json", "x"), "no run no-such-run in"),
    (("export", "no-such-run"), "give --json, --csv or --signals"),
    (("cancel", "no-such-run"), "no run no-such-run in"),
    (("dance",), "dance"),
    (("show",), "RUN"),
    (("list", "--store", "/dev/null/store"), "choose another with --store"),
]


@pytest.mark.parametrize(("words", "sentence"), MISTAKES, ids=lambda value: " ".join(value)[:40])
def test_a_mistake_is_told_in_one_sentence(cli: Cli, words: tuple[str, ...], sentence: str) -> None:
    done = cli(*words)
    assert done.code == 2
    assert sentence in done.err
    assert "Traceback" not in done.err
    assert len(done.err.strip().splitlines()) == 1
    assert done.out == ""


@pytest.mark.parametrize("words", [["list"], ["show", "no-such-run"], ["run", "--sparsity", "2"]])
def test_no_command_needs_torch_or_dask_to_begin(words: list[str]) -> None:
    script = (
        "import sys\n"
        f"sys.argv = ['prunepriv', *{words!r}]\n"
        "import prunepriv.cli\n"
        "try: prunepriv.cli.main()\n"
        "except SystemExit: pass\n"
        "print(sorted({'torch', 'dask', 'distributed', 'streamlit', 'plotly'} & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"


COMMANDS = (
    ("run", "--limit", "400"),
    ("sweep", "sparsity"),
)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda words: words[0])
@pytest.mark.parametrize("option", [True, False], ids=["option", "environment"])
def test_without_its_scheduler_a_command_does_no_work(
    cli: Cli, command: tuple[str, ...], option: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The option goes before the variable; in neither case this machine's workers do it."""
    address = "tcp://127.0.0.1:1"
    monkeypatch.setenv(SCHEDULER, "nowhere at all" if option else address)
    done = cli(*command, *(("--scheduler", address) if option else ()))
    assert done.code == 2
    assert done.err.splitlines()[-1] == (
        f"no Dask scheduler answers at {address} (Connection refused): start it, give the address "
        "of another one, or give none (--scheduler, PRUNEPRIV_SCHEDULER) to use this machine's "
        "workers"
    )
    assert not (store_folder() / "engine.lock").exists()


@pytest.mark.parametrize("command", COMMANDS, ids=lambda words: words[0])
def test_an_inline_run_has_no_scheduler(cli: Cli, command: tuple[str, ...]) -> None:
    done = cli(*command, "--inline", "--scheduler", "tcp://here:1")
    assert done.code == 2
    assert done.err == (
        "--inline runs in this process, and --scheduler names workers elsewhere (tcp://here:1): "
        "leave one of them out\n"
    )


def test_an_inline_run_pays_no_heed_to_the_variable(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(SCHEDULER, "tcp://127.0.0.1:1")
    assert cli("run", "--inline", *SMALL).code == 0


@pytest.mark.parametrize(
    ("option", "expected"),
    [((), "tcp://variable:1"), (("--scheduler", "tcp://option:1"), "tcp://option:1")],
    ids=["variable", "option"],
)
def test_the_engine_takes_the_scheduler_of_the_option_or_of_the_variable(
    cli: Cli, option: tuple[str, ...], expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = []

    def run_engine(store: object, workers: object, scheduler: object, *_: object) -> None:
        started.append(scheduler)

    monkeypatch.setattr("prunepriv.engine.process.run_engine", run_engine)
    monkeypatch.setenv(SCHEDULER, "tcp://variable:1")
    assert cli("engine", *option).code == 0
    assert started == [expected]
