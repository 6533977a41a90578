"""The checks of a real, tiny run; then the same run with one mistake planted in its artifacts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from prunepriv.experiment import make_experiment
from prunepriv.models import Ensemble
from prunepriv.pipeline.checks import check_run, one_by_one
from prunepriv.pipeline.context import StepContext
from prunepriv.pipeline.models import load_model
from prunepriv.pipeline.steps import run_group
from prunepriv.plan import Plan, plan
from prunepriv.progress import silent
from prunepriv.signals import signals
from prunepriv.store.artifacts import Artifact, ArtifactStore
from prunepriv.store.result import Result

CHECKS = (
    "splits_disjoint", "eval_mode", "thresholds_from_shadows", "masks_exact", "membership_aligned",
    "models_learned", "adversary_knowledge", "attacks_not_run",
)  # fmt: skip

WIDTH = 0.25
ATTACKS = ["corr", "conf", "top1_conf", "lira"]

Arrays = dict[str, np.ndarray]


class Finished:
    """A tiny run of pictures (dropout, batch norm); its adversary assumes a wrong sparsity."""

    def __init__(self, root: Path) -> None:
        experiment = make_experiment(
            {
                "data": {"name": "digits", "limit": 400},
                "model": {"name": "cnn", "width": WIDTH},
                "training": {"epochs": 10, "learning_rate": 0.01, "batch_size": 16},
                "knowledge": {"sparsity": 0.5},
                "attacks": {"names": ATTACKS},
                "models": ["original", "pruned"],
                "shadows": 2,
            }
        )
        self.store = ArtifactStore(root)
        self.plan: Plan = plan(experiment)
        for step in self.plan.steps:
            run_group([step], self.store, root / "data", [silent])
        self.result = Result(self.store, experiment)

    @property
    def inputs(self) -> dict[str, Artifact]:
        step = self.plan.by_name["checks"]
        return {name: self.store.open(key) for name, key in step.inputs.items()}

    def model(self, signals: Artifact) -> tuple[Ensemble, torch.Tensor]:
        """The model of a signals artifact, and all records, as in the step."""
        step = self.plan.by_key[signals.key]
        context = StepContext(step, self.store, self.store.root)
        return load_model(context), context.records[0]

    def checked(self, inputs: Mapping[str, Artifact] | None = None) -> dict[str, Any]:
        context = StepContext(self.plan.by_name["checks"], self.store, self.store.root)
        context.inputs = inputs or context.inputs
        found = check_run(context, ATTACKS)
        return {check.check: check for check in found}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    return Finished(tmp_path_factory.mktemp("hygiene"))


class Tampered(Artifact):
    """An artifact with one changed file."""

    def __init__(
        self, of: Artifact, file: str = "", change: Callable[[Any], Any] = lambda v: v, **meta: Any
    ) -> None:
        super().__init__(of.key, of.path, {**of.meta, **meta})
        object.__setattr__(self, "change", (file, change))

    __slots__ = ("change",)

    def tensors(self, name: str) -> Arrays:
        file, change = self.change
        read = super().tensors(name)
        return change(read) if name == file else read  # type: ignore[no-any-return]

    def json(self, name: str) -> Any:
        file, change = self.change
        read = super().json(name)
        return change(read) if name == file else read


def test_the_step_checks_the_run(run: Finished) -> None:
    found = run.result.checks()
    assert found is not None
    assert tuple(row["check"] for row in found) == CHECKS
    assert [row["passed"] for row in found] == [True] * 6 + [None] * 2
    assert all(set(row) == {"check", "label", "passed", "detail"} for row in found)
    details = {row["check"]: row["detail"] for row in found}
    assert "believes it was pruned by L1 unstructured 50 %" in details["adversary_knowledge"]
    assert "8 of 12" in details["attacks_not_run"]


def replaced(arrays: Arrays, name: str, at: Any, value: Any) -> Arrays:
    array = arrays[name].copy()
    array[at] = value
    return {**arrays, name: array}


def first_removed(run: Finished) -> tuple[str, tuple[int, ...]]:
    masks = run.inputs["fine_tune:pruned:0"].tensors("masks")
    name = next(iter(masks))
    return name, tuple(np.argwhere(~masks[name])[0])


VIOLATIONS: tuple[tuple[str, str, str, Callable[[Any], Any]], ...] = (
    ("splits_disjoint", "split:0", "split", lambda a: replaced(a, "test", 0, a["train"][0])),
    ("splits_disjoint", "split:2", "split", lambda a: replaced(a, "train", 0, a["test"][0])),
    ("eval_mode", "signals:pruned:0", "signals", lambda a: {**a, "logits": a["logits"] * 1.01}),
    ("thresholds_from_shadows", "score:conf:pruned:adaptive", "thresholds",
     lambda cuts: [cuts[0] + 0.01, *cuts[1:]]),
    ("masks_exact", "fine_tune:pruned:0", "report", lambda told: {**told, "sparsity": 0.7001}),
    ("masks_exact", "fine_tune:assumed:pruned:2", "report",
     lambda told: {**told, "sparsity": 0.5001}),
    ("membership_aligned", "signals:original:2", "signals",
     lambda a: replaced(a, "label", 0, (a["label"][0] + 1) % 10)),
    ("membership_aligned", "signals:assumed:pruned:1", "signals",
     lambda a: {**a, "member": 1 - a["member"]}),
)  # fmt: skip


@pytest.mark.parametrize(("check", "step", "file", "change"), VIOLATIONS)
def test_a_planted_mistake_fails_its_check_alone(
    run: Finished, check: str, step: str, file: str, change: Callable[[Any], Any]
) -> None:
    inputs = run.inputs
    found = run.checked({**inputs, step: Tampered(inputs[step], file, change)})
    failed = {name for name, one in found.items() if one.passed is False}
    # a wrong split also makes wrong members
    assert failed - {"membership_aligned"} == {check} - {"membership_aligned"}
    assert found[check].passed is False


BLANK = {
    ("signals:pruned:0",): "these targets are right no more often than chance: pruned ",
    (
        "signals:original:1",
        "signals:original:2",
    ): "these shadows are right no more often than chance",
    ("signals:assumed:pruned:1", "signals:assumed:pruned:2"): ": 2 of 2 of assumed pruned.",
}
"""Steps -> what is said if their models answer the same on every record."""


@pytest.mark.parametrize("steps", list(BLANK), ids=lambda steps: steps[0])
def test_models_that_learnt_nothing_are_found(run: Finished, steps: tuple[str, ...]) -> None:
    inputs = run.inputs
    blank = {
        step: Tampered(
            inputs[step], "signals", lambda a: {**a, "logits": np.zeros_like(a["logits"])}
        )
        for step in steps
    }
    found = run.checked({**inputs, **blank})["models_learned"]
    assert found.passed is False
    assert BLANK[steps] in found.detail
    assert "A low attack accuracy is not safety here" in found.detail


def test_a_removed_weight_that_was_trained_again_is_found(run: Finished) -> None:
    name, at = first_removed(run)
    inputs = run.inputs
    revived = Tampered(
        inputs["fine_tune:pruned:0"], "model", lambda state: replaced(state, name, at, 1e-3)
    )
    found = run.checked({**inputs, "fine_tune:pruned:0": revived})
    assert found["masks_exact"].passed is False


@pytest.mark.parametrize(
    ("read", "words"),
    [("split:1", "split shadow 1"), ("signals:original:0", "signals original target")],
)
def test_a_fit_that_read_more_than_shadows_answers_is_found(
    run: Finished, read: str, words: str
) -> None:
    inputs = run.inputs
    fit = inputs["fit:conf:original"]
    peeked = Tampered(fit, inputs={**fit.meta["inputs"], "shadow:3": run.plan.key(read)})
    # other checks of this run would refit on what the fit read
    kept = {name: artifact for name, artifact in inputs.items() if not name.startswith("score")}
    found = run.checked({**kept, "fit:conf:original": peeked})["thresholds_from_shadows"]
    assert found.passed is False
    assert found.detail == f"Fits read {words} as well."


def test_a_fit_that_read_the_targets_records_under_a_shadows_name_is_found(run: Finished) -> None:
    """A real step, which was given the target's split by mistake."""
    inputs, step = run.inputs, run.plan.by_name["population:original:1"]
    wrong = replace(step, inputs={**step.inputs, "split": run.plan.key("split:0")})
    run_group([wrong], run.store, run.store.root, [silent])
    fit = inputs["fit:lira:original"]
    peeked = Tampered(fit, inputs={**fit.meta["inputs"], "shadow:1": wrong.key})
    found = run.checked({**inputs, "fit:lira:original": peeked})["thresholds_from_shadows"]
    assert found.passed is False
    assert found.detail == (
        "Fits read records of the target in population original shadow 1 as well."
    )


def test_thresholds_fitted_on_the_target_itself_are_found(run: Finished) -> None:
    inputs = run.inputs
    fit = inputs["fit:conf:assumed:pruned"]
    peeked = Tampered(fit, inputs={"shadow:1": run.plan.key("signals:pruned:0")})
    again = run.checked({**inputs, "fit:conf:assumed:pruned": peeked})["thresholds_from_shadows"]
    assert again.passed is False
    assert "thresholds are not those of the shadows" in again.detail


def test_answers_given_in_train_mode_are_found(
    run: Finished, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The real mistake: the function that scores records, without its call of eval()."""
    artifact = run.inputs["signals:original:0"]
    ensemble, x = run.model(artifact)
    ensemble.draw_dropout_from([torch.Generator().manual_seed(0)])
    own = torch.from_numpy(artifact.tensors("signals")["record"])[None]
    monkeypatch.setattr(type(ensemble), "eval", lambda self: self.train())
    with monkeypatch.context():
        logits, _ = signals(ensemble, x, own, seed=0)
    monkeypatch.undo()
    sloppy = Tampered(artifact, "signals", lambda a: {**a, "logits": logits[0].numpy()})
    found = run.checked({**run.inputs, "signals:original:0": sloppy})["eval_mode"]
    assert found.passed is False
    assert "original" in found.detail


def test_single_answers_are_those_of_the_first_model(run: Finished) -> None:
    artifact = run.inputs["signals:pruned:0"]
    stored = artifact.tensors("signals")
    ensemble, x = run.model(artifact)
    fresh = one_by_one(ensemble, x[torch.from_numpy(stored["record"][:5])])
    assert fresh == pytest.approx(stored["logits"][:5], abs=1e-4)
