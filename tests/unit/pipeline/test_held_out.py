"""Records that no fit uses, and what an adversary learns about its attack from them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from prunepriv.attacks import (
    FitSettings,
    Queries,
    ReferenceShadows,
    get_attack,
)
from prunepriv.attacks.base import Attack, ReferenceAttack
from prunepriv.datasets import split
from prunepriv.datasets.held_out import SHARE, drawn, rows_for_fits
from prunepriv.evaluation import balanced_accuracy
from prunepriv.options import ATTACKS
from prunepriv.pipeline import held_out
from prunepriv.pipeline.held_out import Shadows, fit_alone, fit_compared, judged_rows

RECORDS, CLASSES, SHADOWS = 900, 3, 4
ALONE = [name for name, option in ATTACKS.items() if option.kind != "reference"]
COMPARED = [name for name, option in ATTACKS.items() if option.kind == "reference"]


def shadow_signals(seed: int = 0) -> list[dict[str, np.ndarray]]:
    """Shadows that are surer of their members."""
    rng = np.random.default_rng(seed)
    tables = []
    for _ in range(SHADOWS):
        record = rng.permutation(RECORDS)[:400]
        member = np.arange(400) < 200
        label = record % CLASSES
        logits = rng.normal(size=(400, CLASSES)).astype(np.float32)
        logits[np.arange(400), label] += 1.0 + 1.5 * member
        tables.append(
            {
                "record": record,
                "member": member.astype(np.uint8),
                "label": label,
                "logits": logits,
                "sensitivity": rng.random((400, CLASSES), dtype=np.float32),
            }
        )
    return tables


def populations(seed: int = 0) -> list[dict[str, np.ndarray]]:
    rng = np.random.default_rng(seed)
    record = np.arange(10_000, 10_000 + RECORDS)
    easy = rng.normal(size=RECORDS)
    tables = []
    for _ in range(SHADOWS):
        seen = np.zeros(RECORDS, dtype=np.uint8)
        order = rng.permutation(RECORDS)
        seen[order[:400]], seen[order[400:450]] = 1, 2
        phi = easy + 2.0 * (seen == 1) + 0.5 * rng.normal(size=RECORDS)
        tables.append({"record": record, "phi": phi.astype(np.float32), "seen": seen})
    return tables


def test_a_tenth_of_the_records_is_drawn_whatever_the_shadows() -> None:
    record = np.array([5, 700, 12, 5])
    few = drawn(record, 3)
    many = drawn(np.arange(5000), 3)
    np.testing.assert_array_equal(few, many[record])
    assert 0.085 < (many < SHARE).mean() < 0.115
    assert (drawn(record, 4) != few).any()


def test_no_fit_uses_a_record_that_another_shadow_is_judged_on() -> None:
    tables = shadow_signals()
    shadows = Shadows(tables, 7)
    record = np.concatenate([one["record"] for one in tables])
    kept = drawn(record, 7) >= SHARE
    assert len(shadows.for_fit.member) == kept.sum()
    logits = np.concatenate([one["logits"] for one in tables])
    np.testing.assert_array_equal(shadows.for_fit.queries.logits, logits[kept])
    assert not set(record[kept]) & set(record[~kept])


def test_the_rows_of_a_fit_are_as_many_as_pages_tell() -> None:
    tables = []
    for number in (1, 2, 3):
        record = split(RECORDS, number, 7).own
        empty = np.zeros((len(record), CLASSES), dtype=np.float32)
        label = np.zeros(len(record), dtype=np.int64)
        tables.append({"record": record, "member": label, "label": label, "logits": empty})
    assert len(Shadows(tables, 7).for_fit.member) == rows_for_fits(RECORDS, 3, 7)


@pytest.mark.parametrize("name", ALONE)
def test_an_estimate_is_the_accuracy_on_records_not_used(name: str) -> None:
    tables = shadow_signals()
    attack = get_attack(name)
    assert isinstance(attack, Attack)
    fitted, estimate = fit_alone(name, attack, Shadows(tables, 7), FitSettings())
    assert estimate is not None
    joined = {key: np.concatenate([one[key] for one in tables]) for key in tables[0]}
    held = drawn(joined["record"], 7) < SHARE
    queries = Queries(joined["logits"], joined["sensitivity"], joined["label"]).take(held)
    score = attack.score(fitted, queries)
    member = joined["member"][held].astype(bool)
    assert estimate["accuracy"] == pytest.approx(
        balanced_accuracy(attack.decide(fitted, queries, score), member)
    )
    assert estimate["members"] == member.sum()
    assert estimate["records"] == len(np.unique(joined["record"][held]))
    assert 0 < estimate["standard_error"] < 0.1
    assert (score[~member] > estimate["low_fpr_limit"]).mean() <= 0.01


@pytest.mark.parametrize("name", COMPARED)
def test_a_reference_attack_is_judged_on_each_shadow_in_turn(name: str) -> None:
    tables = populations()
    attack = get_attack(name)
    assert isinstance(attack, ReferenceAttack)
    fitted, estimate = fit_compared(name, attack, tables, 7)
    assert estimate is not None
    held = drawn(tables[0]["record"], 7) < SHARE
    whole = ReferenceShadows.from_arrays(tables)
    expected = attack.fit(whole.take(~held))
    np.testing.assert_array_equal(fitted["thresholds"], expected["thresholds"])
    right: dict[bool, list[bool]] = {True: [], False: []}
    for shadow in range(SHADOWS):
        queries, member = whole.as_target(shadow)
        said = attack.decide(fitted, queries, attack.score(fitted, queries))
        among = held[whole.judged(shadow)]
        for inside in (True, False):
            right[inside] += (said[among & (member == inside)] == inside).tolist()
    accuracy = (np.mean(right[True]) + np.mean(right[False])) / 2
    assert estimate["accuracy"] == pytest.approx(accuracy)
    assert (estimate["members"], estimate["non_members"]) == (len(right[True]), len(right[False]))
    assert estimate["accuracy"] > 0.7


def test_held_out_records_do_not_change_a_fit() -> None:
    """Whatever the shadows answer on them."""
    tables = shadow_signals()
    attack = get_attack("conf")
    assert isinstance(attack, Attack)
    fitted, estimate = fit_alone("conf", attack, Shadows(tables, 7), FitSettings())
    for table in tables:
        table["logits"][drawn(table["record"], 7) < SHARE] *= -1
    again, other = fit_alone("conf", attack, Shadows(tables, 7), FitSettings())
    np.testing.assert_array_equal(fitted["thresholds"], again["thresholds"])
    assert estimate != other


def test_of_many_rows_some_are_judged_by_whole_records(monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = np.random.default_rng(0).random(50_000)
    assert len(judged_rows(numbers)) == (numbers < SHARE).sum()
    monkeypatch.setattr(held_out, "MOST", 1000)
    some = judged_rows(numbers)
    assert 900 < len(some) < 1100
    assert numbers[some].max() < SHARE
    assert 200 < len(judged_rows(numbers, 4)) < 300


@pytest.mark.parametrize("members", [0, 400])
def test_without_both_groups_there_is_no_estimate(members: int) -> None:
    tables: list[dict[str, Any]] = shadow_signals()[:1]
    held = drawn(tables[0]["record"], 7) < SHARE
    tables[0]["member"] = np.where(held, members > 0, tables[0]["member"]).astype(np.uint8)
    attack = get_attack("corr")
    assert isinstance(attack, Attack)
    assert fit_alone("corr", attack, Shadows(tables, 7), FitSettings())[1] is None
