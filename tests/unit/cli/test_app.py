"""What all commands share: how a mistake is told, and that they begin quickly."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.cli.conftest import Cli

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
