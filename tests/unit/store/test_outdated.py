"""A store of an earlier version says what of it no longer counts, and how to make it again."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from prunepriv.cli.app import app
from prunepriv.experiment import make_experiment
from prunepriv.experiment.command import command_line
from prunepriv.plan import plan
from prunepriv.plan import step as step_module
from prunepriv.store.artifacts import ArtifactStore
from prunepriv.store.catalog import Catalog
from prunepriv.store.outdated import outdated
from prunepriv.store.step_rows import step_rows
from tests.synthetic_run import write_synthetic_run

EXPERIMENT = make_experiment(
    {"data": {"limit": 100}, "models": ["pruned"], "attacks": {"names": ["conf"]}, "shadows": 2}
)


@pytest.fixture
def catalog(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Catalog:
    """The store of a version that trained in another way, with a finished run."""
    with monkeypatch.context() as earlier:
        earlier.setattr(step_module, "VERSIONS", {**step_module.VERSIONS, "train": 1})
        return finished(tmp_path)


def finished(folder: Path) -> Catalog:
    """A catalogue with one run, done by the steps that the program has at this moment."""
    catalog, store = Catalog(folder), ArtifactStore(folder)
    run_id = catalog.submit(EXPERIMENT)
    write_synthetic_run(store, EXPERIMENT, np.random.default_rng(0))
    assert catalog.begin(run_id, "", step_rows(store, EXPERIMENT))
    catalog.end(run_id, "done")
    return catalog


def test_what_no_longer_counts_and_the_command_that_makes_it_again(catalog: Catalog) -> None:
    sentence = outdated(catalog.run(EXPERIMENT.run_id), catalog)
    steps = plan(EXPERIMENT).steps
    kept = sum(step.kind in ("data", "split") for step in steps)
    assert f"{len(steps) - kept} of its {len(steps)} steps no longer count" in sentence
    assert f"`{command_line(EXPERIMENT)}`" in sentence
    assert make_experiment(EXPERIMENT.model_dump(mode="json")).run_id == EXPERIMENT.run_id


def test_a_run_of_this_version_counts(tmp_path: Path) -> None:
    catalog = finished(tmp_path)
    assert outdated(catalog.run(EXPERIMENT.run_id), catalog) == ""


def test_a_run_that_lost_an_artifact_is_not_called_old(tmp_path: Path) -> None:
    """Its steps are those of this version: running it again is enough, and nothing else is said."""
    catalog = finished(tmp_path)
    key = plan(EXPERIMENT).key("train:0")
    (ArtifactStore(tmp_path).path(key) / "meta.json").unlink()
    assert outdated(catalog.run(EXPERIMENT.run_id), catalog) == ""


def test_once_its_steps_are_done_again_it_counts(catalog: Catalog) -> None:
    store = ArtifactStore(catalog.store)
    write_synthetic_run(store, EXPERIMENT, np.random.default_rng(0))
    assert outdated(catalog.run(EXPERIMENT.run_id), catalog) == ""


def test_the_command_line_says_so(catalog: Catalog) -> None:
    store = ["--store", str(catalog.store)]
    shown = CliRunner().invoke(app, ["show", EXPERIMENT.run_id, *store])
    assert shown.exit_code == 0
    assert "no longer count" in shown.output
    listed = CliRunner().invoke(app, ["list", *store])
    assert f"to be made again (`show ID` says how): {EXPERIMENT.run_id}" in listed.output


def test_a_run_of_unknown_settings_is_left_alone(catalog: Catalog) -> None:
    run = catalog.run(EXPERIMENT.run_id)
    settings = json.loads(json.dumps(run.settings)) | {"of_another_version": 1}
    assert outdated(type(run)(**{**vars(run), "settings": settings}), catalog) == ""


def test_a_kind_of_step_that_an_earlier_version_lacked_takes_no_figure_away(tmp_path: Path) -> None:
    catalog, store = Catalog(tmp_path), ArtifactStore(tmp_path)
    run_id = catalog.submit(EXPERIMENT)
    kinds = {step.kind for step in plan(EXPERIMENT).steps} - {"size"}
    write_synthetic_run(store, EXPERIMENT, np.random.default_rng(0), kinds=kinds)
    rows = [row for row in step_rows(store, EXPERIMENT) if row["kind"] != "size"]
    assert catalog.begin(run_id, "", rows)
    catalog.end(run_id, "done")
    assert outdated(catalog.run(run_id), catalog) == ""
