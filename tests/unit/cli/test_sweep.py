"""``sweep``."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from prunepriv.environment import store_folder
from prunepriv.store.artifacts import ArtifactStore
from prunepriv.store.catalog import Catalog
from prunepriv.store.result import Result
from prunepriv.store.sweep_files import find_sweep, read_sweeps
from tests.blank_run import SENTENCE, learn_nothing
from tests.unit.cli.conftest import Cli

GRID = """
name: two by two
base: {data: {limit: 400}, shadows: 2, models: [pruned], attacks: {names: [conf]}}
grid: {pruning.sparsity: [0.5, 0.7], seed: [1, 2]}
"""


@pytest.fixture
def grid(tmp_path: Path) -> str:
    file = tmp_path / "grid.yaml"
    file.write_text(GRID)
    return str(file)


def test_the_plan_of_the_paper_says_255(cli: Cli) -> None:
    code, out, _ = cli("sweep", "paper", "--plan")
    assert code == 0
    assert "255 pruned models" in out
    assert "0 of them cached" in out
    assert "time: " in out


def test_a_sweep_runs_to_its_table_and_shares_steps(cli: Cli, grid: str, tmp_path: Path) -> None:
    table = tmp_path / "out.parquet"
    code, out, err = cli("sweep", grid, "--inline", "--table", str(table))
    assert code == 0, err
    assert "4 of 4 runs" in err
    assert "two by two" in out
    rows = pd.read_parquet(table)
    assert len(rows) == 4
    assert rows["pruning.sparsity"].tolist() == [0.5, 0.5, 0.7, 0.7]
    assert rows["seed"].tolist() == [1, 2, 1, 2]
    means = pd.read_parquet(tmp_path / "out_summary.parquet")
    assert means["seeds"].tolist() == [2, 2]
    expected = rows.groupby("pruning.sparsity")["accuracy"].mean().tolist()
    assert means["accuracy"].tolist() == pytest.approx(expected)
    assert (means["accuracy_low"] < means["accuracy"]).all()
    [sweep] = read_sweeps(store_folder()).values()
    assert set(rows["run"]) == set(sweep.run_ids)
    _, planned, _ = cli("sweep", grid, "--plan")
    assert "4 pruned models" in planned
    steps, cached = (
        int(line.split()[0])
        for line in planned.splitlines()
        if line.endswith(("distinct steps", "them cached"))
    )
    assert steps == cached < 4 * 19, "the data and each seed's base models are made once"
    code, again, err = cli("sweep", sweep.sweep_id, "--table", str(tmp_path / "out.csv"))
    assert code == 0, err
    assert len(pd.read_csv(tmp_path / "out.csv")) == 4
    assert not (store_folder() / "engine.lock").exists(), "nothing to do: no engine is started"
    assert "two by two" in again


def test_a_failure_does_not_stop_the_rest(
    cli: Cli, grid: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "steer"
    (folder / "fail").mkdir(parents=True)
    (folder / "fail" / "fit+conf+pruned").touch()
    monkeypatch.setenv("FAKE_RUNNER", str(folder))
    code, _, err = cli("sweep", grid, "--inline")
    assert code == 2
    assert err.count("was told to fail") == 4
    assert "4 of 4 runs are not done" in err
    assert len(Catalog(store_folder()).runs()) == 4


def test_changes_of_a_sweep(cli: Cli, grid: str) -> None:
    code, out, err = cli(
        "sweep", grid, "--plan", "--only", "pruning.sparsity=0.5", "--seeds", "1,2,3",
        "--set", "training.epochs=3", "--limit", "500",
    )  # fmt: skip
    assert code == 0, err
    assert "3 runs" in out


def test_cancelling_stops_what_waits(cli: Cli, grid: str) -> None:
    catalog = Catalog(store_folder())
    for experiment in find_sweep(grid, store_folder()).experiments:
        catalog.submit(experiment)
    code, out, _ = cli("sweep", grid, "--cancel")
    assert (code, "4 runs told to stop" in out) == (0, True)
    assert {run.status for run in catalog.runs()} == {"cancelled"}


def test_skipped_cells_are_told(cli: Cli, tmp_path: Path) -> None:
    file = tmp_path / "grid.json"
    grid = {"data.name": ["shapes", "checkins"], "pruning.approach": ["l1_structured"]}
    file.write_text(json.dumps({"name": "x", "skip_impossible": True, "grid": grid}))
    code, _, err = cli("sweep", str(file), "--plan")
    assert code == 0
    assert err.startswith("left out: data.name=checkins")


MISTAKES = [
    (("sweep", "papr"), "there is no sweep 'papr'"),
    (("sweep", "none.yaml"), "none.yaml cannot be read"),
    (("sweep", "sparsity", "--only", "seed"), "--only takes NAME=VALUE"),
    (("sweep", "sparsity", "--set", "foo=1"), "foo is not a setting"),
    (("sweep", "sparsity", "--set", "seed=1"), "seed is an axis of this sweep"),
    (("sweep", "sparsity", "--limit", "3"), "data.limit must be greater"),
    (("sweep", "sparsity", "--seeds", "x"), "seed must be a valid integer"),
    (("sweep", "sparsity", "--table", "out.xlsx"), "end in .parquet or .csv"),
    (("sweep", "sparsity", "--table", "/none/out.csv"), "cannot be written"),
]


@pytest.mark.parametrize(("words", "sentence"), MISTAKES, ids=[m[1] for m in MISTAKES])
def test_mistakes_are_one_sentence(cli: Cli, words: tuple[str, ...], sentence: str) -> None:
    code, _, err = cli(*words)
    assert code == 2
    assert sentence in err
    assert len(err.strip().splitlines()) == 1


def test_runs_that_learnt_nothing_are_named_before_the_means(cli: Cli, grid: str) -> None:
    cli("sweep", grid, "--inline")
    [sweep] = read_sweeps(store_folder()).values()
    for experiment in sweep.experiments[:2]:
        learn_nothing(Result(ArtifactStore(store_folder()), experiment))
    out = " ".join(cli("sweep", grid, "--inline").out.split())
    assert out.startswith(
        "A hygiene check failed in 2 of 4 runs: \u201cModels learnt something\u201d"
    )
    assert SENTENCE in out
