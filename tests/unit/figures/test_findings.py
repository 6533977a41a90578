"""Sentences say what the numbers say, whatever their sign."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from prunepriv.evaluation import Confusion
from prunepriv.figures import findings
from prunepriv.options import ATTACKS
from prunepriv.plan import Target
from prunepriv.store.signals import RecordSignals


def _signals(members: float, others: float, n: int = 50) -> RecordSignals:
    wiggle = np.tile([-0.01, 0.01], n)
    member = np.arange(2 * n) < n
    values = np.where(member, members, others) + wiggle
    zeros = np.zeros(2 * n, dtype=int)
    return RecordSignals(np.arange(2 * n), member, zeros, values, values, values > 0.5)


def _row(accuracy: float, low: float, high: float, attack: str = "samia") -> dict:
    return {"attack": attack, "accuracy": accuracy, "accuracy_ci95": [low, high]}


def test_gap_of_is_the_difference_of_means_with_its_interval():
    gap, margin = findings.gap_of(_signals(0.9, 0.6), "confidence")
    assert gap == pytest.approx(0.3)
    assert margin == pytest.approx(1.96 * np.sqrt(2 * (0.0001 * 50 / 49) / 50))


def test_leakage_splits_the_change_between_retraining_and_removing_weights():
    text = findings.leakage(
        {
            "original": _signals(0.7, 0.6),
            "control": _signals(0.9, 0.6),
            "pruned": _signals(0.85, 0.6),
        },
        "confidence",
    )
    assert "confidence is 0.250 (± 0.004) higher on members" in text
    assert "+0.150: +0.200 by retraining" in text
    assert "−0.050 by removing weights" in text


def test_leakage_doubts_a_change_within_its_uncertainty():
    same = {
        "original": _signals(0.7, 0.6),
        "control": _signals(0.701, 0.6),
        "pruned": _signals(0.9, 0.6),
    }
    text = findings.leakage(same, "confidence")
    assert "+0.001, within its uncertainty, by retraining" in text
    assert "+0.199 by removing weights" in text


def test_leakage_says_lower_where_it_is_lower_and_that_noise_may_be_chance():
    assert "sensitivity is 0.200 (± 0.004) lower on members" in findings.leakage(
        {"pruned": _signals(0.1, 0.3)}, "sensitivity"
    )
    assert "may be chance" in findings.leakage({"original": _signals(0.5, 0.5)}, "confidence")


def test_leakage_of_a_class_without_non_members():
    one = _signals(0.5, 0.5)
    only = RecordSignals(
        **{name: getattr(one, name)[:50] for name in RecordSignals.__dataclass_fields__}
    )
    assert "Members or non-members are missing" in findings.leakage({"pruned": only}, "confidence")


def test_an_interval_that_covers_half_is_guessing():
    text = findings.best_attack(_row(0.51, 0.49, 0.53), Target("pruned"))
    assert "not distinguishable from guessing" in text
    text = findings.best_attack(
        _row(0.8, 0.78, 0.82), Target("pruned"), _row(0.7, 0.68, 0.72, "conf")
    )
    assert "80.0 % (95 % interval 78.0 to 82.0 %)" in text
    assert "Conf, reaches 70.0 %" in text
    assert "guessing gives 50 %" in text


def test_defense_doubts_what_the_intervals_do_not_show():
    before = _row(0.8, 0.78, 0.82)
    text = findings.defense(before, _row(0.79, 0.77, 0.81), _row(0.51, 0.49, 0.53), "PPB 4")
    first, second = text.split(". ", 1)
    assert "who knows the defence" in first
    assert "(−1.0 points, within its uncertainty)" in first
    assert "not distinguishable from guessing" in second
    assert "uncertainty" not in findings.defense(before, _row(0.7, 0.68, 0.72), None, "PPB 4")
    turned = findings.defense(before, _row(0.6, 0.58, 0.62), before, "PPB 4", "non_adaptive")
    assert turned.startswith("Against an adversary who does not know the defence, PPB 4")


def test_price_says_gains_where_accuracy_rises():
    reports = {
        "pruned": {"member_accuracy": 0.99, "non_member_accuracy": 0.6},
        "defended": {"member_accuracy": 0.9, "non_member_accuracy": 0.61},
    }
    assert findings.price(reports, "PPB 4").startswith("PPB 4 gains 1.0 points")
    reports["defended"]["non_member_accuracy"] = 0.58
    assert findings.price(reports, "PPB 4").startswith("PPB 4 costs 2.0 points")


def test_not_run_names_what_is_left_out():
    assert findings.not_run(["conf", "samia"]).startswith("Not run here: Corr, Entr, ")
    assert findings.not_run(ATTACKS) == findings.BEYOND


def test_class_changes_counts_each_step():
    table = pd.DataFrame(
        [
            {"class": c, "model": model, "gap": gap}
            for c, gaps in enumerate([(0.1, 0.2, 0.1), (0.3, 0.2, 0.4), (0.1, 0.3, 0.2)])
            for model, gap in zip(("original", "control", "pruned"), gaps, strict=True)
        ]
    )
    text = findings.class_changes(table, "confidence")
    assert "in 2 of 3 classes by retraining" in text
    assert "in 1 of 3 classes by removing weights" in text


def _distances(beyond, model="pruned"):
    rows = [
        {"model": model, "class": place, "name": f"c{place}", "distance": 0.3 + place / 100,
         "chance": 0.2, "beyond_chance": one}
        for place, one in enumerate(beyond)
    ]  # fmt: skip
    everyone = {"model": model, "class": -1, "name": "all records", "distance": 9.0,
                "chance": 9.0, "beyond_chance": True}  # fmt: skip
    return pd.DataFrame([everyone, *rows])


def test_distances_name_the_classes_beyond_chance():
    table = pd.concat([_distances([1, 0, 0, 1]), _distances([0, 0, 1, 0], "original")]).astype(
        {"beyond_chance": bool}
    )
    text = findings.distances(table.reset_index(drop=True), "pruned", "confidence", "js")
    assert text == (
        "By the Jensen-Shannon divergence of confidence, members and non-members are further apart "
        "than chance gives in 2 of 4 classes of the pruned model (c3 and c0); in 1 of 4 classes of "
        "the original model. Its mean over the pruned model's classes is 0.315 bits; where "
        "membership means nothing it is 0.200."
    )


@pytest.mark.parametrize(
    ("beyond", "words"),
    [
        ([0, 0, 0], "in none of the 3 classes of the pruned model."),
        ([1, 1, 1], "in all 3 classes of the pruned model."),
        ([1, 0, 1], "in 2 of 3 classes of the pruned model (all but c1)."),
        ([1] * 20 + [0] * 21, "c8 and 8 more)."),
    ],
)
def test_distances_of_none_all_or_many_classes(beyond, words):
    table = _distances(beyond).astype({"beyond_chance": bool})
    text = findings.distances(table, "pruned", "sensitivity", "wasserstein")
    assert words in text
    assert " bits" not in text


def test_cut_tells_counts_rates_and_precision():
    counts = Confusion(true_positives=60, false_positives=10, false_negatives=40, true_negatives=90)
    assert "60 of 100 members and 10 of 100" in findings.cut(counts, "0.5")
    assert "TPR of 60.0 % at an FPR of 10.0 %" in findings.cut_rates(counts)
    assert findings.cut_verdicts(counts).startswith("75.0 % of verdicts are right")
    assert "85.7 % of the records called members" in findings.cut_verdicts(counts)
    none_called = Confusion(
        true_positives=0, false_positives=0, false_negatives=9, true_negatives=9
    )
    assert "no record is called a member" in findings.cut_verdicts(none_called)


def test_records_in_bin_counts_both_groups():
    one = _signals(0.9, 0.2)
    chosen = one.confidence > 0.9
    text = findings.records_in_bin(one, chosen, "0.89 to 1", "confidence")
    assert text.startswith("25 members and 0 non-members have a confidence of 0.89 to 1")
    assert text.endswith("right for 100 %.")
    assert findings.records_in_bin(one, chosen & False, "0 to 0.1", "confidence").startswith("No ")


def test_class_without_both_groups_has_no_gap():
    means = pd.DataFrame(
        {
            "records": ["ant", "all classes"],
            "model": "pruned",
            "members": [0.9, 0.8],
            "non-members": [None, 0.5],
        }
    )
    text = findings.class_detail(means, "pruned", "ant")
    assert text.startswith("ant lacks")
    assert "over all classes the gap is +0.30" in text
    assert "click a bar" in findings.class_detail(means.iloc[1:], "pruned", None)


def test_a_change_without_an_uncertainty_is_not_doubted():
    assert findings.within_uncertainty(-0.05, 0.04, 0.04)
    assert not findings.within_uncertainty(0.05, 0.03, 0.03)
    assert not findings.within_uncertainty(0.05, float("nan"), 0.03)


def test_the_best_epoch_may_still_be_beaten_while_it_trains():
    point = {"epoch": 7, "validation_accuracy": 0.585, "member_accuracy": 0.973}
    told = findings.curves("Control, target model", point, 25, live=False)
    assert told.startswith("Control, target model: best at epoch 7 of at most 25, 58.5 %")
    assert "best so far at" in findings.curves("Control, target model", point, 25, live=True)
