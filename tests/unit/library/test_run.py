"""Runs by call: the same figures as the command line's, and every way in which a run can end."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

import prunepriv
from prunepriv.cli import main
from prunepriv.engine import follow
from prunepriv.environment import store_folder
from prunepriv.errors import MissingArtifactError
from prunepriv.experiment import Experiment, make_experiment
from prunepriv.options import ATTACKS
from prunepriv.plan import Target, evaluation_name, signals_name
from prunepriv.store.artifacts import ArtifactStore
from prunepriv.store.catalog import Catalog
from prunepriv.store.export import export_csv
from prunepriv.store.result import Result
from tests.blank_run import learn_nothing
from tests.synthetic_run import write_synthetic_run
from tests.unit.library.conftest import SMALL, enter

PRUNED = Target("pruned")


def command_line(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    monkeypatch.setattr(sys, "argv", ["prunepriv", *words])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


@pytest.mark.usefixtures("fake")
def test_the_figures_are_those_of_the_command_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = prunepriv.run(**SMALL, inline=True)
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", ""), "nobody watches"
    first, file = run.json(), tmp_path / "out.json"
    code = command_line(
        monkeypatch, "run", "--limit", "400", "--shadows", "2", "--attacks", "conf", "--models",
        "pruned", "--json", str(file),
    )  # fmt: skip
    assert code == 0
    written = json.loads(file.read_text())
    assert [step.pop("cached") for step in written["steps"]] == [True] * 19
    assert [step.pop("cached") for step in first["steps"]] == [False] * 19
    assert first == written
    assert run.id == written["run"]
    assert run.steps["cached"].all(), "the run was submitted again"
    assert run.seconds == pytest.approx(sum(step["seconds"] for step in written["steps"]))


@pytest.mark.usefixtures("fake")
def test_a_finished_run_is_read_without_an_engine() -> None:
    run = prunepriv.run(**SMALL, inline=True)
    again = prunepriv.run(**SMALL)
    assert (again.id, again.status, again.error) == (run.id, "done", "")
    assert not (store_folder() / "engine.lock").exists()
    assert run.experiment == make_experiment(
        {"data": {"limit": 400}, "shadows": 2, "attacks": {"names": ["conf"]}, "models": ["pruned"]}
    )
    assert run.command.startswith("python -m prunepriv run --dataset checkins --limit 400")


def test_tables_hold_what_the_csv_export_holds(synthetic: prunepriv.Run, tmp_path: Path) -> None:
    report = synthetic.json()
    export_csv(report, tmp_path, synthetic.command)
    for name in ("models", "gaps", "attacks", "checks", "steps"):
        frame = getattr(synthetic, name)
        written = pd.read_csv(tmp_path / f"{name}.csv")
        assert len(frame) == len(written) == len(report[name])
        for column in frame.columns.intersection(written.columns):
            if frame[column].dtype == float:
                np.testing.assert_allclose(frame[column], written[column].astype(float))
        missing = set(written) - {"run", "seed", "privacy"} - set(frame)
        assert not missing, f"{name} lacks {missing}"
    targets = synthetic.attacks[["model", "adversary"]].drop_duplicates()
    assert len(targets) == 5
    classes = synthetic.gaps["class"]
    assert classes.isna().sum() == 4
    assert set(classes.dropna()) == set(range(30))


def test_tables_are_the_callers_own(synthetic: prunepriv.Run) -> None:
    before = synthetic.attacks
    changed = synthetic.attacks
    changed["accuracy"] = 0.0
    changed.loc[len(changed)] = changed.loc[0]
    assert_frame_equal(synthetic.attacks, before)
    figure = synthetic.figure("attacks")
    figure.update_layout(title="mine", height=77)
    assert synthetic.figure("attacks").layout.height != 77


def test_dp_sgds_guarantee_stands_in_the_models(
    store: ArtifactStore, rng: np.random.Generator
) -> None:
    experiment = make_experiment(
        {"data": {"limit": 400}, "defense": {"name": "dp_sgd", "strength": 2}, "shadows": 2}
    )
    write_synthetic_run(store, experiment, rng)
    models = enter(store, experiment).models.set_index("model")
    assert models.loc["defended", "privacy_epsilon"] == pytest.approx(1.6)
    assert models["privacy_epsilon"].isna().sum() == 3
    assert "privacy" not in models


def test_signals_are_what_the_store_holds(synthetic: prunepriv.Run, result: Result) -> None:
    ours, theirs = synthetic.signals("control"), result.signals("control")
    assert theirs is not None
    for name in ("record", "member", "label", "logits", "sensitivity"):
        np.testing.assert_array_equal(getattr(ours, name), getattr(theirs, name))
    with pytest.raises(prunepriv.ExperimentError, match="no model 'prune': choose one of original"):
        synthetic.signals("prune")


def test_a_run_says_what_it_is_by_the_attack_chosen_beforehand(
    synthetic: prunepriv.Run, result: Result
) -> None:
    row = result.headline(PRUNED)
    assert row is not None
    first, second = repr(synthetic).splitlines()
    assert first == f"Run {synthetic.id}, done"
    low, high = (f"{100 * end:.1f} %" for end in row["accuracy_ci95"])
    assert second.removesuffix(", guessing") == (
        f"attack chosen beforehand: {ATTACKS[row['attack']].label} on the pruned model, "
        f"{100 * row['accuracy']:.1f} % ({low} to {high}; guessing: 50 %)"
    )
    assert second.endswith(", guessing") is (row["p"] >= 0.05)
    assert first in synthetic._repr_html_()


@pytest.mark.parametrize(
    ("p", "chosen", "start", "end"),
    [
        (0.05, True, "attack chosen beforehand: ", "guessing: 50 %), guessing"),
        (0.01, True, "attack chosen beforehand: ", "guessing: 50 %)"),
        (0.01, False, "best attack after the fact: ", "guessing: 50 %)"),
    ],
)
def test_a_run_says_whether_its_attack_is_guessing_and_was_chosen(
    synthetic: prunepriv.Run,
    monkeypatch: pytest.MonkeyPatch,
    p: float,
    chosen: bool,
    start: str,
    end: str,
) -> None:
    row = synthetic._result.headline(PRUNED)
    assert row is not None
    monkeypatch.setattr(Result, "headline", lambda *_: {**row, "p": p, "chosen": chosen})
    told = repr(synthetic).splitlines()[1]
    assert told.startswith(start)
    assert told.endswith(end)


def test_a_run_that_learnt_nothing_says_so(finished: Result) -> None:
    run = enter(finished.store, finished.experiment)
    assert len(repr(run).splitlines()) == 2
    detail = learn_nothing(finished)
    last = repr(run).splitlines()[-1]
    assert last.startswith("A hygiene check of this run failed: ")
    assert detail in last
    assert "not safety here" in run._repr_html_()
    assert detail in set(run.checks["detail"])


# --- runs that are not finished ---


@pytest.fixture
def half(
    store: ArtifactStore, small_experiment: Experiment, rng: np.random.Generator
) -> prunepriv.Run:
    """A queued run whose pruned model has not been made yet."""
    write_synthetic_run(store, small_experiment, rng)
    result = Result(store, small_experiment)
    for step in result.plan.steps:
        if "pruned" in step.name or "defended" in step.name:
            shutil.rmtree(store.path(step.key))
    catalog = Catalog(store.root)
    catalog.submit(small_experiment)
    catalog.close()
    return prunepriv.load(small_experiment.run_id)


def test_of_a_run_that_waits_there_is_what_was_finished(half: prunepriv.Run) -> None:
    assert half.status == "queued"
    assert half.models["model"].tolist() == ["original", "control"]
    assert set(half.gaps["model"]) == set(half.attacks["model"]) == {"original", "control"}
    assert half.steps.empty
    assert list(half.steps) == ["step", "status", "seconds", "cached", "key"]
    assert half.seconds == 0
    with pytest.raises(
        MissingArtifactError, match="no signals of the pruned model yet: it is queued"
    ):
        half.signals("pruned")
    with pytest.raises(MissingArtifactError, match="is not finished"):
        half.json()
    assert repr(half).startswith(f"Run {half.id}, queued\nattack chosen beforehand: ")
    assert "on the control model" in repr(half)


def test_of_a_run_that_has_nothing_there_are_empty_tables(small_experiment: Experiment) -> None:
    Catalog(store_folder()).submit(small_experiment)
    run = prunepriv.load(small_experiment.run_id)
    for name in ("models", "gaps", "attacks", "checks", "steps"):
        assert getattr(run, name).empty
    assert "accuracy" in run.attacks
    assert repr(run) == f"Run {run.id}, queued"
    run.cancel()
    assert run.status == "cancelled"
    with pytest.raises(prunepriv.StoreError, match="is cancelled"):
        run.cancel()


def test_a_finished_run_whose_artifact_was_damaged_is_not_shown_in_part(finished: Result) -> None:
    run = enter(finished.store, finished.experiment)
    for name, table in ((signals_name("control"), "models"), (evaluation_name(PRUNED), "attacks")):
        key = finished.plan.key(name)
        for file in finished.store.path(key).glob("[!m]*.json"):
            file.write_text("{}")
        with pytest.raises(MissingArtifactError, match="run it again"):
            getattr(run, table)
    assert repr(run).startswith(f"Run {run.id}: step {evaluation_name(PRUNED)} of run")


UNKNOWN = [
    ("no-such-run", "no run no-such-run in"),
    ("../passwd", "is not a run"),
    (5, "is not a run"),
]


@pytest.mark.parametrize(("run_id", "sentence"), UNKNOWN, ids=str)
def test_an_unknown_run_is_told(run_id: Any, sentence: str, tmp_path: Path) -> None:
    with pytest.raises(prunepriv.UnknownRunError, match=sentence):
        prunepriv.load(run_id)
    with pytest.raises(prunepriv.UnknownRunError, match=sentence):
        prunepriv.load(run_id, store=str(tmp_path / "other"))


# --- how a run can end ---


@pytest.mark.usefixtures("fake")
def test_a_failed_run_raises_its_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "fail").mkdir()
    (tmp_path / "fail" / "train+0").touch()
    monkeypatch.setenv("FAKE_RUNNER", str(tmp_path))
    with pytest.raises(prunepriv.PruneprivError, match=r"train\+0 was told to fail"):
        prunepriv.run(**SMALL, inline=True)
    run = prunepriv.load(Catalog(store_folder()).runs()[0].run_id)
    assert (run.status, run.error) == ("failed", "train+0 was told to fail")


def submit_ended(status: Any, error: str = "") -> Any:
    """Stands in for launching on an engine, where the run ends so."""

    def launch_all(experiments: list[Experiment], store: Path, **_: object) -> None:
        [experiment] = experiments
        catalog = Catalog(store)
        catalog.submit(experiment)
        catalog.end(experiment.run_id, status, error)
        catalog.close()

    return launch_all


def test_a_run_that_failed_on_the_engine_raises_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follow, "launch_all", submit_ended("failed", "the disk is full"))
    with pytest.raises(prunepriv.PruneprivError, match=r"^the disk is full$"):
        prunepriv.run(**SMALL)


def test_a_cancelled_run_is_cancelled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follow, "launch_all", submit_ended("cancelled"))
    with pytest.raises(prunepriv.Cancelled, match="was cancelled: its finished steps are kept"):
        prunepriv.run(**SMALL)


def interrupt(*_: object, **__: object) -> NoReturn:
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("inline", "name", "sentence"),
    [
        (True, "run_inline", "was cancelled: the same call continues it"),
        (False, "launch_all", "continues in the engine: the same call follows it"),
    ],
)
def test_an_interrupt_tells_how_to_go_on(
    monkeypatch: pytest.MonkeyPatch, inline: bool, name: str, sentence: str
) -> None:
    monkeypatch.setattr(follow, name, interrupt)
    with pytest.raises(KeyboardInterrupt) as error:
        prunepriv.run(**SMALL, inline=inline)
    assert sentence in error.value.__notes__[0]
