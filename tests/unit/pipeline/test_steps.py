"""A tiny run, step by step: what every artifact holds, and whether it is correct."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from prunepriv.attacks import Queries, ReferenceQueries, get_attack
from prunepriv.experiment import make_experiment
from prunepriv.pipeline.steps import run_group
from prunepriv.plan import (
    plan,
    signals_name,
    size_name,
    split_name,
)
from prunepriv.progress import silent
from prunepriv.store.artifacts import Artifact
from prunepriv.store.result import Result
from tests.unit.pipeline.tiny_run import (
    ATTACKS,
    CLASSES,
    FEATURES,
    KINDS,
    MODELS,
    REFERENCE,
    SHADOWS,
    USES,
    Run,
    answers,
    phi_of,
    tiny,
)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return Run(tmp_path_factory.mktemp("run"), tiny())


def layout(artifact: Artifact, name: str) -> dict[str, tuple[str, tuple[int, ...]]]:
    return {key: (str(a.dtype), a.shape) for key, a in artifact.tensors(name).items()}


def test_data_and_split(run: Run) -> None:
    data, about = run["data"].tensors("data"), run["data"].json("about")
    assert layout(run["data"], "data") == {
        "x": ("uint8", (5010, FEATURES)),
        "y": ("int64", (5010,)),
    }
    assert set(np.unique(data["x"])) == {0, 1}
    assert (about["name"], about["kind"], about["classes"]) == ("checkins", "tabular", CLASSES)
    assert len(about["class_names"]) == CLASSES
    for number in range(MODELS):
        assert layout(run[split_name(number)], "split") == {
            "train": ("int64", (45,)),
            "validation": ("int64", (10,)),
            "test": ("int64", (45,)),
        }


@pytest.mark.parametrize("source", KINDS)
def test_models_and_their_report(run: Run, source: str) -> None:
    state = run.models(source)
    assert state["hidden1.weight"].shape == (MODELS, 256, FEATURES)
    assert state["output.bias"].shape == (MODELS, CLASSES)
    assert {str(value.dtype) for value in state.values()} == {"float32"}
    epochs = 2 if source == "original" else 1
    for report in run.reports(source):
        assert [point["epoch"] for point in report["history"]] == list(range(1, epochs + 1))
        assert set(report["history"][0]) == {
            "epoch", "loss", "member_accuracy", "validation_accuracy",
        }  # fmt: skip
        assert 1 <= report["best_epoch"] <= epochs


@pytest.mark.parametrize("kind", ["pruned", "defended"])
def test_masks_are_exact_in_the_store(run: Run, kind: str) -> None:
    parents, reports = run.models("original"), run.reports(kind)
    state, masks = run.models(kind), run.models(kind, "masks")
    assert set(masks) == {"hidden1.weight", "hidden2.weight", "output.weight"}
    for name, kept in masks.items():
        assert kept.dtype == bool
        for model in range(SHADOWS + 1):
            gone = ~kept[model]
            assert gone.sum() == round(0.7 * gone.size)
            assert not state[name][model][gone].any()
            assert state[name][model][~gone].all()
            sizes = np.abs(parents[name][model])
            assert sizes[gone].max() <= sizes[~gone].min(), (
                "the original's weights decide what is removed"
            )
            layer = reports[model]["layers"][name.removesuffix(".weight")]
            assert layer == pytest.approx(gone.mean())
    total = sum(kept[0].size for kept in masks.values())
    assert reports[0]["sparsity"] == pytest.approx(
        sum((~k[0]).sum() for k in masks.values()) / total
    )


def test_the_control_is_not_pruned_but_fine_tuned(run: Run) -> None:
    assert [report["sparsity"] for report in run.reports("control")] == [0] * MODELS
    assert not run.models("control", "masks")
    change = run.models("control")["output.weight"] - run.models("original")["output.weight"]
    # one epoch is one step of Adam here, which changes no weight by more than its rate of 1e-3
    assert all(1e-4 < np.abs(rows).max() < 1.1e-3 for rows in change), "it starts from the original"


def test_the_defense_changes_the_fine_tuning_only(run: Run) -> None:
    for name, kept in run.models("pruned", "masks").items():
        assert np.array_equal(kept, run.models("defended", "masks")[name])
    name = "output.bias"
    assert not np.allclose(run.models("pruned")[name], run.models("defended")[name])


@pytest.mark.parametrize("kind", KINDS)
def test_signals_are_of_the_right_records_in_order(run: Run, kind: str) -> None:
    y = run["data"].tensors("data")["y"]
    own, members = run.own
    n = own.shape[1]
    for number in range(MODELS):
        assert layout(run[signals_name(kind, number)], "signals") == {
            "record": ("int64", (n,)), "member": ("uint8", (n,)), "label": ("int64", (n,)),
            "logits": ("float32", (n, CLASSES)), "sensitivity": ("float32", (n, CLASSES)),
        }  # fmt: skip
    for number in range(1, MODELS):
        assert layout(run[f"reference:{kind}:{number}"], "reference") == {
            "logits": ("float32", (n, CLASSES)),
            "sensitivity": ("float32", (n, CLASSES)),
        }
    table = run.signals(kind)
    assert np.array_equal(table["record"], own)
    assert np.array_equal(table["label"], y[own])
    assert (table["member"] == (np.arange(n) < members)).all()
    assert (table["sensitivity"] >= 0).all()
    assert np.isfinite(table["logits"]).all()


@pytest.mark.parametrize("kind", KINDS)
def test_logits_are_the_stored_models_answers(run: Run, kind: str) -> None:
    models, table = run.models(kind), run.signals(kind)
    x = run["data"].tensors("data")["x"]
    for model, (record, logits) in enumerate(zip(table["record"], table["logits"], strict=True)):
        assert np.allclose(answers(models, model, x[record]), logits, atol=1e-4)
    for shadow in range(1, MODELS):
        crossed = run[f"reference:{kind}:{shadow}"].tensors("reference")["logits"]
        assert np.allclose(answers(models, shadow, x[table["record"][0]]), crossed, atol=1e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_the_signals_report_agrees_with_the_signals(run: Run, kind: str) -> None:
    artifact = run[signals_name(kind)]
    target, report = artifact.tensors("signals"), artifact.json("report")
    correct = target["logits"].argmax(1) == target["label"]
    member = target["member"].astype(bool)
    assert report["member_accuracy"] == pytest.approx(correct[member].mean())
    assert report["non_member_accuracy"] == pytest.approx(correct[~member].mean())
    asked = 0.7 if kind in ("pruned", "defended") else 0.0
    assert report["sparsity"] == pytest.approx(asked, abs=1e-5)
    assert set(report["layers"]) == {"hidden1", "hidden2", "output"}


@pytest.mark.parametrize("adversary", ["adaptive", "non_adaptive"])
@pytest.mark.parametrize("attack", ATTACKS)
def test_each_adversary_learns_from_its_own_shadows(run: Run, attack: str, adversary: str) -> None:
    shadows = "defended" if adversary == "adaptive" else "pruned"
    queries = queries_of(run, attack, shadows)
    fitted = run[f"fit:{attack}:{shadows}"].tensors("fit")
    artifact = run[f"score:{attack}:defended:{adversary}"]
    score = artifact.tensors("score")
    method: Any = get_attack(attack)
    assert layout(artifact, "score") == {"score": ("float64", (90,)), "decision": ("uint8", (90,))}
    assert np.allclose(score["score"], method.score(fitted, queries))
    said = method.decide(fitted, queries, score["score"])
    assert np.array_equal(score["decision"].astype(bool), said)
    assert artifact.json("thresholds") == fitted["thresholds"].tolist()
    step = run.plan.by_name[f"fit:{attack}:{shadows}"]
    read = "population" if attack in REFERENCE else "signals"
    assert step.inputs == {
        f"shadow:{n}": run.plan.key(f"{read}:{shadows}:{n}") for n in range(1, MODELS)
    }


def queries_of(run: Run, attack: str, shadows: str) -> Queries | ReferenceQueries:
    """What the attack sees of the defended target, with shadows of another kind."""
    tables = run[signals_name("defended")].tensors("signals")
    if attack in REFERENCE:
        return reference_queries(run, "defended", shadows)
    return Queries(tables["logits"], tables["sensitivity"], tables["label"])


def reference_queries(run: Run, kind: str, source: str) -> ReferenceQueries:
    own = run[signals_name(kind)].tensors("signals")
    numbers = range(1, MODELS)
    return ReferenceQueries.from_arrays(
        phi_of(own["logits"], own["label"]).astype(np.float32),
        run[f"population:{kind}:0"].tensors("population")["phi"],
        [run[f"confidences:{source}:{n}"].tensors("confidences") for n in numbers],
        [run[f"population:{source}:{n}"].tensors("population") for n in numbers],
    )


@pytest.mark.parametrize("kind", KINDS)
def test_confidences_of_all_models_on_both_halves(run: Run, kind: str) -> None:
    parts, models = run.splits(), run.models(kind)
    half = np.unique(np.concatenate([parts[use][1] for use in USES]))
    x, y = (run["data"].tensors("data")[name] for name in "xy")
    for number in range(MODELS):
        table = run[f"population:{kind}:{number}"].tensors("population")
        assert np.array_equal(table["record"], half)
        expected = phi_of(answers(models, number, x[half]), y[half])
        assert np.allclose(table["phi"], expected, atol=1e-4)
        assert ("seen" in table) == (number > 0)
        for code, use in enumerate(USES if number else ()):
            assert set(half[table["seen"] == code]) == set(parts[use][number])
    target = run[signals_name(kind)].tensors("signals")
    for shadow in range(1, MODELS):
        table = run[f"confidences:{kind}:{shadow}"].tensors("confidences")
        assert np.array_equal(table["record"], target["record"])
        crossed = run[f"reference:{kind}:{shadow}"].tensors("reference")["logits"]
        assert np.allclose(table["phi"], phi_of(crossed, target["label"]), atol=1e-4)


def test_no_fit_is_given_a_row_of_the_target(run: Run) -> None:
    parts = run[split_name()].tensors("split")
    of_target = set(np.concatenate([parts[use] for use in USES]))
    fits = [step for step in run.plan.steps if step.kind == "fit"]
    assert fits
    for step in fits:
        assert step.inputs
        for key in step.inputs.values():
            artifact = run.store.open(key)
            files = [f.removesuffix(".safetensors") for f in artifact.meta["files"] if "." in f]
            tables = [artifact.tensors(f) for f in files if f in ("signals", "population")]
            assert tables
            for table in tables:
                assert not of_target & set(table["record"].tolist()), step.name


def test_an_adversary_that_assumes_a_wrong_sparsity(tmp_path: Path) -> None:
    given = tiny().model_dump()
    names = ("corr", "conf", "lira")
    given |= {"knowledge": {"sparsity": 0.5}, "attacks": {"names": names}, "models": ["pruned"]}
    run = Run(tmp_path, make_experiment(given))
    assumed, true = run["signals:assumed:pruned:1"], run["signals:pruned:0"]
    assert assumed.json("report")["sparsity"] == pytest.approx(0.5, abs=1e-4)
    assert true.json("report")["sparsity"] == pytest.approx(0.7, abs=1e-4)
    assert "signals:assumed:pruned:0" not in run.plan.by_name, "nobody attacks such a target"
    queries = reference_queries(run, "pruned", "assumed:pruned")
    method: Any = get_attack("lira")
    expected = method.score(run["fit:lira:assumed:pruned"].tensors("fit"), queries)
    score = run["score:lira:pruned:adaptive"].tensors("score")["score"]
    assert np.allclose(score, expected)
    rows = run["evaluation:pruned:adaptive"].json("evaluation")
    assert [row["attack"] for row in rows] == list(names)


def test_exact_sensitivity_is_the_limit_of_the_sampled(run: Run) -> None:
    given = tiny().model_dump() | {"signals": {"sensitivity": "exact"}}
    step = plan(make_experiment(given)).by_name[signals_name("pruned")]
    run_group([step], run.store, Path(), [silent])
    exact, sampled = (
        run.store.open(step.key).tensors("signals"),
        run[signals_name("pruned")].tensors("signals"),
    )
    assert np.array_equal(exact["logits"], sampled["logits"])
    assert not np.array_equal(exact["sensitivity"], sampled["sensitivity"])
    off = np.abs(exact["sensitivity"] - sampled["sensitivity"])
    assert off.mean() < 0.05 * exact["sensitivity"].mean()


def test_a_shadow_without_sensitivity_has_the_same_logits_and_feeds_the_same_fit(run: Run) -> None:
    given = tiny().model_dump() | {"attacks": {"names": ["conf"]}}
    cheap = plan(make_experiment(given)).by_name
    shadows = [cheap[signals_name("pruned", number)] for number in (1, 2)]
    run_group(shadows, run.store, Path(), [silent] * 2)
    for step in shadows:
        seen, full = run.store.open(step.key).tensors("signals"), run[step.name].tensors("signals")
        assert full.keys() - seen.keys() == {"sensitivity"}
        assert all(np.array_equal(seen[name], full[name]) for name in seen)
    run_group([cheap["fit:conf:pruned"]], run.store, Path(), [silent])
    learned = run.store.open(cheap["fit:conf:pruned"].key).tensors("fit")["thresholds"]
    assert np.array_equal(learned, run["fit:conf:pruned"].tensors("fit")["thresholds"])


def test_what_conf_learned_is_what_the_shadows_say(run: Run) -> None:
    tables = {name: array[1:] for name, array in run.signals("pruned").items()}
    p = np.exp(tables["logits"].astype(float))
    p /= p.sum(-1, keepdims=True)
    confidence = np.take_along_axis(p, tables["label"][..., None], -1).ravel()
    thresholds = run["fit:conf:pruned"].tensors("fit")["thresholds"]
    assert thresholds.shape == (CLASSES,)
    assert all(np.isclose(confidence, threshold).any() for threshold in thresholds)


def test_the_evaluation_lists_the_attacks_in_the_experiments_order(run: Run) -> None:
    for kind, adversary in (*((k, "adaptive") for k in KINDS), ("defended", "non_adaptive")):
        rows = run[f"evaluation:{kind}:{adversary}"].json("evaluation")
        assert [row["attack"] for row in rows] == list(ATTACKS)
        member = run[signals_name(kind)].tensors("signals")["member"].astype(bool)
        for row in rows:
            table = run[f"score:{row['attack']}:{kind}:{adversary}"].tensors("score")
            said = table["decision"].astype(bool)
            balanced = (said[member].mean() + 1 - said[~member].mean()) / 2
            assert row["accuracy"] == pytest.approx(balanced)
            assert (row["members"], row["non_members"]) == (45, 45)


def test_gaps_have_a_row_for_all_and_one_per_class(run: Run) -> None:
    rows = run["divergence:pruned"].json("gaps")
    assert [row["class"] for row in rows] == [None, *range(CLASSES)]


def test_the_result_reads_it_all(run: Run) -> None:
    result = Result(run.store, run.plan.experiment)
    assert result.complete
    assert not result.pending()
    assert len(result.leaderboard()) == len(ATTACKS) * (len(KINDS) + 1)


def test_the_same_experiment_gives_the_same_files(run: Run, tmp_path: Path) -> None:
    torch.manual_seed(12345)
    torch.randn(3)  # the state of the global generators does not matter
    again = Run(tmp_path, tiny())
    for step in run.plan.steps:
        first, second = run[step.name], again[step.name]
        assert first.meta["files"] == second.meta["files"], step.name


def test_pictures_are_slimmed_by_scale(tmp_path: Path) -> None:
    experiment = make_experiment(
        {
            "data": {"name": "digits", "limit": 120},
            "model": {"name": "cnn", "width": 0.25},
            "training": {"epochs": 1},
            "pruning": {"approach": "network_slimming", "sparsity": 0.5},
            "attacks": {"names": ["corr"]},
            "models": ["pruned"],
            "shadows": SHADOWS,
        }
    )
    run = Run(tmp_path, experiment)
    state, masks = run.models("pruned"), run.models("pruned", "masks")
    for name, kept in masks.items():
        assert not state[name][~kept].any()
    gone = sum((~masks[f"norms.{i}.weight"]).sum(1) for i in range(3))
    channels = sum(masks[f"norms.{i}.weight"].shape[1] for i in range(3))
    assert np.asarray(gone).tolist() == [round(0.5 * channels)] * MODELS
    assert run[signals_name("pruned")].json("report")["sparsity"] > 0
    size = run[size_name("pruned")].json("size")
    assert size["removed_channels"] == pytest.approx(round(0.5 * channels) / channels)
    assert size["emitting_channels"] == 0, "a removed channel has no shift"
    assert size["parameters_left"] < 1 - run.reports("pruned")[0]["sparsity"]


@pytest.mark.parametrize("kind", ["original", "control"])
def test_all_is_left_of_a_model_that_was_not_pruned(run: Run, kind: str) -> None:
    none = {"removed_channels": None, "emitting_channels": None}
    whole = {**none, "parameters_left": 1.0, "multiplications_left": 1.0}
    assert run[size_name(kind)].json("size") == whole


@pytest.mark.parametrize("kind", ["pruned", "defended"])
def test_of_single_weights_no_more_is_left_than_was_not_removed(run: Run, kind: str) -> None:
    size = run[size_name(kind)].json("size")
    assert size["removed_channels"] is None
    kept = {name: masks[0] for name, masks in run.models(kind, "masks").items()}
    state = run.models(kind)
    zero = sum(int((~mask).sum()) for mask in kept.values())
    whole = sum(rows[0].size for rows in state.values())
    assert 0.9 * (1 - zero / whole) < size["parameters_left"] <= 1 - zero / whole
