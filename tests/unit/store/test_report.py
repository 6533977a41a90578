from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import jsonschema
import numpy as np
import pyarrow.parquet as pq
import pytest

from prunepriv.errors import MissingArtifactError, StoreError
from prunepriv.experiment import Experiment, make_experiment
from prunepriv.options import ATTACKS
from prunepriv.plan import Step, reference_step, signals_name
from prunepriv.store.artifacts import Artifact, ArtifactStore
from prunepriv.store.bundle import write_bundle
from prunepriv.store.catalog import Catalog
from prunepriv.store.export import export_csv, export_signals, signals_table
from prunepriv.store.report import SIZE_FIELDS, flat_row, report_json
from prunepriv.store.result import Result
from prunepriv.store.schema import StepView
from prunepriv.store.step_rows import step_rows
from prunepriv.version import __version__
from tests.conftest import WriteRun
from tests.synthetic_run import write_synthetic_run

SCHEMA = Path(__file__).resolve().parents[3] / "assets" / "run.schema.json"


def steps_of(result: Result) -> list[StepView]:
    """The steps of a run that is done, as the catalogue has them."""
    catalog = Catalog(result.store.root)
    run_id = catalog.submit(result.experiment)
    catalog.begin(run_id, "", step_rows(ArtifactStore(result.store.root), result.experiment))
    steps = catalog.steps(run_id)
    catalog.close()
    return steps


def test_the_report_follows_the_schema_and_is_the_same_each_time(finished: Result) -> None:
    steps = steps_of(finished)
    report = report_json(finished, steps)
    jsonschema.validate(json.loads(json.dumps(report)), json.loads(SCHEMA.read_text()))
    assert report == report_json(
        Result(ArtifactStore(finished.store.root), finished.experiment), steps
    )
    assert make_experiment(report["experiment"]) == finished.experiment
    assert report["prunepriv"] == __version__


def test_the_report_holds_every_pair_of_model_and_attack(finished: Result) -> None:
    report = report_json(finished, steps_of(finished))
    kinds = list(finished.experiment.models)
    assert [row["model"] for row in report["models"]] == kinds
    pairs = {(row["model"], row["adversary"]) for row in report["attacks"]}
    assert pairs == {(kind, "adaptive") for kind in kinds} | {("defended", "non_adaptive")}
    assert len(report["attacks"]) == len(pairs) * len(finished.experiment.attacks.names)
    for kind in kinds:
        classes = [row["class"] for row in report["gaps"] if row["model"] == kind]
        assert classes == [None, *range(30)]
    assert [row["step"] for row in report["steps"]] == [s.name for s in finished.plan.steps]
    assert all(row["cached"] and row["seconds"] > 0 for row in report["steps"])


def test_models_report_their_size_and_the_privacy_of_dp_sgd(
    store: ArtifactStore, rng: np.random.Generator, tmp_path: Path
) -> None:
    given = {"data": {"limit": 200}, "defense": {"name": "dp_sgd"}, "attacks": {"names": ["conf"]}}
    experiment = make_experiment(given)
    write_synthetic_run(store, experiment, rng)
    report = report_json(Result(store, experiment), [])
    assert all(row["parameters"] == row["multiplications"] > 0 for row in report["models"])
    privacy = {row["model"]: row["privacy"] for row in report["models"]}
    epochs = next(r["trained_epochs"] for r in report["models"] if r["model"] == "defended")
    assert privacy.pop("defended") == {
        "epsilon": 3.2, "delta": 1e-5, "noise_multiplier": 1.0, "clip": 1.0, "sample_rate": 0.1,
        "steps": 20 * epochs, "budget_steps": 20 * 25, "epsilon_of_steps": 1.6,
        "covers": "fine_tune",
    }, "epsilon is that of all steps that may be taken"  # fmt: skip
    assert set(privacy.values()) == {None}
    export_csv(report, tmp_path / "out", "")
    with (tmp_path / "out" / "models.csv").open(newline="") as stream:
        epsilons = {row["model"]: row["privacy_epsilon"] for row in csv.DictReader(stream)}
    assert epsilons == {"original": "", "control": "", "pruned": "", "defended": "3.2"}


def test_the_epochs_of_each_target_are_in_the_report(finished: Result) -> None:
    for row in report_json(finished, [])["models"]:
        report = finished.training_report(row["model"])
        assert report is not None
        assert row["trained_epochs"] == len(report["history"]) > row["kept_epochs"]
        assert row["kept_epochs"] == report["best_epoch"] == finished.epochs_kept(row["model"])


def test_the_report_tells_on_how_many_shadow_records_networks_are_fitted(
    finished: Result, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = [len(artifact.tensors("signals")["record"]) for artifact in _shadow_signals(finished)]
    fits = {row["attack"]: row for row in report_json(finished, [])["fits"]}
    networks = [name for name, option in ATTACKS.items() if option.kind == "network"]
    assert list(fits) == [name for name in finished.experiment.attacks.names if name in networks]
    for row in fits.values():
        assert row["records"] == row["of"]
        assert row["classes"] == 30
        assert 0.85 * sum(own) < row["of"] < 0.95 * sum(own)
    few = replace(ATTACKS["samia"], fast_tokens=30 * 50)
    monkeypatch.setitem(ATTACKS, "samia", few)  # type: ignore[arg-type]
    report = report_json(finished, [])
    sampled = {row["attack"]: row["records"] for row in report["fits"]}
    assert sampled == {name: row["of"] for name, row in fits.items()} | {"samia": 50}
    jsonschema.validate(json.loads(json.dumps(report)), json.loads(SCHEMA.read_text()))


def _shadow_signals(result: Result) -> list[Artifact]:
    numbers = range(1, result.experiment.shadows + 1)
    found = [result.artifact(signals_name("pruned", number)) for number in numbers]
    return [artifact for artifact in found if artifact is not None]


def test_a_report_with_the_control_that_is_trained_equally_long(
    store: ArtifactStore, rng: np.random.Generator
) -> None:
    models = ["original", "control", "control_matched", "pruned"]
    given = {"data": {"limit": 200}, "attacks": {"names": ["conf"]}, "models": models}
    experiment = make_experiment(given)
    write_synthetic_run(store, experiment, rng)
    report = report_json(Result(store, experiment), [])
    jsonschema.validate(json.loads(json.dumps(report)), json.loads(SCHEMA.read_text()))
    rows = {row["model"]: row for row in report["models"]}
    assert list(rows) == models == [row["model"] for row in report["attacks"]]
    epochs = rows["pruned"]["kept_epochs"]
    assert rows["control_matched"]["trained_epochs"] == epochs
    assert rows["control_matched"]["kept_epochs"] == epochs


def test_the_checks_are_in_the_report(finished: Result) -> None:
    checks = report_json(finished, [])["checks"]
    assert checks == finished.checks()
    assert {"splits_disjoint", "attacks_not_run"} <= {row["check"] for row in checks}


def test_a_run_that_is_not_finished_has_no_report(finished: Result) -> None:
    unfinished = Result(finished.store, make_experiment({"seed": 1}))
    with pytest.raises(MissingArtifactError, match="run it again"):
        report_json(unfinished, [])
    with pytest.raises(MissingArtifactError, match="run it again"):
        signals_table(unfinished, "pruned")


def test_the_tables_name_their_origin(finished: Result, tmp_path: Path) -> None:
    report = report_json(finished, steps_of(finished))
    files = export_csv(report, tmp_path / "out", "python -m prunepriv run")
    assert [file.name for file in files] == [
        "models.csv", "gaps.csv", "attacks.csv", "checks.csv", "steps.csv", "run.json",
    ]  # fmt: skip
    with (tmp_path / "out" / "attacks.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == len(report["attacks"])
    for row, made in zip(rows, report["attacks"], strict=True):
        assert (row["run"], row["seed"]) == (finished.run_id, "7")
        assert float(row["accuracy"]) == made["accuracy"]
        assert float(row["accuracy_ci95_low"]) == made["accuracy_ci95"][0]
        assert float(row["tpr_at_fpr_0.001"]) == made["tpr_at_fpr"]["0.001"]
    about = json.loads((tmp_path / "out" / "run.json").read_text())
    assert about["command"] == "python -m prunepriv run"
    assert make_experiment(about["experiment"]) == finished.experiment


def test_an_interval_has_two_cells_where_it_is_not_known_either() -> None:
    """A class without members has no distance: its row must not add a column to the table."""
    row = {"class": 3, "confidence_js": None, "confidence_js_null95": None, "confidence_js_p": None}
    known = {**row, "confidence_js": 0.2, "confidence_js_null95": [0.1, 0.3]}
    assert list(flat_row(row)) == list(flat_row(known))
    assert flat_row(known)["confidence_js_null95_high"] == 0.3
    assert flat_row(row)["confidence_js_null95_low"] is None


def tables_of(result: Result, name: str) -> dict[str, np.ndarray]:
    """The arrays of a signals step."""
    artifact = result.artifact(name)
    assert artifact is not None
    return artifact.tensors("signals")


def test_the_signals_of_every_model_on_every_record(finished: Result, tmp_path: Path) -> None:
    made: list[Step] = []
    kinds, numbers = finished.experiment.models, range(1, 1 + finished.experiment.shadows)

    def make(steps: Sequence[Step]) -> None:
        made.extend(steps)
        for step in steps:
            own = tables_of(finished, step.name.replace("reference", "signals"))
            with finished.store.write(step.key, {"kind": step.kind, "seconds": 0.0}) as draft:
                names = ("logits", "sensitivity")
                draft.tensors("reference", {name: -own[name] for name in names})

    files = export_signals(finished, tmp_path / "signals", make)
    asked = [f"reference:{kind}:{number}" for kind in kinds for number in numbers]
    assert [step.name for step in made] == asked
    export_signals(finished, tmp_path / "signals", made.extend)
    assert len(made) == len(asked)  # kept from the first time
    assert [file.stem for file in files] == [f"signals_{kind}" for kind in kinds]
    target, shadow = (tables_of(finished, f"signals:pruned:{number}") for number in (0, 3))
    crossed = finished.artifact_of(reference_step(finished.plan, "pruned", 3))
    assert crossed is not None
    reference = crossed.tensors("reference")
    table = pq.read_table(tmp_path / "signals" / "signals_pruned.parquet")
    assert table.column_names[:7] == [
        "record", "scored_by", "model", "member", "label", "logit_0", "logit_1",
    ]  # fmt: skip
    frame = table.to_pandas()
    own = frame[frame.scored_by == "target"]
    assert own.record.tolist() == target["record"].tolist()
    assert own.member.tolist() == target["member"].astype(bool).tolist()
    assert np.array_equal(own.filter(like="logit_").to_numpy(), target["logits"])
    third = frame[frame.scored_by == "shadow_2"]
    count = len(shadow["record"])
    assert third.record.tolist() == shadow["record"].tolist() + target["record"].tolist()
    assert third.label.tolist() == shadow["label"].tolist() + target["label"].tolist()
    assert third.member.tolist()[:count] == shadow["member"].astype(bool).tolist()
    assert not third.member.iloc[count:].any()
    sensitivity = third.filter(like="sensitivity_").to_numpy()
    assert np.array_equal(sensitivity[:count], shadow["sensitivity"])
    assert np.array_equal(sensitivity[count:], reference["sensitivity"])
    metadata = table.schema.metadata
    assert metadata[b"run"].decode() == finished.run_id
    assert metadata[b"seed"] == b"7"
    assert metadata[b"key"].decode() == finished.plan.key("signals:pruned:0")
    assert make_experiment(json.loads(metadata[b"experiment"])) == finished.experiment


def test_sensitivity_that_nobody_measured_is_null(
    store: ArtifactStore, small_experiment: Experiment, write_run: WriteRun, tmp_path: Path
) -> None:
    given = small_experiment.model_dump() | {"attacks": {"names": ["conf"]}}
    run = Result(store, make_experiment(given))
    write_run(store, run.experiment, 0)

    def make(steps: Sequence[Step]) -> None:
        for step in steps:
            own = tables_of(run, step.name.replace("reference", "signals"))
            with run.store.write(step.key, {"kind": step.kind, "seconds": 0.0}) as draft:
                draft.tensors("reference", {"logits": own["logits"]})

    files = export_signals(run, tmp_path, make)
    frame = pq.read_table(files[0]).to_pandas()
    of_shadows = frame[frame.scored_by != "target"]
    assert len(of_shadows)
    assert of_shadows.filter(like="sensitivity_").isna().all(axis=None)
    assert not frame[frame.scored_by == "target"].isna().any(axis=None)
    assert not of_shadows.filter(like="logit_").isna().any(axis=None)


def test_a_folder_that_cannot_be_made(finished: Result, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be made"):
        export_signals(finished, tmp_path / "file" / "out", print)


def test_a_bundle_is_read_as_the_run_itself_is(finished: Result, tmp_path: Path) -> None:
    folder = tmp_path / "example"
    write_bundle(finished, steps_of(finished), folder, {"name": "example", "command": "run it"})
    shipped = Result(ArtifactStore(folder), finished.experiment)
    for kind in finished.experiment.models:
        mine, theirs = finished.signals(kind), shipped.signals(kind)
        assert mine is not None
        assert theirs is not None
        assert np.array_equal(mine.logits, theirs.logits)
        assert shipped.training_report(kind) == finished.training_report(kind)
    assert shipped.complete
    assert shipped.leaderboard().equals(finished.leaderboard())
    files = {file.name for file in folder.rglob("*") if file.is_file()}
    assert "model.safetensors" not in files
    held = [step for step in finished.plan.steps if shipped.artifact_of(step) is not None]
    assert {step.number for step in held} == {None, 0}, "no shadow"
    with pytest.raises(MissingArtifactError, match="are incomplete"):
        signals_table(shipped, "pruned")
    about = json.loads((folder / "run.json").read_text())
    assert about["name"] == "example"
    assert make_experiment(about["experiment"]) == finished.experiment
    assert about["machine"]["cores"] >= 1
    assert [step["step"] for step in about["steps"]] == [s.name for s in finished.plan.steps]


def test_what_pruning_left_is_null_in_a_run_of_before(
    store: ArtifactStore, rng: np.random.Generator
) -> None:
    experiment = make_experiment({"data": {"limit": 200}, "attacks": {"names": ["conf"]}})
    result = Result(store, experiment)
    kinds = {step.kind for step in result.plan.steps} - {"size"}
    write_synthetic_run(store, experiment, rng, kinds=kinds)
    assert result.size("pruned") is None
    before = report_json(result, [])
    assert all(row[name] is None for row in before["models"] for name in SIZE_FIELDS)
    jsonschema.validate(before, json.loads(SCHEMA.read_text()))
    write_synthetic_run(store, experiment, rng)
    after = {row["model"]: row for row in report_json(result, [])["models"]}
    assert after["original"]["parameters_left"] == 1
    assert after["pruned"]["parameters_left"] == pytest.approx(1 - after["pruned"]["sparsity"])
