"""A run read from its artifacts: whole, half-way, and nothing at all."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from prunepriv.experiment import Experiment, make_experiment
from prunepriv.options import ATTACKS
from prunepriv.plan import Target, models_name
from prunepriv.store.artifacts import ArtifactStore
from prunepriv.store.result import Result
from tests.synthetic_run import write_synthetic_run

KINDS = ("original", "control", "pruned", "defended")


def test_a_finished_run_is_complete(finished: Result) -> None:
    assert finished.complete
    assert finished.pending() == ()
    assert finished.run_id == finished.experiment.run_id


def test_nothing_is_there_yet(store: ArtifactStore, small_experiment: Experiment) -> None:
    result = Result(store, small_experiment)
    assert not result.complete
    assert len(result.pending()) == len(result.plan.steps)
    assert result.leaderboard().empty
    for kind in KINDS:
        assert result.signals(kind) is None
        assert result.gaps(kind) is None
        assert result.model_report(kind) is None
        assert result.training_report(kind) is None
        assert result.evaluation(Target(kind, "adaptive")) is None
        assert result.scores("conf", Target(kind, "adaptive")) is None
    assert result.checks() is None


def test_half_way(
    store: ArtifactStore, small_experiment: Experiment, rng: np.random.Generator
) -> None:
    kinds = {"data", "split", "train", "fine_tune", "signals", "population", "confidences"}
    write_synthetic_run(store, small_experiment, rng, kinds=kinds)
    result = Result(store, small_experiment)
    assert not result.complete
    assert result.signals("pruned") is not None
    assert result.gaps("pruned") is None
    missing = {"divergence", "size", "fit", "score", "evaluation", "contrast", "checks"}
    assert {step.kind for step in result.pending()} == missing


def test_what_the_run_never_had(store: ArtifactStore, rng: np.random.Generator) -> None:
    given = {"data": {"limit": 200}, "models": ["pruned"], "attacks": {"names": ["conf"]}}
    run = make_experiment(given)
    write_synthetic_run(store, run, rng)
    result = Result(store, run)
    assert result.complete
    assert result.signals("original") is None
    assert result.scores("samia", Target("pruned", "adaptive")) is None
    assert result.scores("conf", Target("pruned", "non_adaptive")) is None


@pytest.mark.parametrize("kind", KINDS)
def test_signals_belong_together(finished: Result, kind) -> None:
    signals = finished.signals(kind)
    split, data = finished.artifact("split:0"), finished.artifact("data")
    assert signals is not None
    assert split is not None
    assert data is not None
    parts, y = split.tensors("split"), data.tensors("data")["y"]
    np.testing.assert_array_equal(signals.record[signals.member], parts["train"])
    np.testing.assert_array_equal(signals.record[~signals.member], parts["test"])
    np.testing.assert_array_equal(signals.label, y[signals.record])


def test_derived_signals_by_hand(finished: Result) -> None:
    signals = finished.signals("pruned")
    assert signals is not None
    np.testing.assert_allclose(signals.posteriors.sum(axis=1), 1)
    for i in (0, 7, len(signals.label) - 1):
        exponentials = np.exp(signals.logits[i].astype(np.float64))
        posterior = exponentials / exponentials.sum()
        np.testing.assert_allclose(signals.posteriors[i], posterior)
        assert signals.confidence[i] == pytest.approx(posterior[signals.label[i]])
        assert signals.label_sensitivity[i] == signals.sensitivity[i, signals.label[i]]
        assert signals.correct[i] == (posterior.argmax() == signals.label[i])


def test_reports_agree_with_signals(finished: Result) -> None:
    for kind in KINDS:
        signals, report, rows = (
            finished.signals(kind),
            finished.model_report(kind),
            finished.gaps(kind),
        )
        assert signals is not None
        assert report is not None
        assert rows is not None
        assert report["member_accuracy"] == pytest.approx(signals.correct[signals.member].mean())
        assert rows["class"].isna().tolist() == [True] + [False] * 30
        overall = rows.iloc[0]
        gap = signals.confidence[signals.member].mean() - signals.confidence[~signals.member].mean()
        assert overall["confidence"] == pytest.approx(gap)
        assert rows["members"].iloc[1:].sum() == overall["members"] == signals.member.sum()


def test_every_model_has_a_training_curve_of_its_own(finished: Result) -> None:
    for kind in KINDS:
        report = finished.training_report(kind)
        assert report is not None
        own = finished.artifact(models_name(kind))
        assert own is not None
        assert report == own.json("report"), "the target's"
        for number in range(1 + finished.experiment.shadows):
            made = finished.artifact(models_name(kind, number))
            assert made is not None
            curve = made.json("report")["history"]
            assert [point["epoch"] for point in curve] == list(range(1, len(curve) + 1))
            assert set(curve[0]) == {"epoch", "loss", "member_accuracy", "validation_accuracy"}


def test_scores_belong_to_the_records(finished: Result) -> None:
    signals = finished.signals("pruned")
    scores = finished.scores("conf", Target("pruned", "adaptive"))
    assert signals is not None
    assert scores is not None
    np.testing.assert_allclose(scores.score, signals.confidence)
    assert len(scores.thresholds) == finished.experiment.data.option.classes
    cut = np.array(scores.thresholds)[signals.label]
    np.testing.assert_array_equal(scores.decision, scores.score >= cut)


def test_leaderboard_has_every_attack_model_and_adversary(finished: Result) -> None:
    board = finished.leaderboard()
    pairs = [(k, "adaptive") for k in KINDS] + [("defended", "non_adaptive")]
    expected = {(attack, *pair) for attack in ATTACKS for pair in pairs}
    found = list(zip(board["attack"], board["model"], board["adversary"], strict=True))
    assert set(found) == expected
    assert len(found) == len(expected)
    one = board.set_index(["attack", "model", "adversary"]).loc[("conf", "pruned", "adaptive")]
    evaluation = finished.evaluation(Target("pruned", "adaptive"))
    assert evaluation is not None
    assert one["auc"] == next(row["auc"] for row in evaluation if row["attack"] == "conf")


def test_a_damaged_step_is_pending_again(finished: Result) -> None:
    step = finished.plan.by_name["divergence:pruned"]
    (finished.store.path(step.key) / "gaps.json").write_text("[]")
    again = Result(ArtifactStore(finished.store.root), finished.experiment)
    assert again.gaps("pruned") is None
    assert again.pending() == (step,)
    assert again.gaps("original") is not None, "nothing else is lost"


def test_runs_share_the_steps_they_have_in_common(
    store: ArtifactStore, rng: np.random.Generator, small_experiment: Experiment, tmp_path: Path
) -> None:
    write_synthetic_run(store, small_experiment, rng)
    sparser = small_experiment.model_dump(mode="json")
    sparser["pruning"]["sparsity"] = 0.9
    result = Result(store, make_experiment(sparser))
    assert result.signals("original") is not None
    assert result.signals("pruned") is None
    pd.testing.assert_frame_equal(
        result.gaps("control"), Result(store, small_experiment).gaps("control")
    )
