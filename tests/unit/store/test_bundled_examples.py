"""The examples that come with the program: each has five seeds, and its own run is one of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from prunepriv.environment import EXAMPLES
from prunepriv.experiment import make_experiment
from prunepriv.experiment.presets import get_preset
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


def word(folder: str, before: str, after: str) -> int:
    """1 or -1 where what an adversary would choose clearly changes over the seeds, else 0."""
    rows = over_seeds(read_tables(EXAMPLES / folder / FOLDER))
    sides = {"from": {"model": before, "adversary": "adaptive"}, "attack": "chosen",
             "to": {"model": after, "adversary": "adaptive"}, "metric": "accuracy"}  # fmt: skip
    (row,) = (row for row in rows if {**row, **sides} == row)
    return (1 if row["mean"] > 0 else -1) if row["clear"] else 0


def test_the_examples_of_shapes_say_what_holds_over_their_seeds() -> None:
    described = {
        name: get_preset(name).description
        for name in ("shapes_stopped_early", "shapes_learnt_by_heart")
    }
    assert "training again clearly adds leakage" in described["shapes_stopped_early"]
    assert word("shapes_stopped_early", "original", "control") == 1
    assert "removing weights clearly takes part of it back" in described["shapes_stopped_early"]
    assert word("shapes_stopped_early", "control", "pruned") == -1
    assert "undecided whether pruning changes" in described["shapes_learnt_by_heart"]
    assert word("shapes_learnt_by_heart", "original", "pruned") == 0
    assert word("shapes_learnt_by_heart", "control", "pruned") == 0
