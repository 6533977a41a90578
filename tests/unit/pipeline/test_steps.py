"""A tiny run, step by step: what every artifact holds, and whether it is correct."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from scipy.special import softmax

from prunepriv.attacks import Queries, ReferenceQueries, get_attack
from prunepriv.errors import Cancelled, MissingArtifactError
from prunepriv.experiment import Experiment, make_experiment
from prunepriv.models import build
from prunepriv.options import ModelKind
from prunepriv.pipeline.steps import run_step
from prunepriv.plan import Plan, plan, reference_step
from prunepriv.progress import silent
from prunepriv.store.artifacts import Artifact, ArtifactStore
from prunepriv.store.result import Result

SHADOWS, CLASSES, FEATURES = 2, 30, 446
USES = ("test", "train", "validation")
KINDS: tuple[ModelKind, ...] = ("original", "control", "pruned", "defended")
ATTACKS = ("corr", "conf", "nn", "lira", "rmia", "base")
REFERENCE = ("lira", "rmia", "base")


class Run:
    """A finished run and its artifacts by the name of their step."""

    def __init__(self, root: Path, experiment: Experiment) -> None:
        self.store = ArtifactStore(root)
        self.plan: Plan = plan(experiment)
        kinds = experiment.models
        self.references = {f"reference:{k}": reference_step(self.plan, k) for k in kinds}
        for step in (*self.plan.steps, *self.references.values()):
            run_step(step, self.store, root / "data", silent)

    def __getitem__(self, name: str) -> Artifact:
        step = self.references.get(name) or self.plan.by_name[name]
        return self.store.open(step.key)

    @property
    def own(self) -> tuple[np.ndarray, np.ndarray]:
        """(M, n) records that each model is scored on, and how many of them are members."""
        parts = self["split"].tensors("split")
        members = np.vstack([parts["target_train"], parts["shadow_train"]])
        others = np.vstack([parts["target_test"], parts["shadow_test"]])
        return np.hstack([members, others]), np.array(members.shape[1])


def tiny() -> Experiment:
    return make_experiment(
        {
            "data": {"name": "checkins", "limit": 200},
            "training": {"epochs": 2},
            "pruning": {"sparsity": 0.7},
            "defense": {"name": "ppb", "strength": 8.0},
            "attacks": {"names": ATTACKS},
            "models": "all",
            "shadows": SHADOWS,
        }
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
    parts = run["split"].tensors("split")
    sizes = {"train": 45, "validation": 10, "test": 45}
    for part, size in sizes.items():
        assert parts[f"target_{part}"].shape == (size,)
        assert parts[f"shadow_{part}"].shape == (SHADOWS, size)
        assert parts[f"target_{part}"].dtype == parts[f"shadow_{part}"].dtype == np.int64


@pytest.mark.parametrize("name", ["train", *(f"fine_tune:{kind}" for kind in KINDS[1:])])
def test_models_and_their_report(run: Run, name: str) -> None:
    state, report = run[name].tensors("models"), run[name].json("report")
    models = SHADOWS + 1
    assert state["hidden1.weight"].shape == (models, 256, FEATURES)
    assert state["output.bias"].shape == (models, CLASSES)
    assert {str(value.dtype) for value in state.values()} == {"float32"}
    epochs = 2 if name == "train" else 1
    for points, best in zip(report["history"], report["best_epoch"], strict=True):
        assert [point["epoch"] for point in points] == list(range(1, epochs + 1))
        assert set(points[0]) == {"epoch", "loss", "member_accuracy", "validation_accuracy"}
        assert 1 <= best <= epochs
    assert len(report["history"]) == len(report["sparsity"]) == len(report["layers"]) == models


@pytest.mark.parametrize("kind", ["pruned", "defended"])
def test_masks_are_exact_in_the_store(run: Run, kind: str) -> None:
    artifact, parents = run[f"fine_tune:{kind}"], run["train"].tensors("models")
    state, masks, report = (
        artifact.tensors("models"),
        artifact.tensors("masks"),
        artifact.json("report"),
    )
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
            layer = report["layers"][model][name.removesuffix(".weight")]
            assert layer == pytest.approx(gone.mean())
    total = sum(kept[0].size for kept in masks.values())
    assert report["sparsity"][0] == pytest.approx(
        sum((~k[0]).sum() for k in masks.values()) / total
    )


def test_the_control_is_not_pruned_but_fine_tuned(run: Run) -> None:
    control, original = run["fine_tune:control"], run["train"].tensors("models")
    assert control.json("report")["sparsity"] == [0] * (SHADOWS + 1)
    assert not control.tensors("masks")
    change = control.tensors("models")["output.weight"] - original["output.weight"]
    # one epoch is one step of Adam here, which changes no weight by more than its rate of 1e-3
    assert all(1e-4 < np.abs(rows).max() < 1.1e-3 for rows in change), "it starts from the original"


def test_the_defense_changes_the_fine_tuning_only(run: Run) -> None:
    pruned, defended = (run[f"fine_tune:{kind}"] for kind in ("pruned", "defended"))
    for name, kept in pruned.tensors("masks").items():
        assert np.array_equal(kept, defended.tensors("masks")[name])
    name = "output.bias"
    assert not np.allclose(pruned.tensors("models")[name], defended.tensors("models")[name])


@pytest.mark.parametrize("kind", KINDS)
def test_signals_are_of_the_right_records_in_order(run: Run, kind: str) -> None:
    artifact, y = run[f"signals:{kind}"], run["data"].tensors("data")["y"]
    own, members = run.own
    n = own.shape[1]
    expected = {
        "record": ("int64", (n,)), "member": ("uint8", (n,)), "label": ("int64", (n,)),
        "logits": ("float32", (n, CLASSES)), "sensitivity": ("float32", (n, CLASSES)),
    }  # fmt: skip
    assert layout(artifact, "target") == expected
    stacked = {name: (dtype, (SHADOWS, *shape)) for name, (dtype, shape) in expected.items()}
    assert layout(artifact, "shadows") == stacked
    crossed = layout(run[f"reference:{kind}"], "reference")
    assert crossed == {name: stacked[name] for name in ("logits", "sensitivity")}
    target, shadows = artifact.tensors("target"), artifact.tensors("shadows")
    assert np.array_equal(np.vstack([target["record"][None], shadows["record"]]), own)
    for table in (target, shadows):
        assert np.array_equal(table["label"], y[table["record"]])
        assert (table["member"] == (np.arange(n) < members)).all()
        assert (table["sensitivity"] >= 0).all()
        assert np.isfinite(table["logits"]).all()


@pytest.mark.parametrize("kind", KINDS)
def test_logits_are_the_stored_models_answers(run: Run, kind: str) -> None:
    models = run["train" if kind == "original" else f"fine_tune:{kind}"].tensors("models")
    artifact, x = run[f"signals:{kind}"], run["data"].tensors("data")["x"]
    target, shadows = artifact.tensors("target"), artifact.tensors("shadows")
    reference = run[f"reference:{kind}"].tensors("reference")
    assert np.allclose(answers(models, 0, x[target["record"]]), target["logits"], atol=1e-4)
    for shadow in range(SHADOWS):
        on_own = answers(models, shadow + 1, x[shadows["record"][shadow]])
        assert np.allclose(on_own, shadows["logits"][shadow], atol=1e-4)
        on_targets = answers(models, shadow + 1, x[target["record"]])
        assert np.allclose(on_targets, reference["logits"][shadow], atol=1e-4)


def answers(state: dict[str, np.ndarray], model: int, x: np.ndarray) -> np.ndarray:
    """Logits of one stored model, alone."""
    network = build("fc", 1, (FEATURES,), CLASSES).eval()
    network.load(
        {name: torch.from_numpy(value[model : model + 1]) for name, value in state.items()}
    )
    with torch.inference_mode():
        logits: np.ndarray = network(network.inputs(torch.from_numpy(x)[None]))[0].numpy()
    return logits


@pytest.mark.parametrize("kind", KINDS)
def test_the_signals_report_agrees_with_the_signals(run: Run, kind: str) -> None:
    artifact = run[f"signals:{kind}"]
    target, report = artifact.tensors("target"), artifact.json("report")
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
    role = "confidences" if attack in REFERENCE else "signals"
    assert step.inputs == {role: run.plan.key(f"{role}:{shadows}")}


def queries_of(run: Run, attack: str, shadows: str) -> Queries | ReferenceQueries:
    """What the attack sees of the defended target, with shadows of another kind."""
    if attack in REFERENCE:
        target, references = (
            run[f"confidences:{k}"].tensors("confidences") for k in ("defended", shadows)
        )
        return ReferenceQueries.from_arrays(target, references)
    tables = run["signals:defended"].tensors("target")
    return Queries(tables["logits"], tables["sensitivity"], tables["label"])


@pytest.mark.parametrize("kind", KINDS)
def test_confidences_of_all_models_on_both_halves(run: Run, kind: str) -> None:
    tables = run[f"confidences:{kind}"].tensors("confidences")
    target, parts = run[f"signals:{kind}"].tensors("target"), run["split"].tensors("split")
    half = np.unique(np.concatenate([parts[f"shadow_{use}"][0] for use in USES]))
    assert layout(run[f"confidences:{kind}"], "confidences") == {
        "record": ("int64", (90,)), "phi": ("float32", (SHADOWS + 1, 90)),
        "population": ("int64", (100,)), "population_phi": ("float32", (SHADOWS + 1, 100)),
        "seen": ("uint8", (SHADOWS, 100)),
    }  # fmt: skip
    assert np.array_equal(tables["record"], target["record"])
    assert np.array_equal(tables["population"], half)
    for shadow, seen in enumerate(tables["seen"]):
        for code, use in enumerate(USES):
            assert set(half[seen == code]) == set(parts[f"shadow_{use}"][shadow])
    own, crossed = target, run[f"reference:{kind}"].tensors("reference")["logits"]
    y = run["data"].tensors("data")["y"]
    for model, logits in enumerate([own["logits"], *crossed]):
        assert np.allclose(tables["phi"][model], phi_of(logits, own["label"]), atol=1e-4)
    models = run["train" if kind == "original" else f"fine_tune:{kind}"].tensors("models")
    x = run["data"].tensors("data")["x"]
    for model in range(SHADOWS + 1):
        expected = phi_of(answers(models, model, x[half]), y[half])
        assert np.allclose(tables["population_phi"][model], expected, atol=1e-4)


def phi_of(logits: np.ndarray, label: np.ndarray) -> np.ndarray:
    p = softmax(logits.astype(float), axis=1)[np.arange(len(label)), label]
    return np.asarray(np.log(p) - np.log1p(-p))


def test_an_adversary_that_assumes_a_wrong_sparsity(tmp_path: Path) -> None:
    given = tiny().model_dump()
    names = ("corr", "conf", "lira")
    given |= {"knowledge": {"sparsity": 0.5}, "attacks": {"names": names}, "models": ["pruned"]}
    run = Run(tmp_path, make_experiment(given))
    assumed, true = run["signals:assumed:pruned"], run["signals:pruned"]
    assert assumed.json("report")["sparsity"] == pytest.approx(0.5, abs=1e-4)
    assert true.json("report")["sparsity"] == pytest.approx(0.7, abs=1e-4)
    target, shadows = (
        run[f"confidences:{source}"].tensors("confidences")
        for source in ("pruned", "assumed:pruned")
    )
    queries = ReferenceQueries.from_arrays(target, shadows)
    method: Any = get_attack("lira")
    expected = method.score(run["fit:lira:assumed:pruned"].tensors("fit"), queries)
    score = run["score:lira:pruned:adaptive"].tensors("score")["score"]
    assert np.array_equal(score, expected)
    rows = run["evaluation:pruned:adaptive"].json("evaluation")
    assert [row["attack"] for row in rows] == list(names)


def test_exact_sensitivity_is_the_limit_of_the_sampled(run: Run) -> None:
    given = tiny().model_dump() | {"signals": {"sensitivity": "exact"}}
    step = plan(make_experiment(given)).by_name["signals:pruned"]
    run_step(step, run.store, Path(), silent)
    exact, sampled = (
        run.store.open(step.key).tensors("target"),
        run["signals:pruned"].tensors("target"),
    )
    assert np.array_equal(exact["logits"], sampled["logits"])
    assert not np.array_equal(exact["sensitivity"], sampled["sensitivity"])
    off = np.abs(exact["sensitivity"] - sampled["sensitivity"])
    assert off.mean() < 0.05 * exact["sensitivity"].mean()


def test_what_conf_learned_is_what_the_shadows_say(run: Run) -> None:
    tables = run["signals:pruned"].tensors("shadows")
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
        member = run[f"signals:{kind}"].tensors("target")["member"].astype(bool)
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


def test_a_cancelled_step_writes_nothing(run: Run, tmp_path: Path) -> None:
    store = ArtifactStore(tmp_path)

    def stop(fraction: float, message: str = "", point: object = None) -> None:
        raise Cancelled("enough")

    for name in ("data", "split"):
        run_step(run.plan.by_name[name], store, tmp_path, silent)
    train = run.plan.by_name["train"]
    with pytest.raises(Cancelled, match="enough"):
        run_step(train, store, tmp_path, stop)
    assert not store.has(train.key)


def test_a_step_without_its_inputs_says_so(run: Run, tmp_path: Path) -> None:
    with pytest.raises(MissingArtifactError):
        run_step(run.plan.by_name["train"], ArtifactStore(tmp_path), tmp_path, silent)


def test_pictures_are_slimmed_by_scale(tmp_path: Path) -> None:
    experiment = make_experiment(
        {
            "data": {"name": "digits", "limit": 120},
            "model": {"name": "cnn", "width": 0.25},
            "training": {"epochs": 1},
            "pruning": {"approach": "network_slimming", "sparsity": 0.5},
            "attacks": {"names": ["corr"]},
            "models": ["pruned"],
            "shadows": 1,
        }
    )
    run = Run(tmp_path, experiment)
    artifact = run["fine_tune:pruned"]
    state, masks = artifact.tensors("models"), artifact.tensors("masks")
    for name, kept in masks.items():
        assert not state[name][~kept].any()
    gone = sum((~masks[f"norms.{i}.weight"]).sum(1) for i in range(3))
    channels = sum(masks[f"norms.{i}.weight"].shape[1] for i in range(3))
    assert np.asarray(gone).tolist() == [round(0.5 * channels)] * 2
    assert run["signals:pruned"].json("report")["sparsity"] > 0
