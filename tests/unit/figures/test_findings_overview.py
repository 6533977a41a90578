"""Overview's sentences: the best attack, its interval, and what changed it."""

from __future__ import annotations

from typing import Any

import pytest

from prunepriv.figures.findings import (
    attribution,
    best_of,
    change,
    defended,
    epochs_kept,
    interval,
    is_guessing,
)


def row(attack: str, accuracy: float, half: float = 0.01) -> dict[str, Any]:
    return {
        "attack": attack,
        "accuracy": accuracy,
        "accuracy_ci95": [accuracy - half, accuracy + half],
    }


def test_the_best_attack_is_the_most_accurate() -> None:
    assert best_of([row("corr", 0.6), row("conf", 0.7), row("entr", 0.65)])["attack"] == "conf"


@pytest.mark.parametrize(
    ("accuracy", "half", "guessing"),
    [(0.52, 0.03, True), (0.52, 0.01, False), (0.5, 0.0, True), (0.45, 0.02, False)],
)
def test_guessing_is_when_the_interval_covers_half(
    accuracy: float, half: float, guessing: bool
) -> None:
    assert is_guessing(row("conf", accuracy, half)) is guessing


def test_an_interval_reads_in_per_cent() -> None:
    assert interval(row("conf", 0.78, 0.012)) == "76.8 to 79.2 %"


@pytest.mark.parametrize(("half", "clear"), [(0.01, True), (0.04, False)])
def test_a_change_is_clear_only_beyond_both_uncertainties(half: float, clear: bool) -> None:
    difference, is_clear = change(row("conf", 0.70, half), row("conf", 0.75, half))
    assert difference == pytest.approx(0.05)
    assert is_clear is clear  # sqrt(2) * 0.04 > 0.05 > sqrt(2) * 0.01


def test_the_change_is_also_told_by_way_of_the_control_trained_equally_long() -> None:
    rows = {
        "original": [row("conf", 0.62)],
        "control": [row("conf", 0.77)],
        "control_matched": [row("conf", 0.70)],
        "pruned": [row("conf", 0.60)],
    }
    told = attribution(rows)  # type: ignore[arg-type]
    assert "**+15.0 points by training on the same records again**" in told
    assert told.endswith(
        " By way of the control that was trained equally long (70.0 %) these are **+8.0 points** and "
        "**\N{MINUS SIGN}10.0 points**."
    )
    del rows["control_matched"]
    assert "equally long" not in attribution(rows)  # type: ignore[arg-type]


def test_kept_epochs_read_as_a_list() -> None:
    told = epochs_kept({"control": 2, "control_matched": 11, "pruned": 11, "defended": 4})
    assert told == (
        "Epochs of fine-tuning kept: control 2, equally long control 11, pruned 11, defended 4."
    )


def test_the_change_is_split_between_retraining_and_removing_weights() -> None:
    told = attribution(
        {
            "original": [row("conf", 0.62), row("corr", 0.60)],
            "control": [row("conf", 0.77), row("corr", 0.61)],
            "pruned": [row("conf", 0.60), row("corr", 0.715)],
        }
    )
    assert "from 62.0 % on the original to 77.0 % on the control and 71.5 % on the pruned" in told
    assert "+15.0 points by training on the same records again" in told
    assert "\N{MINUS SIGN}5.5 points by removing weights" in told


def test_a_part_within_its_uncertainty_is_named_as_such() -> None:
    told = attribution({kind: [row("conf", 0.7)] for kind in ("original", "control", "pruned")})
    assert told.count("within its uncertainty") == 2


def test_without_the_control_nothing_is_attributed() -> None:
    told = attribution({"original": [row("conf", 0.6)], "pruned": [row("conf", 0.7)]})
    assert "control" in told
    assert "points" not in told


def test_the_adaptive_adversary_comes_first() -> None:
    told = defended(row("conf", 0.8), row("conf", 0.7), row("conf", 0.52), "PPB")
    assert told.index("70.0 %") < told.index("52.0 %")
    assert "\N{MINUS SIGN}10.0 points" in told


def test_a_defense_without_a_clear_effect_is_called_that() -> None:
    told = defended(row("conf", 0.80, 0.02), row("conf", 0.79, 0.02), None, "PPB")
    assert "no more than its uncertainty" in told
