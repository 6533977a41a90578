"""An example's seeds: what is written as small tables is read again as reports."""

from __future__ import annotations

from pathlib import Path

import pytest

from prunepriv.experiment import make_experiment
from prunepriv.plan import contrasts, evaluation_name
from prunepriv.store.artifacts import ArtifactStore
from prunepriv.store.over_seeds import over_seeds
from prunepriv.store.report import contrast_rows
from prunepriv.store.result import Result
from prunepriv.store.seed_tables import read_tables, seed_report, write_tables
from tests.conftest import WriteRun


@pytest.fixture
def results(tmp_path: Path, write_run: WriteRun) -> list[Result]:
    store = ArtifactStore(tmp_path / "store")
    given = {
        "data": {"limit": 1600}, "models": "all", "defense": {"name": "ppb"},
        "attacks": {"names": ["conf", "lira"]},
    }  # fmt: skip
    experiments = [make_experiment({**given, "seed": seed}) for seed in (2, 1, 3)]
    for experiment in experiments:
        write_run(store, experiment, experiment.seed)
    return [Result(store, experiment) for experiment in experiments]


def test_a_report_holds_what_the_runs_json_says(results: list[Result]) -> None:
    report = seed_report(results[0])
    assert report is not None
    assert report["seed"] == 2
    whole = [
        row
        for pair in contrasts(results[0].experiment)
        for row in contrast_rows(results[0], *pair)
        if row["class"] is None or row["attack"] is None
    ]
    assert report["contrasts"] == whole
    labels = {row["attack"] for row in whole if row["class"] is not None}
    assert labels == {None}, "gaps by class are there, attacks by class are not"


def test_tables_give_the_same_figures_over_seeds(results: list[Result], tmp_path: Path) -> None:
    reports = [report for result in results if (report := seed_report(result))]
    write_tables(reports, tmp_path / "seeds")
    again = read_tables(tmp_path / "seeds")
    assert [one["seed"] for one in again] == [2, 1, 3]
    expected, found = over_seeds(reports), over_seeds(again)
    assert len(found) == len(expected) > 50
    for row, other in zip(expected, found, strict=True):
        figures = ("mean", "ci95", "differences")
        assert {k: v for k, v in other.items() if k not in figures} == {
            k: v for k, v in row.items() if k not in figures
        }
        assert other["mean"] == pytest.approx(row["mean"], abs=2e-6)
        assert other["ci95"] == pytest.approx(row["ci95"], abs=1e-5)


def test_what_a_seed_lacks_is_left_empty(results: list[Result], tmp_path: Path) -> None:
    reports = [report for result in results if (report := seed_report(result))]
    reports[1]["contrasts"] = [r for r in reports[1]["contrasts"] if r["attack"] != "conf"]
    write_tables(reports, tmp_path)
    second = read_tables(tmp_path)[1]
    assert {row["attack"] for row in second["contrasts"]} == {None, "lira"}


def test_an_unfinished_run_has_no_report(results: list[Result]) -> None:
    store = results[0].store
    target = results[0].targets[-1]
    key = results[0].plan.key(evaluation_name(target))
    for file in store.path(key).iterdir():
        file.unlink()
    store.path(key).rmdir()
    assert seed_report(results[0]) is None


def test_an_example_without_seeds_has_no_tables(tmp_path: Path) -> None:
    assert read_tables(tmp_path / "seeds") == []
