"""``list`` and ``show``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from prunepriv.environment import store_folder
from prunepriv.plan import plan
from prunepriv.store.artifacts import ArtifactStore
from prunepriv.store.catalog import Catalog
from prunepriv.store.result import Result
from prunepriv.store.step_logs import log_path
from tests.blank_run import learn_nothing
from tests.fake_runner import make_steering
from tests.unit.cli.conftest import SMALL, Cli


def test_a_run_is_listed_and_shown(cli: Cli) -> None:
    cli("run", "--inline", *SMALL)
    run_id = Catalog(store_folder()).runs()[0].run_id
    assert run_id in cli("list").out
    shown = cli("show", run_id).out
    assert "Conf" in shown
    assert "fit:conf:pruned" in shown
    assert "1,234" in shown
    assert "They share none." in shown
    assert "of the multiplications are left." in " ".join(shown.split())


def test_a_failed_run_is_shown_with_the_log_of_its_step(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_steering(tmp_path)
    (tmp_path / "fail" / "train+0").touch()
    monkeypatch.setenv("FAKE_RUNNER", str(tmp_path))
    cli("run", "--inline", *SMALL)
    run = Catalog(store_folder()).runs()[0]
    log = log_path(store_folder(), plan(run.experiment).key("train:0"))
    assert cli("show", run.run_id).out.splitlines()[-1] == f"log of step train:0: {log}"
    assert "told to fail" in log.read_text()
    log.unlink()
    assert "log of step" not in cli("show", run.run_id).out


def test_an_empty_store_says_what_to_do(cli: Cli) -> None:
    assert "no runs in" in cli("list").out


def test_a_run_that_learnt_nothing_is_called_that_first(cli: Cli, tmp_path: Path) -> None:
    cli("run", "--inline", *SMALL)
    run = Catalog(store_folder()).runs()[0]
    detail = learn_nothing(Result(ArtifactStore(store_folder()), run.experiment))
    file, folder = tmp_path / "out.json", tmp_path / "csv"
    for words in (("show", run.run_id), ("run", *SMALL)):
        printed = " ".join(cli(*words).out.split())
        assert printed.startswith(
            "A hygiene check of this run failed: \u201cModels learnt something"
        )
        assert detail in printed
    cli("export", run.run_id, "--json", str(file), "--csv", str(folder))
    assert detail in [row["detail"] for row in json.loads(file.read_text())["checks"]]
    assert detail in (folder / "checks.csv").read_text()
