"""``example``."""

from __future__ import annotations

import json
from pathlib import Path

from prunepriv.cli.example import EXAMPLE_PRESETS
from prunepriv.experiment import make_experiment
from prunepriv.experiment.command import command_line
from prunepriv.experiment.presets import get_preset
from prunepriv.store.artifacts import ArtifactStore
from prunepriv.store.result import Result
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
