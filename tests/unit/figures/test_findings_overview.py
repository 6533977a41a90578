"""Overview's sentences: the chosen attack, its interval, and what changed it."""

from __future__ import annotations

import pytest

from prunepriv.figures.findings import (
    Row,
    attack_interval,
    attacks_in_short,
    attribution,
    clear_sign,
    defended,
    doubt,
    epochs_kept,
    interval,
    kept_epoch,
    sampled_fit,
)
from tests.unit.figures.rows import change, headline

CHANCE = {"attacks": 12, "best": 0.53, "null95": 0.52, "p": 0.31}
MINUS = "\N{MINUS SIGN}"


def test_an_interval_reads_in_per_cent() -> None:
    assert interval(headline("conf", 0.78, half=0.012)) == "76.8 to 79.2 %"


def test_guessing_comes_from_the_p_value_and_not_from_the_interval() -> None:
    assert attack_interval(headline("conf", 0.53, p=0.001)).startswith("95 % interval")
    told = attack_interval(headline("conf", 0.53, p=0.2))
    assert told.startswith("not distinguishable from guessing (p = 0.2;")


def test_the_card_names_the_chosen_attack() -> None:
    told = attacks_in_short(headline("lira", 0.7), CHANCE, "pruned")
    assert told.startswith("LiRA, chosen beforehand, is right on the pruned model: 70.0 %")
    told = attacks_in_short(headline("lira", 0.51, p=0.4), CHANCE, "pruned")
    assert "is guessing on the pruned model" in told
    assert "best of 12 attacks has p = 0.31" in told
    told = attacks_in_short(headline("lira", 0.7, chosen=False), CHANCE, "pruned")
    assert told.startswith("LiRA, the best after the fact,")


KEPT = {"epoch": 17, "member_accuracy": 0.7301, "validation_accuracy": 0.581}


def test_the_members_accuracy_is_that_of_the_finished_model() -> None:
    assert kept_epoch("fc", 23, KEPT, 0.794) == (
        "fc, epoch 17 of 23 kept: accuracy 79.4 % on members, 58.1 % on validation records. "
        "The members' curve is measured while training."
    )
    told = kept_epoch("fc", 23, KEPT, None)
    assert told.endswith("accuracy 73.0 % on members while training, 58.1 % on validation records.")


def test_with_a_goal_for_members_the_curve_is_measured_in_eval_mode() -> None:
    for on_members in (0.73, None):
        assert "while" not in kept_epoch("fc", 23, KEPT, on_members, while_training=False)


FIT = {"attack": "samia", "records": 10_000, "of": 45_000, "classes": 100}


def test_a_fit_on_a_sample_is_told_and_one_on_all_records_is_not() -> None:
    assert sampled_fit(FIT) == (
        "SAMIA was fitted on 10,000 of 45,000 shadow records, the most that the recipe fast takes "
        "with 100 classes."
    )
    assert sampled_fit({**FIT, "of": 10_000}) == sampled_fit(None) == ""


def test_the_card_tells_that_the_chosen_attack_was_fitted_on_a_sample() -> None:
    row = headline("samia", 0.7)
    told = attacks_in_short(row, CHANCE, "pruned", FIT)
    assert told == f"{attacks_in_short(row, CHANCE, 'pruned')} {sampled_fit(FIT)}"


def test_the_change_is_also_told_by_way_of_the_control_trained_equally_long() -> None:
    kinds = ("original", "control", "control_matched", "pruned")
    rows = {kind: headline("conf", 0.7) for kind in kinds}
    retraining, removing = [change("chosen", 0.15)], [change("chosen", -0.17)]
    long = [change("chosen", 0.08)], [change("chosen", -0.1, clear=False)]
    told = attribution(rows, retraining, removing, long)
    assert "By way of the control that was trained equally long these are" in told
    assert "**+8.0 points by training again**" in told
    assert f"**{MINUS}10.0 points (undecided) by removing weights**" in told
    assert "equally long" not in attribution(rows, retraining, removing)


def test_kept_epochs_read_as_a_list() -> None:
    told = epochs_kept({"control": 2, "control_matched": 11, "pruned": 11, "defended": 4})
    assert told == (
        "Epochs of fine-tuning kept: control 2, equally long control 11, pruned 11, defended 4."
    )


def test_the_change_is_split_between_retraining_and_removing_weights() -> None:
    told = attribution(
        {
            "original": headline("conf", 0.62),
            "control": headline("conf", 0.77),
            "pruned": headline("lira", 0.715, p=0.06),
        },
        [change("chosen", 0.15), change("conf", 0.02), change("rmia", -0.04)],
        [
            change("chosen", -0.055, clear=False),
            change("conf", -0.038, clear=False),
            change("rmia", 0.03),
        ],
    )
    assert told.startswith("In this run, what an adversary would choose beforehand")
    assert "(Conf, Conf and LiRA)" in told
    assert (
        "62.0 % of the time on the original, 77.0 % on the control and 71.5 % (guessing) on the"
        in told
    )
    assert "**+15.0 points by training on the same records again**" in told
    assert f"**{MINUS}5.5 points (undecided) by removing weights**" in told
    assert f"training again gives between {MINUS}4.0 (RMIA) and +2.0 points (Conf)" in told
    assert f"removing weights between {MINUS}3.8 (Conf, undecided) and +3.0 points (RMIA)" in told


def test_one_attack_on_all_models_is_named_once() -> None:
    rows = {kind: headline("conf", 0.7) for kind in ("original", "control", "pruned")}
    changes = [change("chosen", 0.0, clear=False), change("conf", 0.0, clear=False)]
    told = attribution(rows, changes, changes)
    assert "(Conf) is right" in told
    assert "training again gives +0.0 points (Conf, undecided)" in told


def test_without_the_control_nothing_is_attributed() -> None:
    told = attribution(
        {"original": headline("conf", 0.6), "pruned": headline("conf", 0.7)}, None, None
    )
    assert "control" in told
    assert "points" not in told


def test_the_adaptive_adversary_comes_first() -> None:
    contrast = [change("chosen", -0.1), change("conf", -0.12), change("samia", 0.01)]
    told = defended(headline("conf", 0.7), headline("rmia", 0.52, p=0.3), contrast, "PPB 4")
    assert told.index("70.0 % (Conf)") < told.index("52.0 % (RMIA, not distinguishable from guess")
    assert f"{MINUS}10.0 points to" in told
    assert f"between {MINUS}12.0 (Conf) and +1.0 points (SAMIA)" in told


def test_a_defense_without_a_clear_effect_is_called_undecided() -> None:
    contrast = [change("chosen", -0.01, clear=False)]
    told = defended(headline("conf", 0.7), None, contrast, "PPB 4")
    assert f"{MINUS}1.0 points (undecided) to 70.0 %" in told


@pytest.mark.parametrize("chosen", [True, False])
def test_what_was_not_chosen_beforehand_is_called_that(chosen: bool) -> None:
    rows = {
        kind: headline("conf", 0.7, chosen=chosen) for kind in ("original", "control", "pruned")
    }
    told = attribution(rows, [], [])
    assert ("the best attack after the fact" in told) is not chosen


@pytest.mark.parametrize(
    ("row", "sign", "word"),
    [
        (change("chosen", 0.1), 1, ""),
        (change("chosen", -0.1), -1, ""),
        (change("chosen", 0.1, clear=False), 0, " (undecided)"),
        (change("chosen", -0.1, clear=False), 0, " (undecided)"),
        (None, 0, " (undecided)"),
        ({**change("chosen", 0.1, clear=False), "why": "one seed"}, 0, " (undecided: one seed)"),
    ],
)
def test_only_a_clear_difference_is_coloured(row: Row | None, sign: int, word: str) -> None:
    assert (clear_sign(row), doubt(row)) == (sign, word)
