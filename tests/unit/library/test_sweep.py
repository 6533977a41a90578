"""Sweeps by call: the tables of the command line, and one failure does not stop the rest."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

import prunepriv
from prunepriv.cli import main
from prunepriv.environment import store_folder
from prunepriv.store.artifacts import ArtifactStore
from prunepriv.store.result import Result
from prunepriv.store.sweep_files import read_sweeps
from tests.blank_run import learn_nothing
from tests.unit.library.conftest import SMALL

GRID = """
name: two by two
base: {data: {limit: 400}, shadows: 2, models: [pruned], attacks: {names: [conf]}}
grid: {pruning.sparsity: [0.5, 0.7], seed: [1, 2]}
"""

pytestmark = pytest.mark.usefixtures("fake")
sweep = partial(prunepriv.sweep, inline=True)


@pytest.fixture
def grid(tmp_path: Path) -> Path:
    file = tmp_path / "grid.yaml"
    file.write_text(GRID)
    return file


def test_its_tables_are_those_of_the_command_line(
    grid: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ours = sweep(grid)
    assert capsys.readouterr() == ("", ""), "nobody watches"
    file = tmp_path / "out.parquet"
    monkeypatch.setattr(sys, "argv", ["prunepriv", "sweep", ours.id, "--table", str(file)])
    with pytest.raises(SystemExit) as ended:
        main()
    assert not ended.value.code
    assert_frame_equal(ours.table, pd.read_parquet(file))
    assert_frame_equal(ours.summary, pd.read_parquet(tmp_path / "out_summary.parquet"))
    assert not (store_folder() / "engine.lock").exists()
    assert set(read_sweeps(store_folder())) == {ours.id}


def test_lists_of_values_make_a_grid(grid: Path) -> None:
    ours = sweep(**SMALL, sparsity=[0.5, 0.7], seed=[1, 2], name="two by two")
    assert ours.id == sweep(grid).id
    assert [run.experiment.pruning.sparsity for run in ours.runs] == [0.5, 0.5, 0.7, 0.7]
    assert [run.status for run in ours.runs] == ["done"] * 4
    assert ours.definition["grid"] == {"pruning.sparsity": [0.5, 0.7], "seed": [1, 2]}
    assert repr(ours) == f"Sweep {ours.id}: 4 runs over pruning.sparsity, seed"
    assert sweep(**SMALL, sparsity=[0.5], seed=[1]).sweep.name == "sparsity and seed"
    learn_nothing(Result(ArtifactStore(store_folder()), ours.runs[3].experiment))
    told = repr(ours).splitlines()[1]
    assert told.startswith("A hygiene check failed in 1 of 4 runs: ")
    assert ours.runs[3].id in told


def test_a_sweep_is_found_by_definition_and_id_and_changed(grid: Path) -> None:
    ours = sweep(str(grid))
    assert sweep(ours.definition).id == sweep(ours.id).id == ours.id
    smaller = sweep(ours.id, only={"sparsity": 0.7}, seed=[1, 2, 3], epochs=4)
    assert [run.experiment.seed for run in smaller.runs] == [1, 2, 3]
    assert {run.experiment.training.epochs for run in smaller.runs} == {4}
    assert smaller.table["pruning.sparsity"].tolist() == [0.7] * 3
    [one] = sweep(ours.id, only={"pruning.sparsity": [0.5]}, seed=5).runs
    assert one.experiment.seed == 5


def test_it_goes_over_data_of_the_users_own(tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_text("age,label\n" + "4,a\n7,b\n" * 40)
    ours = sweep(**{**SMALL, "limit": None}, data=file, sparsity=[0.5, 0.7])
    assert {run.experiment.data.option.label for run in ours.runs} == {"people"}
    assert ours.table["data.name"].tolist() == ["own", "own"]


def test_its_tables_are_the_callers_own(grid: Path) -> None:
    ours = sweep(grid)
    table = ours.table
    table["accuracy"] = 0.0
    assert (ours.table["accuracy"] > 0).all()
    table.loc[4] = table.loc[0]
    assert len(ours.table) == 4
    assert (ours.summary["accuracy"] > 0).all()


def test_a_failure_does_not_stop_the_rest(
    grid: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "steer"
    (folder / "fail").mkdir(parents=True)
    (folder / "fail" / "fit+conf+pruned").touch()
    monkeypatch.setenv("FAKE_RUNNER", str(folder))
    with pytest.warns(UserWarning, match="4 of 4 runs are not done"):
        ours = sweep(grid)
    assert set(ours.failures) == {run.id for run in ours.runs}
    assert set(ours.failures.values()) == {"fit+conf+pruned was told to fail"}
    assert ours.table.empty
    assert "4 of them failed" in repr(ours)


def test_cells_that_cannot_be_run_are_left_out_if_asked() -> None:
    settings: dict[str, Any] = {**SMALL, "data": ["checkins", "shapes"], "model": "fc"}
    with pytest.raises(prunepriv.ExperimentError, match=r"^cell dataset=shapes: model fc takes"):
        sweep(**settings)
    ours = sweep(**settings, skip_impossible=True)
    assert len(ours.runs) == 1
    [sentence] = ours.impossible
    assert "shapes holds image records" in sentence


MISTAKES: list[tuple[tuple[Any, ...], dict[str, Any], str]] = [
    ((), {"sparsity": 0.5}, "a sweep needs a setting with several values"),
    ((), {"sparsity": []}, "axis sparsity has no values"),
    ((), {"sparsity": [0.5, 2]}, r"sparsity must lie in \[0, 1\), got 2"),
    ((), {"sparsity": [0.5, None]}, "sparsity must be a number, got None"),
    ((), {"sparsity": [0.5], "only": {}}, "only chooses values of an existing sweep"),
    ((), {"sparcity": [0.5]}, "did you mean sparsity?"),
    (("no such",), {}, "there is no sweep 'no such'"),
    (("none.yaml",), {}, "none.yaml cannot be read"),
    ((5,), {}, "a sweep must be a definition, a file, a preset or an id, got 5"),
    (({"nam": "x"},), {}, "'nam' is not part of a sweep"),
    (("sparsity",), {"name": "x"}, "are for a new sweep"),
    (("sparsity",), {"only": 5}, "only must be values by axis"),
    (("sparsity",), {"only": {"epochs": [5]}}, "epochs is no"),
    (("sparsity",), {"epochs": [5, 6]}, "epochs must have one value for all cells"),
    (("sparsity",), {"sparsity": 0.5}, "sparsity is an axis of this sweep"),
]


@pytest.mark.parametrize(("given", "keywords", "sentence"), MISTAKES, ids=lambda v: str(v)[:40])
def test_a_mistake_is_one_sentence(
    given: tuple[Any, ...], keywords: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(prunepriv.ExperimentError, match=sentence):
        sweep(*given, **keywords)
