"""``example``."""

from __future__ import annotations

import json
from pathlib import Path

from prunepriv.cli.example import EXAMPLE_PRESETS
from prunepriv.experiment import make_experiment
from prunepriv.experiment.command import command_line
from prunepriv.experiment.presets import get_preset
from prunepriv.store.artifacts import ArtifactStore
from prunepriv.store.over_seeds import over_seeds
from prunepriv.store.result import Result
from prunepriv.store.seed_tables import read_tables
from tests.unit.cli.conftest import Cli


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


def test_a_run_is_bundled_with_its_seeds(cli: Cli, tmp_path: Path) -> None:
    store, into = tmp_path / "store", tmp_path / "examples"
    small = (
        "--dataset", "checkins", "--limit", "400", "--epochs", "2", "--fine-tune-epochs", "1",
        "--models", "original,pruned", "--attacks", "conf,corr", "--store", str(store),
    )  # fmt: skip
    assert cli("run", "--inline", *small).code == 0
    (run,) = (path.stem for path in (store / "runs").glob("*.json"))
    done = cli(
        "example", "--inline", "--store", str(store), "--into", str(into), "--run", run,
        "--name", "small", "--seeds", "1,2,3",
    )  # fmt: skip
    assert done.code == 0, done.err
    reports = read_tables(into / "small" / "seeds")
    assert [report["seed"] for report in reports] == [1, 2, 3]
    (row,) = (
        row
        for row in over_seeds(reports)
        if (row["attack"], row["metric"], row["class"]) == ("conf", "accuracy", None)
    )
    assert row["seeds"] == 3
