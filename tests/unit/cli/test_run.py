"""``run``: from words to an experiment, its figures, and how far it is."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from prunepriv.cli import launch as launch_module
from prunepriv.environment import store_folder
from prunepriv.experiment import make_experiment
from prunepriv.experiment.command import command_line
from tests.unit.cli.conftest import SMALL, Cli

ROOT = Path(__file__).resolve().parents[3]
SCHEMA = json.loads((ROOT / "assets" / "run.schema.json").read_text())


def test_a_run_writes_its_figures_and_is_cached_the_second_time(cli: Cli, tmp_path: Path) -> None:
    first, second = tmp_path / "1.json", tmp_path / "2.json"
    done = cli("run", "--inline", *SMALL, "--json", str(first))
    assert done.code == 0, done.err
    assert "19 steps, 0 of them cached" in done.err
    again = cli("run", *SMALL, "--json", str(second))
    assert again.code == 0, again.err
    assert "19 steps, 19 of them cached" in again.err, "nothing to do: no engine is started"
    one, two = json.loads(first.read_text()), json.loads(second.read_text())
    jsonschema.validate(one, SCHEMA)
    assert not any(step.pop("cached") for step in one["steps"])
    assert all(step.pop("cached") for step in two["steps"])
    assert one == two
    assert not (store_folder() / "engine.lock").exists()


def test_several_seeds_are_told_together(cli: Cli, tmp_path: Path) -> None:
    file = tmp_path / "seeds.json"
    both = ("--models", "original,control,pruned")
    done = cli("run", "--inline", *SMALL, *both, "--seeds", "1,2,3,1", "--json", str(file))
    assert done.code == 0, done.err
    assert "changes of attack accuracy over 3 seeds" in done.out
    assert "not over populations" in " ".join(done.out.split())
    written = json.loads(file.read_text())
    assert [run["experiment"]["seed"] for run in written["runs"]] == [1, 2, 3]
    for run in written["runs"]:
        jsonschema.validate(run, SCHEMA)
    differences = [
        row["difference"]
        for run in written["runs"]
        for row in run["contrasts"]
        if row["attack"] == "conf" and row["to"]["model"] == "control"
    ]
    (told,) = (
        row
        for row in written["over_seeds"]
        if row["attack"] == "conf" and row["to"]["model"] == "control"
    )
    assert told["mean"] == pytest.approx(sum(differences) / 3)
    assert told["seeds"] == 3


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--seeds", "1,two"), "seeds are whole numbers"),
        (("--seeds", "1,1"), "2 different seeds or more"),
        (("--seeds", "1,2", "--seed", "3"), "exclude each other"),
    ],
)
def test_seeds_that_cannot_be_run(cli: Cli, words: tuple[str, ...], sentence: str) -> None:
    done = cli("run", "--inline", *SMALL, *words)
    assert done.code == 2
    assert sentence in done.err


def test_a_failed_step_is_a_sentence_too(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "fail").mkdir()
    (tmp_path / "fail" / "train+0").touch()
    monkeypatch.setenv("FAKE_RUNNER", str(tmp_path))
    done = cli("run", "--inline", *SMALL)
    assert done.code == 2
    assert done.err.splitlines()[-1] == "train+0 was told to fail"


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
