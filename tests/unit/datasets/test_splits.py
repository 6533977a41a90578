from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.model_selection import train_test_split

from prunepriv.datasets import Split, split
from prunepriv.errors import ExperimentError

counts = st.integers(40, 700)
numbers = st.integers(1, 6)
seeds = st.integers(0, 2**31 - 1)


def records(part: Split) -> np.ndarray:
    return np.concatenate([part.train, part.validation, part.test])


@given(counts, numbers, seeds)
def test_target_and_shadows_never_share_a_record(n: int, number: int, seed: int):
    target, shadow = split(n, 0, seed), split(n, number, seed)
    assert not set(records(target)) & set(records(shadow))
    assert set(records(shadow)) == set(records(split(n, 1, seed))), "shadows share their half"


@given(counts, st.integers(0, 6), seeds)
def test_within_a_model_every_record_has_one_role(n: int, number: int, seed: int):
    model = records(split(n, number, seed))
    assert len(set(model)) == len(model) == n // 2
    assert model.min() >= 0
    assert model.max() < n


@given(counts, numbers, seeds)
def test_parts_are_45_10_45_per_cent(n: int, number: int, seed: int):
    target, shadow = split(n, 0, seed), split(n, number, seed)
    half = n // 2
    assert abs(len(target.train) - 0.45 * half) < 2
    assert abs(len(target.test) - 0.45 * half) < 1
    assert abs(len(target.validation) - 0.10 * half) < 2
    for name, part in shadow.to_arrays().items():
        assert part.shape == target.to_arrays()[name].shape
        assert part.dtype == np.int64


@given(counts, seeds)
def test_a_limit_keeps_the_first_shuffled_records(n: int, seed: int):
    limits = range(40, n + 1, 100)
    kept = [
        {*records(split(n, 0, seed, limit=limit)), *records(split(n, 1, seed, limit=limit))}
        for limit in limits
    ]
    assert [len(both) for both in kept] == list(limits)
    assert all(few <= more for few, more in pairwise(kept))
    for limit in (n, n + 1):
        np.testing.assert_array_equal(split(n, 0, seed, limit=limit).train, split(n, 0, seed).train)


def test_a_limit_takes_records_from_the_whole_file():
    """A file may be sorted by class: half of 100 of 5,000 records come from its second half."""
    kept = np.concatenate(
        [records(split(5000, number, s, limit=100)) for s in range(9) for number in (0, 1)]
    )
    assert abs((kept >= 2500).mean() - 0.5) < 0.1


@given(st.integers(20, 350).map(lambda half: 2 * half), st.integers(0, 2**31 - 1))
def test_the_release_splits_by_scikit_learn_in_the_same_way(n: int, seed: int):
    target, others = train_test_split(np.arange(n), test_size=0.5, random_state=seed)
    sources = [(target, seed), *((others, seed + k) for k in range(3))]
    for number, (half, state) in enumerate(sources):
        found = split(n, number, seed)
        rest, expected = train_test_split(half, test_size=0.45, random_state=state)
        np.testing.assert_array_equal(found.test, expected)
        expected = train_test_split(rest, test_size=0.1818, random_state=state)
        np.testing.assert_array_equal(found.train, expected[0])
        np.testing.assert_array_equal(found.validation, expected[1])


def test_only_the_seed_and_the_number_decide():
    first, again = split(5010, 1, 7), split(5010, 1, 7)
    for name, array in first.to_arrays().items():
        np.testing.assert_array_equal(array, again.to_arrays()[name])
        assert (array != split(5010, 1, 8).to_arrays()[name]).any()
        assert (array != split(5010, 2, 7).to_arrays()[name]).any()


def test_location_sizes():
    parts = split(5010, 0, 7)
    assert [len(p) for p in (parts.train, parts.validation, parts.test)] == [1126, 251, 1128]


def test_every_record_is_a_member_as_often_as_another():
    """Of 400 seeds each record of 60 is a member in 400 x 13/60 = 87 (standard deviation 8)."""
    member = np.zeros(60)
    for seed in range(400):
        member[split(60, 0, seed).train] += 1
    assert abs(member - 400 * 13 / 60).max() < 5 * 8.3


def test_arrays_bring_back_the_same_split():
    parts = split(100, 3, 1)
    back = Split.from_arrays(parts.to_arrays())
    for name, array in parts.to_arrays().items():
        assert getattr(back, name) is array


@pytest.mark.parametrize(("n", "limit"), [(39, None), (5010, 39), (0, None)])
def test_too_few_records(n: int, limit: int | None):
    with pytest.raises(ExperimentError, match=f"needs at least 40 records, got {limit or n}: "):
        split(n, 5, 7, limit)


def test_the_half_and_how_a_model_used_its_records() -> None:
    for number in range(4):
        part = split(101, number, seed=5)
        half, used = part.half, part.used
        assert np.array_equal(half, np.unique(records(part)))
        assert (half.dtype, used.dtype, used.shape) == (np.int64, np.uint8, half.shape)
        for code, name in enumerate(("test", "train", "validation")):
            assert set(half[used == code]) == set(getattr(part, name))
        assert np.array_equal(part.own, np.concatenate([part.train, part.test]))
