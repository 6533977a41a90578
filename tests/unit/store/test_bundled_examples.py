"""The examples that come with the program: each has five seeds, and its own run is one of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from prunepriv.environment import EXAMPLES
from prunepriv.experiment import make_experiment
from prunepriv.store.artifacts import ArtifactStore
from prunepriv.store.over_seeds import over_seeds
from prunepriv.store.result import Result
from prunepriv.store.seed_tables import DIGITS, FOLDER, read_tables, seed_report

FOLDERS = sorted(file.parent for file in EXAMPLES.glob("*/run.json"))


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_an_examples_own_run_is_one_of_its_five_seeds(folder: Path) -> None:
    about = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    experiment = make_experiment(about["experiment"])
    reports = {report["seed"]: report for report in read_tables(folder / FOLDER)}
    assert len(reports) == 5
    own = seed_report(Result(ArtifactStore(folder), experiment))
    assert own is not None, "a step is missing: `prunepriv example` makes the examples again"

    def differences(rows: list[dict[str, object]]) -> dict[str, object]:
        return {
            json.dumps([row[name] for name in ("attack", "metric", "class", "from", "to")]): row[
                "difference"
            ]
            for row in rows
            if row["attack"] != "chosen"
        }

    told = differences(reports[experiment.seed]["contrasts"])
    assert told == pytest.approx(differences(own["contrasts"]), abs=0.51 * 10**-DIGITS)
    chosen = [row for row in over_seeds(list(reports.values())) if row["attack"] == "chosen"]
    assert len(chosen) == 15, "five changes of three figures"
    assert all(row["seeds"] == 5 for row in chosen)
