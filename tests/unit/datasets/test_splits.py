from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.model_selection import train_test_split

from prunepriv.datasets import Splits, split
from prunepriv.errors import ExperimentError

counts = st.integers(40, 700)
shadow_counts = st.integers(1, 6)
seeds = st.integers(0, 2**31 - 1)


def records_by_model(parts: Splits) -> list[np.ndarray]:
    """Train, validation and test records of each model, the target first."""
    target = [parts.target_train, parts.target_validation, parts.target_test]
    shadows = zip(parts.shadow_train, parts.shadow_validation, parts.shadow_test, strict=True)
    return [np.concatenate(model) for model in [target, *shadows]]


@given(counts, shadow_counts, seeds)
def test_target_and_shadows_never_share_a_record(n: int, shadows: int, seed: int):
    target, *others = records_by_model(split(n, shadows, seed))
    assert len(others) == shadows
    for shadow in others:
        assert not set(target) & set(shadow)
        assert set(shadow) == set(others[0])


@given(counts, shadow_counts, seeds)
def test_within_a_model_every_record_has_one_role(n: int, shadows: int, seed: int):
    for model in records_by_model(split(n, shadows, seed)):
        assert len(set(model)) == len(model) == n // 2
        assert model.min() >= 0
        assert model.max() < n


@given(counts, seeds)
def test_parts_are_45_10_45_per_cent(n: int, seed: int):
    parts = split(n, 2, seed)
    half = n // 2
    assert abs(len(parts.target_train) - 0.45 * half) < 2
    assert abs(len(parts.target_test) - 0.45 * half) < 1
    assert abs(len(parts.target_validation) - 0.10 * half) < 2
    for role in ("train", "validation", "test"):
        arrays = parts.to_arrays()
        assert arrays[f"shadow_{role}"].shape == (2, len(arrays[f"target_{role}"]))
        assert arrays[f"shadow_{role}"].dtype == np.int64


@given(counts, st.integers(1, 5), seeds)
def test_another_shadow_changes_no_other_split(n: int, shadows: int, seed: int):
    few, more = split(n, shadows, seed), split(n, shadows + 1, seed)
    for name, array in few.to_arrays().items():
        other = more.to_arrays()[name]
        np.testing.assert_array_equal(
            array, other[:shadows] if name.startswith("shadow") else other
        )


@given(counts, seeds)
def test_a_limit_keeps_the_first_shuffled_records(n: int, seed: int):
    limits = range(40, n + 1, 100)
    kept = [
        set(np.concatenate(records_by_model(split(n, 1, seed, limit=limit)))) for limit in limits
    ]
    assert [len(records) for records in kept] == list(limits)
    assert all(few <= more for few, more in pairwise(kept))
    for limit in (n, n + 1):
        np.testing.assert_array_equal(
            split(n, 1, seed, limit=limit).target_train, split(n, 1, seed).target_train
        )


def test_a_limit_takes_records_from_the_whole_file():
    """A file may be sorted by class: half of 100 of 5,000 records come from its second half."""
    kept = np.concatenate(
        [np.concatenate(records_by_model(split(5000, 1, s, limit=100))) for s in range(9)]
    )
    assert abs((kept >= 2500).mean() - 0.5) < 0.1


@given(st.integers(20, 350).map(lambda half: 2 * half), st.integers(0, 2**31 - 1))
def test_the_release_splits_by_scikit_learn_in_the_same_way(n: int, seed: int):
    target, others = train_test_split(np.arange(n), test_size=0.5, random_state=seed)
    parts = split(n, 3, seed)
    found = [(parts.target_train, parts.target_validation, parts.target_test)]
    found += zip(parts.shadow_train, parts.shadow_validation, parts.shadow_test, strict=True)
    sources = [(target, seed), *((others, seed + k) for k in range(3))]
    for (records, state), (train, validation, test) in zip(sources, found, strict=True):
        rest, expected = train_test_split(records, test_size=0.45, random_state=state)
        np.testing.assert_array_equal(test, expected)
        expected = train_test_split(rest, test_size=0.1818, random_state=state)
        np.testing.assert_array_equal(train, expected[0])
        np.testing.assert_array_equal(validation, expected[1])


def test_only_the_seed_decides():
    first, again, other = split(5010, 5, 7), split(5010, 5, 7), split(5010, 5, 8)
    for name, array in first.to_arrays().items():
        np.testing.assert_array_equal(array, again.to_arrays()[name])
        assert (array != other.to_arrays()[name]).any()
    assert (first.shadow_train[0] != first.shadow_train[1]).any()


def test_location_sizes():
    parts = split(5010, 5, 7)
    assert parts.shadows == 5
    sizes = [len(p) for p in (parts.target_train, parts.target_validation, parts.target_test)]
    assert sizes == [1126, 251, 1128]


def test_every_record_is_a_member_as_often_as_another():
    """Of 400 seeds each record of 60 is a member in 400 x 13/60 = 87 (standard deviation 8)."""
    member = np.zeros(60)
    for seed in range(400):
        member[split(60, 1, seed).target_train] += 1
    assert abs(member - 400 * 13 / 60).max() < 5 * 8.3


def test_arrays_bring_back_the_same_splits():
    parts = split(100, 3, 1)
    back = Splits.from_arrays(parts.to_arrays())
    for name, array in parts.to_arrays().items():
        assert getattr(back, name) is array


@pytest.mark.parametrize(("n", "limit"), [(39, None), (5010, 39), (0, None)])
def test_too_few_records(n: int, limit: int | None):
    with pytest.raises(ExperimentError, match=f"needs at least 40 records, got {limit or n}: "):
        split(n, 5, 7, limit)


def test_no_shadows():
    with pytest.raises(ExperimentError, match=r"shadows must be at least 1, .* got 0"):
        split(100, 0, 7)


def test_the_shadow_half_gives_how_each_shadow_used_a_record() -> None:
    parts = split(101, 3, seed=5)
    records, seen = parts.shadow_half()
    assert np.array_equal(records, np.unique(records))
    assert not set(records) & {*parts.target_train, *parts.target_validation, *parts.target_test}
    assert (records.dtype, seen.dtype, seen.shape) == (np.int64, np.uint8, (3, len(records)))
    for shadow, row in enumerate(seen):
        for code, part in enumerate(
            (parts.shadow_test, parts.shadow_train, parts.shadow_validation)
        ):
            assert set(records[row == code]) == set(part[shadow])
