from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from prunepriv.engine.client import engine_is_alive
from prunepriv.environment import SCHEDULER, store_folder
from prunepriv.errors import EngineError
from prunepriv.estimates import progress as estimates
from prunepriv.experiment import Experiment, make_experiment
from prunepriv.experiment.presets import presets
from prunepriv.experiment.seeds import same_but_seed
from prunepriv.options import DEFENSES
from prunepriv.store.artifacts import ArtifactStore
from prunepriv.store.catalog import Catalog
from prunepriv.store.locks import claim
from prunepriv.store.own_data import import_data, imported
from prunepriv.store.step_rows import step_rows
from prunepriv.ui import launching
from prunepriv.ui.run import form_values, launch, live
from tests.pages.conftest import Begin, Open, figure, finish


def button(at: AppTest, label: str) -> Any:
    return next(one for one in at.button if one.label == label)


def shown_command(at: AppTest) -> str:
    return at.code[0].value


@pytest.mark.parametrize("name", list(presets()))
def test_a_preset_goes_through_the_form_unchanged(name: str) -> None:
    experiment = presets()[name].made
    assert make_experiment(form_values.settings(form_values.values(experiment))) == experiment


EVERYTHING = {
    "data": {"name": "shapes", "limit": 300},
    "model": {"width": 0.5},
    "training": {
        "epochs": 9, "fine_tune_epochs": 3, "patience": None, "stop_at_member_accuracy": 0.99,
        "learning_rate": 0.002, "weight_decay": 0.001, "batch_size": 64,
    },
    "pruning": {"approach": "network_slimming", "sparsity": 0.35, "slimming_penalty": 0.003},
    "defense": {"name": "label_smoothing", "strength": 0.2},
    "knowledge": {"approach": "l1_structured", "sparsity": 0.8},
    "signals": {"sensitivity": "exact"},
    "attacks": {"names": ["conf", "lira"], "recipe": "paper"},
    "models": ["original", "defended"], "shadows": 3, "seed": 11,
}  # fmt: skip


def test_the_form_holds_every_setting(open_page: Open) -> None:
    """Also settings that no preset changes; the page's command shows them."""
    experiment = make_experiment(EVERYTHING)
    form = form_values.values(experiment)
    assert make_experiment(form_values.settings(form)) == experiment
    at = open_page("run", **{f"new_{name}": value for name, value in form.items()})
    assert not at.exception
    at.number_input(key="new_learning_rate").set_value(0.02).run()
    assert "--learning-rate 0.02" in shown_command(at)


@pytest.mark.parametrize("name", list(presets()))
def test_a_preset_fills_the_form(open_page: Open, name: str) -> None:
    at = open_page("run")
    button(at, presets()[name].label).click().run()
    assert not at.exception
    experiment = presets()[name].made
    assert f"--dataset {experiment.data.name}" in shown_command(at)
    assert f"--sparsity {experiment.pruning.sparsity:g}" in shown_command(at)
    assert f"--defense {experiment.defense.name}" in shown_command(at)


def test_another_data_set_selects_a_model_that_fits(open_page: Open) -> None:
    at = open_page("run")
    at.button_group(key="new_dataset").set_value("shapes").run()
    assert "--model cnn" in shown_command(at)
    assert not at.warning


def test_an_impossible_combination_is_explained_and_cannot_be_launched(open_page: Open) -> None:
    at = open_page("run")
    at.button_group(key="new_approach").set_value("l1_structured").run()
    assert "l1_structured needs conv layers, and fc has none" in at.warning[0].value
    assert button(at, "Launch").disabled


def test_no_attack_at_all_is_explained_in_a_sentence(open_page: Open) -> None:
    at = open_page("run")
    at.button_group(key="new_attacks").set_value([]).run()
    assert not at.exception
    assert button(at, "Launch").disabled
    assert "attacks" in at.warning[0].value


def test_launch_submits_exactly_what_is_shown(
    open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    launched: list[Experiment] = []

    def submit_only(experiment: Experiment, store: Any) -> str:
        launched.append(experiment)
        catalog = Catalog(store)
        catalog.submit(experiment)
        catalog.close()
        return experiment.run_id

    monkeypatch.setattr(launch, "launch", submit_only)
    at = open_page("run")
    at.number_input(key="new_seed").set_value(3).run()
    button(at, "Launch").click().run()
    assert not at.exception
    assert [one.seed for one in launched] == [3]
    assert at.query_params["run"] == launched[0].run_id
    assert button(at, "Cancel")


def test_other_seeds_launch_one_run_each(open_page: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    launched: list[Experiment] = []

    def submit_only(experiments: tuple[Experiment, ...], store: Path) -> None:
        catalog = Catalog(store)
        for experiment in experiments:
            catalog.submit(experiment)
        catalog.close()
        launched.extend(experiments)

    monkeypatch.setattr(launching, "launch_all", submit_only)
    at = open_page("run", new_seed="3", new_seeds="1, 2,3")
    assert "--seeds 3,1,2" in shown_command(at)
    button(at, "Launch 3 runs").click().run()
    assert not at.exception
    assert [one.seed for one in launched] == [3, 1, 2]
    assert all(same_but_seed(one, launched[0]) for one in launched)
    assert at.query_params["run"] == launched[0].run_id


def test_seeds_that_are_no_numbers_cannot_be_launched(open_page: Open) -> None:
    at = open_page("run", new_seeds="1,two")
    assert any("seeds are whole numbers" in w.value for w in at.warning)
    assert button(at, "Launch").disabled


def test_an_engine_that_cannot_start_is_reported_on_the_page(
    open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(experiment: Experiment, store: Any) -> str:
        raise EngineError("the engine could not be started: see engine.log")

    monkeypatch.setattr(launch, "launch", fail)
    at = open_page("run")
    button(at, "Launch").click().run()
    assert at.error[0].value == "the engine could not be started: see engine.log"


@pytest.mark.parametrize(
    ("status", "words"),
    [("done", "Done"), ("failed", "It failed: the disk is full"), ("cancelled", "Cancelled")],
)
def test_the_page_says_how_a_run_ended(open_page: Open, status: str, words: str) -> None:
    experiment = make_experiment({"data": {"limit": 500}})
    catalog = Catalog(store_folder())
    finish(catalog, experiment, status)
    catalog.close()
    at = open_page("run", run=experiment.run_id)
    told = [one.value for one in (*at.success, *at.error, *at.info, *at.warning)]
    assert any(words in one for one in told)
    assert any(one.label == "Resume" for one in at.button) == (status != "done")


def test_an_interrupted_run_can_be_discarded(open_page: Open) -> None:
    experiment = make_experiment({"data": {"limit": 500}})
    catalog = Catalog(store_folder())
    catalog.submit(experiment)
    rows = step_rows(ArtifactStore(store_folder()), experiment)
    catalog.begin(experiment.run_id, "nobody.lock", rows)
    at = open_page("run", run=experiment.run_id)
    assert "Interrupted" in at.warning[0].value
    button(at, "Discard").click().run()
    assert not at.exception
    assert experiment.run_id not in [run.run_id for run in catalog.runs()]
    catalog.close()


def test_a_run_in_the_queue_without_an_engine_offers_to_start_one(open_page: Open) -> None:
    experiment = make_experiment({"data": {"limit": 500}})
    catalog = Catalog(store_folder())
    catalog.submit(experiment)
    catalog.close()
    at = open_page("run", run=experiment.run_id)
    assert "no engine" in at.warning[0].value
    assert button(at, "Start the engine")


@pytest.mark.parametrize("label", ["Start the engine", "Launch"])
def test_without_its_scheduler_the_page_starts_no_engine(
    open_page: Open, monkeypatch: pytest.MonkeyPatch, label: str
) -> None:
    """Neither for a run that waits, nor for a new one."""
    experiment = make_experiment({"data": {"limit": 500}})
    catalog = Catalog(store_folder())
    catalog.submit(experiment)
    monkeypatch.setenv(SCHEDULER, "tcp://127.0.0.1:1")
    at = open_page("run", **({"run": experiment.run_id} if label == "Start the engine" else {}))
    button(at, label).click().run()
    assert "no Dask scheduler answers at tcp://127.0.0.1:1" in at.error[0].value
    assert not engine_is_alive(store_folder())
    assert [run.run_id for run in catalog.runs()] == [experiment.run_id], "nothing is submitted"
    catalog.close()


@pytest.mark.parametrize("waits", [True, False])
def test_a_run_says_what_it_was_told_of_the_workers(open_page: Open, waits: bool) -> None:
    experiment = make_experiment({"data": {"limit": 500}})
    catalog = Catalog(store_folder())
    catalog.submit(experiment)
    held = claim(catalog.store / "engine.lock")
    assert held is not None
    if not waits:
        rows = step_rows(ArtifactStore(catalog.store), experiment)
        catalog.begin(experiment.run_id, "engine.lock", rows)
    catalog.tell("engine.lock", "the Dask scheduler is lost")
    at = open_page("run", run=experiment.run_id)
    held.release()
    catalog.close()
    assert [warning.value for warning in at.warning] == ["the Dask scheduler is lost"]


def test_a_running_run_shows_its_progress(open_page: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    """19 steps of one minute each, four of them done and one half done; one worker."""
    minute = SimpleNamespace(seconds=lambda step, experiment: 60.0)
    monkeypatch.setattr(estimates, "measure", lambda catalog: minute)
    monkeypatch.setattr(live, "default_workers", lambda: 1)
    given = {"models": ["pruned"], "attacks": {"names": ["conf"]}, "shadows": 2}
    experiment = make_experiment(given)
    catalog = Catalog(store_folder())
    catalog.submit(experiment)
    held = claim(catalog.store / "some.lock")
    assert held is not None
    rows = step_rows(ArtifactStore(catalog.store), experiment)
    for row, fraction in zip(rows, (1.0, 1.0, 1.0, 1.0, 0.5), strict=False):
        row |= {"status": "done" if fraction == 1 else "running", "fraction": fraction}
    catalog.begin(experiment.run_id, "some.lock", rows)
    catalog.close()
    at = open_page("run", run=experiment.run_id)
    held.release()
    assert not at.exception
    whole = at.get("progress")[0].proto
    assert whole.value == 23
    assert "4 of 19 steps done · about 14 min left" in whole.text


def test_finished_run_shows_its_size_and_the_sparsity_of_each_layer(
    open_page: Open, begin: Begin
) -> None:
    experiment = make_experiment({"data": {"limit": 400}, "attacks": {"names": ["conf"]}})
    result = begin(experiment)
    at = open_page("run", run=result.run_id)
    assert not at.exception
    report, trained = result.model_report("pruned"), result.training_report("original")
    parameters = trained["architecture"]["parameters"]
    told = f"Every model: {parameters:,} parameters, {parameters:,} multiplications per record."
    assert told in [caption.value for caption in at.caption]
    bars = figure(at, "sparsity")["data"][0]
    assert bars["y"] == list(report["layers"])
    assert bars["x"] == pytest.approx(list(report["layers"].values()))
    whole = f"removed {100 * report['sparsity']:.1f} % of the model's weights"
    assert any(whole in text.value for text in at.markdown)


def command_with(at: AppTest, key: str, value: Any) -> str:
    at.button_group(key=f"new_{key}").set_value(value).run()
    assert not at.exception
    return shown_command(at)


@pytest.mark.parametrize("name", [name for name in DEFENSES if name != "none"])
def test_each_defense_has_its_own_strength(open_page: Open, name: str) -> None:
    """Also after another defence whose strength is outside its bounds."""
    at = open_page("run")
    command_with(at, "defense", "ppb")
    at.number_input(key="new_strength").set_value(33.0).run()
    assert "--strength 33" in shown_command(at)
    if name != "ppb":
        command_with(at, "defense", name)
        assert f"--strength {DEFENSES[name].default_strength:g}" in shown_command(at)
    strength = at.number_input(key="new_strength")
    assert strength.label == DEFENSES[name].strength
    assert (strength.min, strength.max) == (DEFENSES[name].low, DEFENSES[name].high)
    assert not at.warning


def test_dp_sgd_has_a_clip_and_group_norm(open_page: Open) -> None:
    at = open_page("run")
    command_with(at, "dataset", "shapes")
    command_with(at, "defense", "dp_sgd")
    at.number_input(key="new_clip").set_value(0.5).run()
    assert "--norm group" in shown_command(at)
    assert "--clip 0.5" in shown_command(at)
    at.button_group(key="new_norm").set_value("batch").run()
    assert "choose group norm" in at.warning[0].value
    assert "--norm" not in command_with(at, "defense", "none")


def test_what_the_adversary_assumes_and_how_sensitivity_is_measured(open_page: Open) -> None:
    at = open_page("run")
    at.selectbox(key="new_assumed_approach").set_value("l1_structured").run()
    assert "l1_structured needs conv layers" in at.warning[0].value
    command_with_cnn = command_with(at, "dataset", "shapes")
    assert "--assumed-approach l1_structured" in command_with_cnn
    at.selectbox(key="new_assumed_sparsity").set_value("30 %").run()
    assert "--assumed-sparsity 0.3" in shown_command(at)
    assert "--sensitivity exact" in command_with(at, "sensitivity", "exact")


def upload(at: AppTest, name: str, text: str) -> None:
    at.file_uploader(key="upload_file").set_value((name, text.encode(), "text/csv")).run()


def test_an_uploaded_table_is_imported_and_chosen(open_page: Open) -> None:
    at = open_page("run")
    upload(at, "people.csv", "age,label\n" + "4,a\n7,b\n" * 20)
    assert not at.exception
    assert at.success[0].value == "people: a table of 40 records of 1 feature, 2 classes."
    assert "--dataset own:" in shown_command(at)
    assert not at.warning
    own = imported(store_folder())[0].own
    again = open_page("run", new_dataset=f"people ({own.digest[:6]})")
    assert f"--dataset {own.handle}" in shown_command(again)


def test_an_unusable_upload_is_explained_and_changes_nothing(open_page: Open) -> None:
    at = open_page("run")
    before = shown_command(at)
    upload(at, "people.csv", "age,kind\n" + "4,a\n7,b\n" * 20)
    assert not at.exception
    assert "people.csv has no column named label" in at.error[0].value
    assert shown_command(at) == before
    assert imported(store_folder()) == []
    at.text_input(key="upload_label").set_value("kind").run()
    assert not at.error
    assert "--dataset own:" in shown_command(at)


def test_own_data_goes_through_the_form_unchanged(open_page: Open, tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_text("age,label\n" + "4,a\n7,b\n" * 20)
    own = import_data(file, tmp_path / "elsewhere")
    experiment = make_experiment(
        {"data": {"name": "own", "own": own}, "knowledge": {"sparsity": 0.3}}
    )
    form = form_values.values(experiment)
    assert make_experiment(form_values.settings(form, {own.handle: own})) == experiment
