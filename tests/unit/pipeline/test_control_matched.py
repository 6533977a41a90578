"""The control that is trained equally long: a real small run, and DP-SGD's guarantee in one."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from prunepriv.defenses.dp_sgd import epsilon
from prunepriv.experiment import Experiment, make_experiment
from prunepriv.pipeline.steps import run_group
from prunepriv.plan import models_name, privacy_name
from prunepriv.progress import silent
from prunepriv.store.artifacts import ArtifactStore
from prunepriv.store.report import report_json
from prunepriv.store.result import Result
from tests.unit.pipeline.tiny_run import MODELS, SHADOWS, Run

NUMBERS = range(MODELS)
BATCH = 32


def small() -> Experiment:
    return make_experiment(
        {
            "data": {"name": "checkins", "limit": 1000},
            "training": {"epochs": 6, "fine_tune_epochs": 12, "patience": 3, "batch_size": BATCH},
            "pruning": {"sparsity": 0.6},
            "defense": {"name": "dp_sgd"},
            "attacks": {"names": ["conf"]},
            "models": ["control", "control_matched", "pruned", "defended"],
            "shadows": SHADOWS,
        }
    )


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return Run(tmp_path_factory.mktemp("run"), small())


def test_each_matched_control_has_the_kept_epochs_of_its_pruned_model(run: Run) -> None:
    kept = [report["best_epoch"] for report in run.reports("pruned")]
    assert len(set(kept)) > 1, "else the test could not tell the models apart"
    matched = run.reports("control_matched")
    assert [len(report["history"]) for report in matched] == kept
    assert [report["best_epoch"] for report in matched] == kept, "the last weights are kept"
    assert not any(report["sparsity"] for report in matched)
    assert not run.models("control_matched", "masks")


def test_it_is_the_control_without_its_stopping_rule(run: Run) -> None:
    """Same records, order and dropout: as long as both go on, their epochs are the same."""
    pairs = zip(run.reports("control"), run.reports("control_matched"), strict=True)
    for number, (control, matched) in enumerate(pairs):
        both = min(len(control["history"]), len(matched["history"]))
        assert matched["history"][:both] == control["history"][:both]
        weights = [
            run[models_name(kind, number)].tensors("model")["output.weight"]
            for kind in ("control", "control_matched")
        ]
        alike = control["best_epoch"] == matched["best_epoch"]
        assert np.array_equal(*weights) == alike


def test_its_bytes_do_not_depend_on_its_group(run: Run, tmp_path: Path) -> None:
    """Shadows of one stack need different numbers of epochs."""
    store = ArtifactStore(tmp_path)
    group = [run.plan.by_name[models_name("control_matched", number)] for number in NUMBERS]
    for step in group:
        for key in step.inputs.values():
            if not store.path(key).exists():
                shutil.copytree(run.store.path(key), store.path(key))
    run_group(group, store, tmp_path, [silent] * len(group))
    for step in group:
        assert store.open(step.key).meta["files"] == run.store.open(step.key).meta["files"]


def test_it_is_attacked_and_reported_as_the_control_is(run: Run) -> None:
    report = report_json(Result(run.store, run.plan.experiment), [])
    rows = {row["model"]: row for row in report["models"]}
    assert rows["control_matched"]["trained_epochs"] == rows["pruned"]["kept_epochs"]
    assert rows["control_matched"]["privacy"] is None
    attacked = [row["model"] for row in report["attacks"]]
    assert attacked.count("control_matched") == attacked.count("control") == 1
    failed = [row for row in report["checks"] if row["passed"] is False]
    assert all(row["check"] == "models_learned" for row in failed), failed


def test_the_guarantee_of_a_run_is_that_of_its_budget(run: Run) -> None:
    told = run[privacy_name("defended")].json("privacy")
    steps_an_epoch = -(-run.own[1] // BATCH)
    assert told["budget_steps"] == 12 * steps_an_epoch
    assert told["epsilon"] == epsilon(1.0, told["sample_rate"], told["budget_steps"])
    assert Result(run.store, run.plan.experiment).privacy("defended") == told
    assert run[models_name("defended")].json("report")["privacy"]["steps"] == told["steps"]
