"""Evaluations and contrasts against figures that are worked out anew from scores and signals."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from prunepriv.evaluation import (
    LEAST,
    ScoreCurve,
    balanced_accuracy,
    benjamini_hochberg,
    chosen,
    decisions,
)
from prunepriv.evaluation.choice import Estimate
from prunepriv.experiment import make_experiment
from prunepriv.plan import Target, fit_name
from prunepriv.store.artifacts import ArtifactStore
from prunepriv.store.result import Result
from tests.synthetic_run import write_synthetic_run

BEFORE, AFTER = Target("original"), Target("control")
NAMES = ("conf", "top1_conf", "samia")


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Result:
    experiment = make_experiment(
        {
            "data": {"name": "shapes", "limit": 1200},
            "models": ["original", "control"],
            "attacks": {"names": list(NAMES)},
            "shadows": 2,
        }
    )
    store = ArtifactStore(tmp_path_factory.mktemp("store") / "store")
    write_synthetic_run(store, experiment, np.random.default_rng(0))
    return Result(store, experiment)


def sides(result: Result, name: str) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Verdicts before and after, membership and labels."""
    verdicts = []
    for target in (BEFORE, AFTER):
        own = result.choice(target)["attack"] if name == "chosen" else name
        verdicts.append(result.scores(own, target).decision)
    signals = result.signals("original")
    return verdicts[0], verdicts[1], signals.member, signals.label


def rows(result: Result, attack: str | None, metric: str = "accuracy") -> list[dict]:
    found = result.contrast(BEFORE, AFTER)
    return [row for row in found if row["attack"] == attack and row["metric"] == metric]


@pytest.mark.parametrize("name", [*NAMES, "chosen"])
def test_differences_over_all_records(result: Result, name: str) -> None:
    before, after, member, _ = sides(result, name)
    (row,) = (row for row in rows(result, name) if row["class"] is None)
    difference = balanced_accuracy(after, member) - balanced_accuracy(before, member)
    assert row["difference"] == pytest.approx(difference)
    assert row["ci95"][0] <= row["difference"] <= row["ci95"][1]
    assert row["clear"] is (row["ci95"][0] > 0 or row["ci95"][1] < 0)


@pytest.mark.parametrize("name", [*NAMES, "chosen"])
def test_differences_by_class(result: Result, name: str) -> None:
    before, after, member, label = sides(result, name)
    of_classes = [row for row in rows(result, name) if row["class"] is not None]
    assert len(of_classes) == 10
    for row in of_classes:
        own = label == row["class"]
        assert min((own & member).sum(), (own & ~member).sum()) >= LEAST
        change = balanced_accuracy(after[own], member[own]) - balanced_accuracy(
            before[own], member[own]
        )
        assert row["difference"] == pytest.approx(change)
    named = benjamini_hochberg([row["p"] for row in of_classes])
    assert [row["clear"] for row in of_classes] == named.tolist()


def test_gaps_and_accuracy_on_non_members(result: Result) -> None:
    before, after = result.signals("original"), result.signals("control")
    member = before.member
    for metric, values in (
        ("confidence", after.confidence - before.confidence),
        ("generalization", after.correct.astype(float) - before.correct),
    ):
        whole, *of_classes = rows(result, None, metric)
        assert whole["class"] is None
        expected = values[member].mean() - values[~member].mean()
        assert whole["difference"] == pytest.approx(expected)
        assert len(of_classes) == 10
        own = before.label == 3
        (third,) = (row for row in of_classes if row["class"] == 3)
        expected = values[own & member].mean() - values[own & ~member].mean()
        assert third["difference"] == pytest.approx(expected)
    (row,) = rows(result, None, "non_member_accuracy")
    expected = after.correct[~member].mean() - before.correct[~member].mean()
    assert row["difference"] == pytest.approx(expected)
    assert row["ci95"][0] <= expected <= row["ci95"][1]


@pytest.mark.parametrize("metric", ["auc", "tpr_at_fpr_0.01"])
def test_curves(result: Result, metric: str) -> None:
    member = result.signals("original").member
    (row,) = rows(result, "samia", metric)
    values = []
    for target in (BEFORE, AFTER):
        curve = ScoreCurve(result.scores("samia", target).score, member)
        values.append(curve.auc if metric == "auc" else curve.tpr_at_fpr(0.01).tpr)
    assert row["difference"] == pytest.approx(values[1] - values[0])


def test_one_model_and_two_adversaries_have_no_gaps(tmp_path: Path) -> None:
    experiment = make_experiment(
        {
            "data": {"limit": 300},
            "defense": {"name": "ppb"},
            "models": ["pruned", "defended"],
            "attacks": {"names": ["conf"]},
            "shadows": 2,
        }
    )
    store = ArtifactStore(tmp_path / "store")
    write_synthetic_run(store, experiment, np.random.default_rng(0))
    found = Result(store, experiment).contrast(
        Target("defended", "non_adaptive"), Target("defended")
    )
    assert {row["attack"] for row in found} == {"conf", "chosen"}


def test_the_choice_is_made_of_the_fits_estimates(result: Result) -> None:
    estimates = []
    for name in NAMES:
        known = result.artifact(fit_name(name, "original")).json("estimate")
        estimates.append(Estimate(name, known["accuracy"], known["standard_error"]))
    best, choice = chosen(estimates), result.choice(BEFORE)
    assert (choice["attack"], choice["estimate"], choice["standard_error"]) == best
    assert choice["why"] is None
    headline = result.headline(BEFORE)
    (row,) = (one for one in result.evaluation(BEFORE) if one["attack"] == best.attack)
    assert headline["chosen"] is True
    assert headline["accuracy"] == row["accuracy"]
    assert headline["p"] <= row["p"], "alone it need not be better than the best of all"


def test_precision_where_members_are_few(result: Result) -> None:
    member = result.signals("original").member
    (row,) = (one for one in result.evaluation(BEFORE) if one["attack"] == "conf")
    scores = result.scores("conf", BEFORE)
    limit = result.artifact(fit_name("conf", "original")).json("estimate")["low_fpr_limit"]
    for threshold, said in (("balanced", scores.decision), ("low_fpr", scores.score > limit)):
        counts = decisions(said, member)
        for prior in (0.01, 0.1, 0.5):
            told = row["precision_at_prior"][f"{prior:g}"][threshold]
            assert told["value"] == counts.precision(prior)


def test_chance_is_told_of_all_attacks(result: Result) -> None:
    told, found = result.chance(BEFORE), result.evaluation(BEFORE)
    assert told["attacks"] == 3
    assert told["best"] == pytest.approx(max(row["accuracy"] for row in found))
    assert told["p"] == min(row["p"] for row in found)
    assert 0.5 < told["null95"] < 0.65
