"""Every check passes on a correct run, and fails on the mistake that it looks for."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations
from typing import Any

import numpy as np
import pytest
from scipy.stats import binomtest

from prunepriv import checks
from prunepriv.checks import Learning
from prunepriv.datasets.splits import Split, split
from prunepriv.options import ATTACKS


@pytest.fixture
def parts() -> list[Split]:
    """The splits of a target and three shadows."""
    return [split(400, number, seed=7) for number in range(4)]


def test_the_splits_of_the_program_are_disjoint(parts: list[Split]) -> None:
    check = checks.splits_disjoint(parts)
    assert check.passed is True
    assert "90 / 20 / 90" in check.detail
    assert "3 shadows" in check.detail


def planted(parts: list[Split], number: int, field: str, value: int) -> list[Split]:
    """The splits with another first record in one part of one model."""
    array = getattr(parts[number], field).copy()
    array[0] = value
    changed = list(parts)
    changed[number] = replace(parts[number], **{field: array})
    return changed


@pytest.mark.parametrize(
    ("number", "field", "other", "source"),
    [
        (0, "test", 0, "train"),
        (0, "validation", 0, "test"),
        (0, "train", 0, "validation"),
        (1, "test", 1, "train"),
        (3, "validation", 3, "train"),
        (2, "train", 0, "train"),
        (0, "test", 3, "validation"),
    ],
)
def test_one_shared_record_is_found(
    parts: list[Split], number: int, field: str, other: int, source: str
) -> None:
    shared = int(getattr(parts[other], source)[0])
    check = checks.splits_disjoint(planted(parts, number, field, shared))
    assert check.passed is False
    assert "none of it may be" in check.detail


def test_a_record_twice_in_one_part_is_found(parts: list[Split]) -> None:
    check = checks.splits_disjoint(planted(parts, 0, "test", int(parts[0].test[-1])))
    assert check.passed is False
    assert "1 twice in one" in check.detail


def test_answers_in_another_mode_are_found(rng: np.random.Generator) -> None:
    logits = rng.normal(0, 4, (32, 10)).astype(np.float32)
    rounded = logits + rng.normal(0, 1e-5, logits.shape)
    dropped = logits * (1 + 0.05 * rng.normal(size=logits.shape))
    alike = checks.eval_mode({"original": (logits, logits), "pruned": (logits, rounded)})
    assert alike.passed is True
    other = checks.eval_mode({"original": (logits, logits), "pruned": (logits, dropped)})
    assert other.passed is False
    assert "answers of pruned were" in other.detail
    nothing = checks.eval_mode({"pruned": (logits, np.full_like(logits, np.nan))})
    assert nothing.passed is False, "nan is not equal to any logits"


def test_answers_of_another_precision_are_found(rng: np.random.Generator) -> None:
    logits = rng.normal(0, 4, (32, 10)).astype(np.float32)
    coarse = logits * (1 + rng.uniform(-1, 1, logits.shape) * 2**-7)  # as bfloat16 rounds
    assert checks.eval_mode({"pruned": (logits, coarse)}).passed is False


def test_fits_that_read_more_than_shadows_are_found() -> None:
    cut = np.array([0.5, 0.25])
    good = checks.thresholds_from_shadows(2, [], {"conf": (cut, cut.copy())})
    assert good.passed is True
    assert good.detail.startswith("2 fits were given shadows' answers only")
    peeked = checks.thresholds_from_shadows(2, ["signals pruned target"], {})
    assert peeked.passed is False
    assert peeked.detail == "Fits read signals pruned target as well."


@pytest.mark.parametrize("used", [[0.5, 0.26], [0.5], [0.5, 0.25, 0.1]])
def test_thresholds_of_other_records_are_found(used: list[float]) -> None:
    fitted = np.array([0.5, 0.25])
    check = checks.thresholds_from_shadows(
        1, [], {"conf:pruned:adaptive": (np.array(used), fitted)}
    )
    assert check.passed is False
    assert "conf:pruned:adaptive" in check.detail


def model(rng: np.random.Generator) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    masks = {"a.weight": rng.random((8, 5)) > 0.7, "norm.weight": rng.random(8) > 0.5}
    weights = {name: np.where(kept, 1.5, 0.0) for name, kept in masks.items()}
    return {**weights, "b.weight": np.ones((3, 8))}, masks


def report_of(masks: dict[str, np.ndarray]) -> dict[str, Any]:
    gone = float((~masks["a.weight"]).mean())
    return {"sparsity": gone * 40 / 64, "layers": {"a": gone, "b": 0.0}}


def test_exact_masks_pass_and_are_counted(rng: np.random.Generator) -> None:
    weights, masks = model(rng)
    count = checks.count_masks(weights, masks, report_of(masks))
    assert count.removed == sum((~kept).sum() for kept in masks.values())
    assert (count.nonzero, count.apart) == (0, pytest.approx(0))
    check = checks.masks_exact({"pruned": count})
    assert check.passed is True
    assert f"{count.removed:,}" in check.detail
    assert checks.masks_exact({}).passed is True


def test_counts_of_models_are_added_and_the_first_gives_the_sparsity() -> None:
    first, second = checks.MaskCount(10, 1, 0.0, 0.7), checks.MaskCount(20, 2, 0.25, 0.5)
    assert first + second == checks.MaskCount(30, 3, 0.25, 0.7)


@pytest.mark.parametrize("name", ["a.weight", "norm.weight"])
def test_one_removed_weight_that_is_not_zero_is_found(rng: np.random.Generator, name: str) -> None:
    weights, masks = model(rng)
    weights[name][tuple(np.argwhere(~masks[name])[-1])] = 1e-30
    count = checks.count_masks(weights, masks, report_of(masks))
    check = checks.masks_exact({"pruned": count})
    assert check.passed is False
    assert check.detail.startswith("1 of ")


@pytest.mark.parametrize("wrong", ["sparsity", "layers"])
def test_a_sparsity_that_was_not_achieved_is_found(rng: np.random.Generator, wrong: str) -> None:
    weights, masks = model(rng)
    told = report_of(masks) | {wrong: 0.9 if wrong == "sparsity" else {"a": 0.9, "b": 0.0}}
    count = checks.count_masks(weights, masks, told)
    assert checks.masks_exact({"pruned": count}).passed is False


def table(part: Split, labels: np.ndarray) -> dict[str, np.ndarray]:
    member = np.arange(len(part.own)) < len(part.train)
    return {"record": part.own, "label": labels[part.own], "member": member.astype(np.uint8)}


def test_rows_that_are_not_the_records_own_are_found(
    parts: list[Split], rng: np.random.Generator
) -> None:
    labels = rng.integers(0, 5, 400)
    own = table(parts[0], labels)
    train, test = parts[0].train, parts[0].test
    assert checks.misaligned(own, labels, train, test) == 0
    flipped = {**own, "member": own["member"].copy()}
    flipped["member"][[0, -1]] ^= 1
    assert checks.misaligned(flipped, labels, train, test) == 2
    shifted = {**own, "label": (own["label"] + 1) % 5}
    assert checks.misaligned(shifted, labels, train, test) == len(own["label"])
    wrong_part = {**own, "record": own["record"].copy()}
    wrong_part["record"][0] = parts[0].validation[0]
    assert checks.misaligned(wrong_part, labels, train, test) == 1


def test_the_check_of_membership_names_the_step() -> None:
    assert checks.membership_aligned({"original": 0, "pruned": 0}, 100).passed is True
    check = checks.membership_aligned({"original": 0, "pruned": 3}, 100)
    assert check.passed is False
    assert "3 of 100 rows" in check.detail
    assert "(pruned)" in check.detail


@pytest.mark.parametrize("chance", [0.01, 0.1, 0.5, 0.97])
@pytest.mark.parametrize("records", [1, 54, 1500])
def test_chance_is_left_behind_as_the_exact_binomial_test_says(records: int, chance: float) -> None:
    verdicts = set()
    for correct in range(records + 1):
        p = binomtest(correct, records, chance, alternative="greater").pvalue
        assert Learning(correct, records, chance).is_above_chance == (p < 0.05), correct
        verdicts.add(p < 0.05)
    assert verdicts == ({False} if chance**records > 0.05 else {False, True})


def answers(answer: np.ndarray, label: np.ndarray, members: int = 7) -> dict[str, np.ndarray]:
    """Signals of a model; it is right on all members, which must not count."""
    classes = int(label.max()) + 1
    own = np.zeros(members, dtype=np.int64)
    return {
        "logits": np.eye(classes)[np.concatenate([own, answer])],
        "label": np.concatenate([own, label]),
        "member": (np.arange(members + len(label)) < members).astype(np.uint8),
    }


def test_chance_is_the_accuracy_of_the_same_answers_in_every_other_order() -> None:
    answer, label = np.array([0, 0, 1, 2]), np.array([0, 1, 1, 2])
    found = checks.learning(answers(answer, label))
    orders = [np.mean(np.array(order) == label) for order in permutations(answer)]
    assert found == Learning(3, 4, pytest.approx(np.mean(orders)))  # type: ignore[arg-type]
    assert found.words == "75.0 % (chance 31.2 %)"


@pytest.mark.parametrize("shares", [[0.5, 0.5], [0.9, 0.1], [0.1] * 10], ids=["2", "9to1", "10"])
def test_a_model_that_learnt_nothing_rarely_passes(
    rng: np.random.Generator, shares: list[float]
) -> None:
    classes = len(shares)
    passed = [
        checks.learning(
            answers(rng.choice(classes, 200, p=shares), rng.choice(classes, 200, p=shares))
        ).is_above_chance
        for _ in range(500)
    ]
    assert np.mean(passed) < 0.07


@pytest.mark.parametrize("share", [0.05, 0.5, 0.99])
def test_one_answer_for_all_records_is_no_learning(share: float) -> None:
    label = (np.arange(1000) >= 1000 * share).astype(np.int64)
    for answer in (0, 1):
        assert not checks.learning(answers(np.full(1000, answer), label)).is_above_chance


def test_a_rare_class_that_is_told_apart_is_learning() -> None:
    """Although always answering the frequent class would be right more often."""
    label = (np.arange(1000) < 50).astype(np.int64)
    answer = label.copy()
    answer[:10] = 0  # 10 of 50 missed
    answer[500:550] = 1  # 50 false alarms
    found = checks.learning(answers(answer, label))
    assert found.correct / 1000 < 1 - label.mean()
    assert found.is_above_chance


GOOD, BLANK = Learning(60, 90, 0.1), Learning(9, 90, 0.1)


def test_models_that_learnt_pass_with_their_accuracies() -> None:
    check = checks.models_learned(
        {"original": GOOD, "pruned": GOOD}, {"original": [GOOD] * 5, "pruned": [GOOD] * 5}
    )
    assert check.passed is True
    assert "original 66.7 % (chance 10.0 %) and pruned 66.7 %" in check.detail
    assert check.detail.endswith("So are all 10 shadows.")


def test_a_target_that_learnt_nothing_fails() -> None:
    check = checks.models_learned(
        {"original": GOOD, "pruned": BLANK}, {"original": [GOOD], "pruned": [GOOD]}
    )
    assert check.passed is False
    assert "these targets are right no more often than chance: pruned 10.0 %" in check.detail
    assert "original" not in check.detail
    assert "A low attack accuracy is not safety here" in check.detail


@pytest.mark.parametrize(("blank", "passed"), [(1, True), (2, True), (3, False), (5, False)])
def test_shadows_fail_if_half_of_a_kind_learnt_nothing(blank: int, passed: bool) -> None:
    shadows = [BLANK] * blank + [GOOD] * (5 - blank)
    check = checks.models_learned({"original": GOOD}, {"original": [GOOD] * 20, "pruned": shadows})
    assert check.passed is passed
    if passed:
        assert check.detail.endswith(f"So are {25 - blank} of 25 shadows.")
    else:
        assert f"chance: {blank} of 5 of pruned. A low attack" in check.detail


def test_what_the_adversary_knew_is_stated() -> None:
    done = {"approach": "l1_unstructured", "sparsity": 0.7}
    taken = {"approach": "l1_structured", "sparsity": 0.5}
    texts = [
        checks.adversary_knowledge(None, None).detail,
        checks.adversary_knowledge(done, None).detail,
        checks.adversary_knowledge(done, taken).detail,
    ]
    assert "Nothing was pruned" in texts[0]
    assert "L1 unstructured 70 %" in texts[1]
    assert "believes it was pruned by L1 structured 50 %" in texts[2]
    assert checks.adversary_knowledge(done, taken).passed is None


def test_attacks_that_were_not_run_are_named() -> None:
    check = checks.attacks_not_run([name for name in ATTACKS if name not in ("samia", "conf")])
    assert check.passed is None
    assert "Conf and SAMIA" in check.detail
    assert checks.attacks_not_run(list(ATTACKS)).detail == f"All {len(ATTACKS)} attacks were run."
