"""Differences over seeds, against the formulas."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.stats import t

from prunepriv.store.over_seeds import chosen_over_seeds, over_seeds

ORIGINAL = {"model": "original", "adversary": "adaptive"}
CONTROL = {"model": "control", "adversary": "adaptive"}


def attack(
    name: str, side: dict[str, str], accuracy: float, estimate: float | None
) -> dict[str, Any]:
    figures = {"accuracy": accuracy, "auc": accuracy, "tpr_at_fpr": {"0.01": accuracy / 2}}
    return {"attack": name, **side, **figures, "estimate": estimate}


def report(conf: tuple[float, float], samia: tuple[float, float], estimates: tuple[float, float]):
    """A run: accuracies of two attacks on the original and on the control."""
    rows = [
        {"attack": name, "metric": "accuracy", "class": None, "difference": after - before}
        for name, (before, after) in (("conf", conf), ("samia", samia))
    ]
    rows.append({"attack": "chosen", "metric": "accuracy", "class": None, "difference": 0.9})
    rows.append({"attack": None, "metric": "confidence", "class": 3, "difference": conf[0]})
    return {
        "contrasts": [{**row, "from": ORIGINAL, "to": CONTROL} for row in rows],
        "attacks": [
            attack(name, side, values[place], estimate)
            for name, values, estimate in (
                ("conf", conf, estimates[0]),
                ("samia", samia, estimates[1]),
            )
            for place, side in enumerate((ORIGINAL, CONTROL))
        ],
    }


RUNS = [
    report((0.60, 0.63), (0.70, 0.69), (0.61, 0.72)),
    report((0.62, 0.64), (0.71, 0.72), (0.75, 0.70)),
    report((0.61, 0.65), (0.69, 0.70), (0.60, 0.71)),
]


def found(rows: list[dict[str, Any]], name: str | None, metric: str = "accuracy") -> dict[str, Any]:
    (row,) = (r for r in rows if r["attack"] == name and r["metric"] == metric)
    return row


def test_the_mean_and_the_t_interval() -> None:
    row = found(over_seeds(RUNS), "conf")
    values = np.array([0.03, 0.02, 0.04])
    half = t.ppf(0.975, 2) * values.std(ddof=1) / np.sqrt(3)
    assert row["mean"] == pytest.approx(values.mean())
    assert row["ci95"] == pytest.approx([values.mean() - half, values.mean() + half])
    assert (row["seeds"], row["clear"]) == (3, True)
    assert (row["from"], row["to"], row["class"]) == (ORIGINAL, CONTROL, None)


def test_one_choice_holds_for_all_seeds() -> None:
    """In the second run alone, Conf would be chosen."""
    assert chosen_over_seeds(RUNS, ORIGINAL) == "samia"
    assert chosen_over_seeds(RUNS[1:2], ORIGINAL) == "conf"
    row = found(over_seeds(RUNS), "chosen")
    assert row["mean"] == pytest.approx(np.mean([-0.01, 0.01, 0.01]))
    assert row["clear"] is False
    tpr = found(over_seeds(RUNS), "chosen", "tpr_at_fpr_0.01")
    assert tpr["mean"] == pytest.approx(row["mean"] / 2)


def test_two_seeds_are_shown_and_do_not_decide() -> None:
    two = [
        report((0.60, 0.70), (0.7, 0.7), (0.6, 0.7)),
        report((0.60, 0.701), (0.7, 0.7), (0.6, 0.7)),
    ]
    row = found(over_seeds(two), "conf")
    assert row["ci95"][0] > 0
    assert (row["clear"], row["seeds"]) == (False, 2)


def test_one_seed_has_no_interval() -> None:
    row = found(over_seeds(RUNS[:1]), "conf")
    assert (row["mean"], row["ci95"], row["clear"]) == (pytest.approx(0.03), None, False)


def test_what_a_run_lacks_is_left_out() -> None:
    fewer = {**RUNS[1], "contrasts": [r for r in RUNS[1]["contrasts"] if r["attack"] != "conf"]}
    rows = over_seeds([RUNS[0], fewer])
    assert not [row for row in rows if row["attack"] == "conf"]
    assert found(rows, "samia")["seeds"] == 2


def test_classes_and_gaps_too() -> None:
    row = found(over_seeds(RUNS), None, "confidence")
    assert (row["class"], row["mean"]) == (3, pytest.approx(0.61))


def _by_class(values: dict[int, tuple[float, float, float]]) -> list[dict[str, Any]]:
    """Runs whose confidence gap changes by these values in each class."""
    runs = []
    for place in range(3):
        rows = [
            {"attack": None, "metric": "confidence", "class": label, "difference": each[place],
             "from": ORIGINAL, "to": CONTROL}
            for label, each in values.items()
        ]  # fmt: skip
        runs.append({**RUNS[place], "contrasts": rows})
    return runs


def test_of_several_classes_those_are_clear_that_benjamini_hochberg_names() -> None:
    """An interval that excludes 0 is not enough: one of ten does by chance every other time."""
    weak = (0.10, 0.14, 0.19)  # p = 0.033
    strong = (0.10, 0.101, 0.102)
    null = dict.fromkeys(range(2, 11), (0.1, -0.1, 0.02))
    rows = {r["class"]: r for r in over_seeds(_by_class({0: weak, 1: strong, **null}))[:11]}
    assert rows[0]["ci95"][0] > 0
    assert (rows[0]["clear"], rows[1]["clear"]) == (False, True)
    alone = over_seeds(_by_class({0: weak}))[0]
    assert alone["clear"] is True


def test_rows_hold_each_seeds_difference_and_the_attack_of_each_side() -> None:
    row = found(over_seeds(RUNS), "conf")
    assert row["differences"] == pytest.approx([0.03, 0.02, 0.04])
    assert (row["from_attack"], row["to_attack"]) == ("conf", "conf")
    assert found(over_seeds(RUNS), "chosen")["from_attack"] == "samia"
    assert found(over_seeds(RUNS), None, "confidence")["from_attack"] is None


def test_without_estimates_there_is_no_policy() -> None:
    run = {**RUNS[0], "attacks": [{**row, "estimate": None} for row in RUNS[0]["attacks"]]}
    assert chosen_over_seeds([run], ORIGINAL) is None
    assert not [row for row in over_seeds([run]) if row["attack"] == "chosen"]
