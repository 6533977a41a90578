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
from tests.unit.figures.rows import change, headline


def _signals(members: float, others: float, n: int = 50) -> RecordSignals:
    wiggle = np.tile([-0.01, 0.01], n)
    member = np.arange(2 * n) < n
    values = np.where(member, members, others) + wiggle
    zeros = np.zeros(2 * n, dtype=int)
    return RecordSignals(np.arange(2 * n), member, zeros, values, values, values > 0.5)


def test_gap_of_is_the_difference_of_means_with_its_interval():
    gap, margin = findings.gap_of(_signals(0.9, 0.6), "confidence")
    assert gap == pytest.approx(0.3)
    assert margin == pytest.approx(1.96 * np.sqrt(2 * (0.0001 * 50 / 49) / 50))


def test_leakage_splits_the_change_between_retraining_and_removing_weights():
    text = findings.leakage(
        {"original": _signals(0.7, 0.6), "pruned": _signals(0.85, 0.6)},
        "confidence",
        retraining=change(None, 0.2, metric="confidence"),
        removing=change(None, -0.05, metric="confidence", clear=False),
        both=change(None, 0.15, metric="confidence", clear=False),
    )
    assert "confidence is 0.250 (± 0.004) higher on members" in text
    assert (
        "In this run, from the original to the pruned model the gap changed by +0.150 (und" in text
    )
    assert "+0.200 by retraining" in text
    assert "−0.050 (undecided) by removing weights" in text


def test_leakage_without_a_contrast_tells_no_cause():
    text = findings.leakage({"original": _signals(0.7, 0.6)}, "confidence")
    assert "retraining" not in text


def test_leakage_says_lower_where_it_is_lower_and_that_noise_is_undecided():
    assert "sensitivity is 0.200 (± 0.004) lower on members" in findings.leakage(
        {"pruned": _signals(0.1, 0.3)}, "sensitivity"
    )
    text = findings.leakage({"original": _signals(0.5, 0.5)}, "confidence")
    assert text.endswith("in the original model (undecided).")


def test_leakage_of_a_class_without_non_members():
    one = _signals(0.5, 0.5)
    only = RecordSignals(
        **{name: getattr(one, name)[:50] for name in RecordSignals.__dataclass_fields__}
    )
    assert "Members or non-members are missing" in findings.leakage({"pruned": only}, "confidence")


CHANCE = {"attacks": 3, "best": 0.82, "null95": 0.53, "p": 0.0005}


def test_the_attack_chosen_beforehand_and_the_best_after_the_fact():
    rows = [headline("conf", 0.80), headline("samia", 0.82)]
    text = findings.best_attack(rows[0], rows, CHANCE, Target("pruned"))
    assert text.startswith("Conf, chosen beforehand, expected 78.0 % ± 1.3 from shadow records,")
    assert "is right on the pruned model: 80.0 % (95 % interval 79.0 to 81.0 %)" in text
    assert "After the fact, SAMIA does best with 82.0 %; with permuted" in text
    assert "the best of 3 attacks stays below 53.0 % in 95 % of cases (p = 0.0005)" in text
    guess = headline("conf", 0.51, p=0.3)
    text = findings.best_attack(guess, [guess], CHANCE, Target("defended", "non_adaptive"))
    assert "not distinguishable from guessing on the defended model (non-adaptive" in text


def test_what_comes_first_is_not_ahead_of_a_next_that_is_as_good():
    rows = [headline("conf", 0.80), headline("samia", 0.82)]
    lead = {"attack": "samia", "next": "conf", "difference": 0.02, "clear": False}
    text = findings.best_attack(rows[0], rows, CHANCE, Target("pruned"), lead)
    assert "SAMIA does best with 82.0 %, not clearly ahead of Conf; with permuted" in text
    table = pd.DataFrame(
        [("Conf", 0.01, 0.2, True), ("SAMIA", 0.01, 0.3, True), ("Conf", 0.1, 0.9, True)],
        columns=["attack", "fpr", "tpr", "meaningful"],
    )
    text = findings.low_rates(table, lead)
    assert text == "SAMIA finds the most members at 1 % FPR, 30.0 %, not clearly ahead of Conf."
    for ahead in ({**lead, "clear": True}, None):
        assert findings.low_rates(table, ahead).endswith("at 1 % FPR, 30.0 %.")


def test_the_pair_that_differs_most_is_not_ahead_of_one_that_differs_as_much():
    member = np.arange(40) < 20
    said = {name: member.copy() for name in ("conf", "nn", "samia")}
    said["conf"][:6] ^= True
    said["nn"][10:14] ^= True
    labels = [ATTACKS[name].label for name in said]
    pairs = pd.DataFrame(
        [(labels[0], labels[1], 0.75), (labels[0], labels[2], 0.85), (labels[1], labels[2], 0.9)],
        columns=["attack", "other", "alike"],
    )
    text = findings.agreement(pairs, said, member)
    assert text.startswith("Conf and NN differ most: they agree on 75 % of the records"), (
        "of the 4 records more, all go one way"
    )
    said["samia"][20:27] ^= True
    pairs["alike"] = [0.75, 0.675, 0.725]
    text = findings.agreement(pairs, said, member)
    assert text.startswith("Conf and SAMIA differ most, not clearly ahead of NN and SAMIA: they")
    assert findings.agreement(pairs.head(1), said, member).startswith("Conf and NN differ most: ")


def test_the_first_of_the_classes_is_not_above_a_next_that_is_as_large():
    table = pd.DataFrame(
        [("ant", 0.4, 0.1), ("bee", 0.35, 0.1), ("cat", 0.1, 0.1), ("dog", -0.3, 0.1)],
        columns=["name", "gap", "margin"],
    ).assign(model="pruned")
    text = findings.class_bars(table, "pruned", "confidence")
    assert "is largest for ant (+0.40, not clearly above bee) and smallest for dog (" in text
    assert "smallest for dog (\u22120.30); 1 of 4 intervals cover zero" in text
    text = findings.class_bars(table.assign(margin=np.nan), "pruned", "confidence")
    assert "smallest for dog (\u22120.30, not clearly below cat)." in text
    alone = findings.class_bars(table.head(1), "pruned", "confidence")
    assert "largest for ant (+0.40) and smallest for ant (+0.40)" in alone


def test_defense_tells_the_word_of_every_difference():
    contrast = [change("chosen", -0.01, clear=False), change("conf", -0.02)]
    knowing = [change("chosen", 0.28)]
    adaptive, other = headline("conf", 0.79), headline("rmia", 0.51, p=0.4)
    text = findings.defense(adaptive, other, contrast, knowing, "PPB 4")
    first, second = text.split(". ", 1)
    assert first.startswith("In this run, PPB 4 changes what an adversary who knows it would")
    assert "by −1.0 points (undecided) to 79.0 % (Conf)" in first
    assert "by the same attack −2.0 points (Conf)" in first
    assert "51.0 % (RMIA, not distinguishable from guessing)" in second
    assert "to know the defence is worth +28.0 points" in second
    turned = findings.defense(adaptive, other, contrast, knowing, "PPB 4", "non_adaptive")
    assert turned.startswith("An adversary who does not know the defence reaches 51.0 %")


def test_price_says_gains_where_accuracy_rises():
    reports = {
        "pruned": {"member_accuracy": 0.99, "non_member_accuracy": 0.6},
        "defended": {"member_accuracy": 0.9, "non_member_accuracy": 0.61},
    }
    undecided = [
        change(None, 0.01, metric="non_member_accuracy", clear=False),
        change(None, -0.1, metric="generalization"),
    ]
    text = findings.price(reports, undecided, "PPB 4")
    assert text.startswith("In this run, PPB 4 gains 1.0 points (undecided) of accuracy")
    assert text.endswith("61.0 %) and changes the generalisation gap by \u22120.100.")
    reports["defended"]["non_member_accuracy"] = 0.58
    clear = [change(None, -0.02, metric="non_member_accuracy")]
    assert "PPB 4 costs 2.0 points of accuracy" in findings.price(reports, clear, "PPB 4")
    assert "PPB 4 costs 2.0 points (undecided) of" in findings.price(reports, None, "PPB 4")


def test_trade_tells_one_attack_and_the_accuracy():
    contrast = [
        change("samia", -0.02),
        change("conf", 0.5),
        change(None, 0.01, metric="non_member_accuracy", clear=False),
    ]
    text = findings.trade(contrast, "samia", "PPB 4")
    assert "SAMIA by −2.0 points and accuracy on non-members by +1.0 points (undecided)" in text


def test_others_names_the_attack_and_runs_without_it():
    text = findings.others(2, "samia", ["a-run"])
    assert text.startswith("Every point is SAMIA")
    assert "Grey: 2 other" in text
    assert text.endswith("Left out, without SAMIA of the same recipe: a-run.")
    assert "Left out" not in findings.others(0, "samia", [])


def test_precision_where_members_are_few():
    row = {
        "attack": "conf",
        "precision_at_prior": {
            "0.01": {
                "balanced": {"value": 0.024, "ci95": [0.02, 0.03]},
                "low_fpr": {"value": None, "ci95": [0.0, 0.9]},
            }
        },
    }
    text = findings.precision_at(row)
    assert text.startswith(
        "If 1 % of those asked are members: at its own threshold 2.4 % (2.0 to 3.0 %)"
    )
    assert "at the threshold for 1 % FPR on the shadows it accuses nobody (Conf)" in text


def test_changes_tell_the_policy_and_every_attack():
    rows = [
        change("chosen", -0.02),
        change("conf", -0.03),
        change("rmia", 0.05, clear=False),
        change("conf", 0.3, metric="auc"),
        change("conf", 0.3, label=1),
    ]
    text = findings.changes(rows, Target("control"), Target("pruned"))
    assert text.startswith("From the control model to the pruned model, in this run, what an")
    assert "would choose changes by −2.0 points" in text
    assert "between −3.0 (Conf) and +5.0 points (RMIA, undecided), clearly for 1 of 2" in text
    text = findings.changes(rows[1:], Target("defended", "non_adaptive"), Target("defended"))
    assert "whose adversary does not know the defence" in text
    assert "would choose" not in text


def test_not_run_names_what_is_left_out():
    assert findings.not_run(["conf", "samia"]).startswith("Not run here: Corr, Entr, ")
    assert findings.not_run(ATTACKS) == findings.BEYOND


def test_classes_that_changed_are_named():
    rows = [
        change(None, 0.1, metric="confidence", label=0),
        change(None, -0.1, metric="confidence", label=1),
        change(None, 0.1, metric="confidence", label=2, clear=False),
        change(None, 0.1, metric="sensitivity", label=2),
        change("conf", 0.1, label=2),
    ]
    names = ["ant", "bee", "cat"]
    text = findings.class_changes({("original", "control"): rows}, "confidence", names)
    assert "By retraining (original → control) it is clearly larger in 1 of 3 classes (ant)" in text
    assert "clearly smaller in 1 of 3 classes (bee)" in text
    assert "removing" not in text
    none = [change(None, 0.1, metric="confidence", label=0, clear=False)]
    text = findings.class_changes({("control", "pruned"): none}, "confidence", names)
    assert "clearly in none of 1 classes" in text
    text = findings.class_changes({("control", "pruned"): []}, "confidence", names)
    assert "fewer than 10 members or non-members" in text
    assert "largest first" in findings.class_changes({}, "confidence", names)


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


def test_what_a_defense_leaves_of_the_gaps():
    table = pd.DataFrame(
        [
            ("ant", "pruned", 0.4),
            ("ant", "defended", 0.1),
            ("bee", "pruned", 0.3),
            ("bee", "defended", 0.2),
        ],
        columns=["name", "model", "gap"],
    ).assign(margin=0.01)
    names = ["ant", "bee"]
    rows = [change(None, -0.3, metric="confidence", label=0)]
    text = findings.defended_classes(table, "confidence", "PPB 4", rows, names)
    assert text.startswith(
        "In this run, with PPB 4 the confidence gap is clearly smaller in 1 of 1"
    )
    assert text.endswith("; the largest confidence gap left is that of bee (+0.20).")
    text = findings.defended_classes(table, "confidence", "PPB 4", None, names)
    assert text == "In this run, with PPB 4 the largest confidence gap left is that of bee (+0.20)."


def test_cut_tells_counts_rates_and_precision():
    counts = Confusion(true_positives=60, false_positives=10, false_negatives=40, true_negatives=90)
    assert "60 of 100 members and 10 of 100" in findings.cut(counts, "0.5")
    assert (
        "TPR of 60.0 % at an FPR of 10.0 %: an advantage (TPR − FPR) of +0.500; 0 is"
        in findings.cut_rates(counts)
    )
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


def test_the_best_epoch_may_still_be_beaten_while_it_trains():
    point = {"epoch": 7, "validation_accuracy": 0.585, "member_accuracy": 0.973}
    told = findings.curves("Control, target model", point, 25, live=False)
    assert told.startswith("Control, target model: best at epoch 7 of at most 25, 58.5 %")
    assert told.endswith("97.3 % on members, measured while training.")
    assert "best so far at" in findings.curves("Control, target model", point, 25, live=True)
