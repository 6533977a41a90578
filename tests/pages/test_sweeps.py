"""Sweeps: the first visit, a finished sweep's charts and files, a running sweep, and new ones."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from prunepriv.environment import store_folder
from prunepriv.experiment.sweep import Sweep, make_sweep
from prunepriv.store.artifacts import ArtifactStore
from prunepriv.store.catalog import Catalog
from prunepriv.store.result import Result
from prunepriv.store.sweep_files import read_sweeps, write_sweep
from prunepriv.store.sweep_table import summary, sweep_table
from prunepriv.ui import launching
from tests.blank_run import SENTENCE, learn_nothing
from tests.pages.conftest import Open, figures, finish
from tests.synthetic_run import write_synthetic_run

BASE = {
    "data": {"limit": 200},
    "shadows": 2,
    "models": ["original", "pruned"],
    "attacks": {"names": ["conf", "top1_conf"]},
}


def write_sweep_runs(sweep: Sweep, last: str = "done") -> None:
    """Enter a sweep whose runs are done, the last one with status ``last``."""
    store = ArtifactStore(store_folder())
    write_sweep(store.root, sweep)
    catalog = Catalog(store.root)
    for experiment in sweep.experiments:
        status = last if experiment is sweep.experiments[-1] else "done"
        if status == "queued":
            catalog.submit(experiment)
            continue
        write_synthetic_run(store, experiment, np.random.default_rng(experiment.seed))
        finish(catalog, experiment, status)
    catalog.close()


@pytest.fixture
def sweep() -> Sweep:
    grid = {"pruning.sparsity": [0.5, 0.9], "seed": [1, 2]}
    return make_sweep({"name": "two by two", "base": BASE, "grid": grid})


def button(at: AppTest, label: str) -> Any:
    return next(one for one in at.button if one.label == label)


def test_a_first_visitor_reads_what_a_sweep_is_and_its_cost(open_page: Open) -> None:
    at = open_page("sweeps")
    assert not at.exception
    words = " ".join(one.value for one in at.markdown)
    assert "No sweep has run on this computer yet" in words
    assert "15 pruned models in 15 runs" in words
    assert "Time: " in words
    at.button_group(key="sweep_preset").set_value("paper").run()
    assert "255 pruned models" in " ".join(one.value for one in at.markdown)
    assert "Needs" in " ".join(one.value for one in at.caption)


def test_lines_are_the_means_over_seeds(open_page: Open, sweep: Sweep) -> None:
    write_sweep_runs(sweep)
    at = open_page("sweeps")
    assert not at.exception
    means = summary(sweep_table(ArtifactStore(store_folder()), sweep), sweep)
    ours = means[(means["model"] == "pruned") & (means["attack"] == "conf")]
    drawn = figures(at)
    assert list(drawn) == ["sweep_lines"]
    lines = drawn["sweep_lines"]
    line = next(trace for trace in lines["data"] if trace["name"] == "Pruned")
    assert line["x"] == [0.5, 0.9]
    assert line["y"] == pytest.approx(ours["accuracy"].tolist())
    ends = np.array(line["y"]) + line["error_y"]["array"]
    assert ends == pytest.approx(ours["accuracy_high"].to_numpy())
    assert lines["layout"]["yaxis"]["range"] == [0.4, 1.0]
    sentence = next(m.value for m in at.markdown if m.value.startswith("**Over 2 seeds, from 50 %"))
    assert "points (undecided: two seeds), 95 % interval" in sentence
    assert f"{100 * ours['accuracy'].iloc[0]:.1f} %" in sentence
    assert at.query_params["sweep"] == sweep.sweep_id
    assert len(at.dataframe[0].value) == 4 * 2 * 2


def test_a_running_sweep_shows_its_progress_and_can_be_cancelled(
    open_page: Open, sweep: Sweep
) -> None:
    write_sweep_runs(sweep, last="queued")
    at = open_page("sweeps", sweep=sweep.sweep_id)
    assert not at.exception
    assert "no engine is running" in at.warning[0].value
    assert figures(at), "results so far are drawn"
    button(at, "Cancel the sweep").click().run()
    assert not at.exception
    catalog = Catalog(store_folder())
    assert catalog.run(sweep.run_ids[-1]).status == "cancelled"
    assert "3 of 4 runs done" in " ".join(one.value for one in at.caption)
    button(at, "Delete from the list").click().run()
    assert not at.exception
    assert not read_sweeps(store_folder())


def test_a_sweep_says_what_it_was_told_of_the_workers(open_page: Open, sweep: Sweep) -> None:
    write_sweep_runs(sweep, last="queued")
    catalog = Catalog(store_folder())
    catalog.tell("engine.lock", "the Dask scheduler is lost")
    catalog.close()
    at = open_page("sweeps", sweep=sweep.sweep_id)
    assert at.warning[0].value == "the Dask scheduler is lost"


def test_a_failed_run_is_reported(open_page: Open, sweep: Sweep) -> None:
    write_sweep_runs(sweep, last="failed")
    at = open_page("sweeps", sweep=sweep.sweep_id)
    assert at.error[0].value == "A run failed: the disk is full"
    assert button(at, "Resume the sweep")


def test_a_sweep_without_results_says_when_they_will_appear(open_page: Open) -> None:
    base = {**BASE, "models": ["pruned"]}
    grid = {"pruning.sparsity": [0.5, 0.9], "knowledge.sparsity": [0.5, 0.9]}
    sweep = make_sweep({"name": "knows", "base": base, "grid": grid})
    store = store_folder()
    write_sweep(store, sweep)
    at = open_page("sweeps", sweep=sweep.sweep_id)
    assert "once it has run" in at.info[0].value


def test_axes_chosen_on_the_page_become_a_sweep_and_start(
    open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    launched: list[Any] = []
    monkeypatch.setattr(
        launching, "launch_all", lambda experiments, store: launched.extend(experiments)
    )
    at = open_page("sweeps", sweep_from="Choose axes")
    assert not at.exception
    at.button_group(key="sweep_new_sparsities").set_value([60]).run()
    at.number_input(key="sweep_new_seeds").set_value(2).run()
    assert "2 pruned models in 2 runs" in " ".join(one.value for one in at.markdown)
    button(at, "Launch the sweep").click().run()
    assert not at.exception
    assert {one.pruning.sparsity for one in launched} == {0.6}
    assert [one.seed for one in launched] == [1, 2]
    assert list(read_sweeps(store_folder()))
    at.button_group(key="sweep_new_sparsities").set_value([]).run()
    assert "pruning.sparsity has no values" in " ".join(one.value for one in at.warning)


def test_a_file_is_read_and_its_mistakes_are_explained(open_page: Open) -> None:
    at = open_page("sweeps", sweep_from="File")
    assert "pruning.sparsity: [0.5, 0.7]" in at.code[0].value
    wrong = ("grid.yaml", b"name: x\ngrid: {pruning.sparcity: [1]}", "application/yaml")
    at.file_uploader(key="sweep_file").set_value(wrong).run()
    assert "pruning.sparcity is not a setting" in at.warning[0].value
    right = ("grid.yaml", b"name: x\ngrid: {seed: [1, 2, 3]}", "application/yaml")
    at.file_uploader(key="sweep_file").set_value(right).run()
    assert "in 3 runs" in " ".join(one.value for one in at.markdown)


def test_a_sweep_that_does_not_exist(open_page: Open) -> None:
    at = open_page("sweeps", sweep="../../etc/passwd")
    assert not at.exception
    assert "no such sweep" in at.warning[0].value


def test_a_sweep_says_which_of_its_runs_learnt_nothing(open_page: Open, sweep: Sweep) -> None:
    write_sweep_runs(sweep)
    first = sweep.experiments[0]
    learn_nothing(Result(ArtifactStore(store_folder()), first))
    at = open_page("sweeps")
    assert not at.exception
    (told,) = (one.value for one in at.error)
    assert "failed in 1 of 4 runs: \u201cModels learnt something\u201d" in told
    assert first.run_id in told
    assert SENTENCE in told


def test_a_sweep_of_sound_runs_warns_of_nothing(open_page: Open, sweep: Sweep) -> None:
    write_sweep_runs(sweep)
    assert not open_page("sweeps").error
