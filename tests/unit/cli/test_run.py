"""The command line, in this process; steps are the fake runner's."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

import jsonschema
import pytest

from prunepriv.cli import export as export_module
from prunepriv.cli import launch as launch_module
from prunepriv.cli import main
from prunepriv.cli.example import EXAMPLE_PRESETS
from prunepriv.engine import follow as follow_module
from prunepriv.engine.inline import run_inline
from prunepriv.engine.runner import load_runner
from prunepriv.environment import store_folder
from prunepriv.experiment import make_experiment
from prunepriv.experiment.command import command_line
from prunepriv.experiment.presets import get_preset
from prunepriv.store.artifacts import ArtifactStore
from prunepriv.store.catalog import Catalog
from prunepriv.store.result import Result
from tests.unit.engine.fake_runner import RUNNER

ROOT = Path(__file__).resolve().parents[3]
SCHEMA = json.loads((ROOT / "assets" / "run.schema.json").read_text())
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
    monkeypatch.setattr(follow_module, "run_inline", partial(run_inline, runner=RUNNER))
    monkeypatch.setattr(export_module, "load_runner", partial(load_runner, RUNNER))

    def command(*words: str) -> Done:
        monkeypatch.setattr(sys, "argv", ["prunepriv", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        captured = capsys.readouterr()
        return Done(int(ended.value.code or 0), captured.out, captured.err)

    return command


def test_a_run_writes_its_figures_and_is_cached_the_second_time(cli: Cli, tmp_path: Path) -> None:
    first, second = tmp_path / "1.json", tmp_path / "2.json"
    done = cli("run", "--inline", *SMALL, "--json", str(first))
    assert done.code == 0, done.err
    assert "10 steps, 0 of them cached" in done.err
    again = cli("run", *SMALL, "--json", str(second))
    assert again.code == 0, again.err
    assert "10 steps, 10 of them cached" in again.err, "nothing to do: no engine is started"
    one, two = json.loads(first.read_text()), json.loads(second.read_text())
    jsonschema.validate(one, SCHEMA)
    assert not any(step.pop("cached") for step in one["steps"])
    assert all(step.pop("cached") for step in two["steps"])
    assert one == two
    assert not (store_folder() / "engine.lock").exists()


def test_a_run_is_listed_shown_and_exported(cli: Cli, tmp_path: Path) -> None:
    cli("run", "--inline", *SMALL)
    run_id = Catalog(store_folder()).runs()[0].run_id
    assert run_id in cli("list").out
    shown = cli("show", run_id).out
    assert "Conf" in shown
    assert "fit:conf:pruned" in shown
    assert "1,234" in shown
    assert "They share none." in shown
    done = cli(
        "export", run_id, "--json", str(tmp_path / "out.json"), "--csv", str(tmp_path / "csv"),
        "--signals", str(tmp_path / "signals"),
    )  # fmt: skip
    assert done.code == 0, done.err
    assert [Path(line).name for line in done.out.split()] == [
        "out.json", "models.csv", "gaps.csv", "attacks.csv", "checks.csv", "steps.csv", "run.json",
        "signals_pruned.parquet",
    ]  # fmt: skip
    jsonschema.validate(json.loads((tmp_path / "out.json").read_text()), SCHEMA)


def test_an_empty_store_says_what_to_do(cli: Cli) -> None:
    assert "no runs in" in cli("list").out


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


def test_a_failed_step_is_a_sentence_too(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "fail").mkdir()
    (tmp_path / "fail" / "train").touch()
    monkeypatch.setenv("FAKE_RUNNER", str(tmp_path))
    done = cli("run", "--inline", *SMALL)
    assert done.code == 2
    assert done.err.splitlines()[-1] == "train was told to fail"


@pytest.mark.parametrize(
    ("words", "settings"),
    [
        ((), {}),
        (("--patience", "0"), {"training": {"patience": None}}),
        (("--patience", "9"), {"training": {"patience": 9}}),
        (("--epochs", "10"), {"training": {"epochs": 10}}),
        (("--dataset", "digits"), {"data": {"name": "digits"}}),
        (("--attacks", "all", "--models", "all", "--defense", "ppb"), {"defense": {"name": "ppb"}}),
        (("--attacks", "conf, nn"), {"attacks": {"names": ["conf", "nn"]}}),
        (("--knob", "distinctiveness=0.25"), {"data": {"knobs": {"distinctiveness": 0.25}}}),
        (
            ("--dataset", "shapes", "--width", "0.5"),
            {"data": {"name": "shapes"}, "model": {"width": 0.5}},
        ),
        (
            ("--preset", "default_ppb", "--strength", "8", "--seed", "3"),
            {"defense": {"name": "ppb", "strength": 8}, "seed": 3},
        ),
        (
            ("--stop-at-member-accuracy", "0.99", "--fine-tune-epochs", "4"),
            {"training": {"stop_at_member_accuracy": 0.99, "fine_tune_epochs": 4}},
        ),
    ],
)
def test_options_make_the_experiment_they_name(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], settings: dict[str, object]
) -> None:
    made = []
    monkeypatch.setattr(launch_module, "run_and_show", lambda *given: made.append(given[0]))
    assert cli("run", *words).code == 0
    assert made == [make_experiment(settings)]
    assert cli(*command_line(made[0]).split()[3:]).code == 0
    assert made[1] == made[0], "the command that is printed beside a figure makes it again"


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


def test_the_examples_are_made_by_one_command(cli: Cli, tmp_path: Path) -> None:
    done = cli("example", "--inline", "--into", str(tmp_path / "examples"))
    assert done.code == 0, done.err
    folders = [Path(line) for line in done.out.split()]
    assert [folder.name for folder in folders] == list(EXAMPLE_PRESETS)
    for order, folder in enumerate(folders):
        about = json.loads((folder / "run.json").read_text())
        experiment = make_experiment(about["experiment"])
        assert experiment == get_preset(folder.name).made
        assert about["order"] == order
        assert about["command"] == command_line(experiment)
        assert Result(ArtifactStore(folder), experiment).complete
