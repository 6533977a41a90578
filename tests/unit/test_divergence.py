"""Gaps and distances against hand-computed values, scipy and a loop over records."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.spatial.distance import jensenshannon
from scipy.stats import entropy, wasserstein_distance

from prunepriv.divergence import (
    BINS,
    density,
    gaps,
    jensen_shannon,
    kullback_leibler,
    shared_edges,
    wasserstein,
)

histogram = hnp.arrays(np.int64, 6, elements=st.integers(0, 50)).filter(lambda h: h.sum() > 0)
reals = st.floats(-1e6, 1e6)


def drawn(n: int = 600, classes: int = 4, seed: int = 0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    member = rng.random(n) < 0.5
    return {
        "member": member,
        "label": rng.integers(0, classes, n),
        "confidence": rng.beta(2 + 4 * member, 2),
        "label_sensitivity": rng.gamma(1 + ~member, 0.3),
        "correct": rng.random(n) < 0.6 + 0.3 * member,
    }


def test_gaps_are_means_of_members_minus_non_members() -> None:
    data = drawn()
    rows = gaps(**data, classes=4)
    assert [row["class"] for row in rows] == [None, 0, 1, 2, 3]
    for row in rows:
        chosen = [i for i in range(600) if row["class"] is None or data["label"][i] == row["class"]]
        ours = [i for i in chosen if data["member"][i]]
        theirs = [i for i in chosen if not data["member"][i]]
        assert (row["members"], row["non_members"]) == (len(ours), len(theirs))
        for column, name, gap in (
            ("confidence", "confidence", "confidence"),
            ("label_sensitivity", "sensitivity", "sensitivity"),
            ("correct", "accuracy", "generalization"),
        ):
            a = math.fsum(data[column][i] for i in ours) / len(ours)
            b = math.fsum(data[column][i] for i in theirs) / len(theirs)
            assert row[f"{name}_members"] == pytest.approx(a)
            assert row[f"{name}_non_members"] == pytest.approx(b)
            assert row[gap] == pytest.approx(a - b)


def test_distances_of_a_class_are_scipys() -> None:
    data = drawn()
    row = gaps(**data, classes=4)[3]
    inside = (data["label"] == 2) & data["member"]
    outside = (data["label"] == 2) & ~data["member"]
    top = data["label_sensitivity"].max()
    for name, column, high in (
        ("confidence", "confidence", 1.0),
        ("sensitivity", "label_sensitivity", top),
    ):
        p, q = (np.histogram(data[column][g], BINS, (0, high))[0] for g in (inside, outside))
        assert row[f"{name}_js"] == pytest.approx(jensenshannon(p, q, base=2) ** 2)
        assert row[f"{name}_kl"] == pytest.approx(entropy(p + 0.5, q + 0.5, base=2))
        expected = wasserstein_distance(data[column][inside], data[column][outside])
        assert row[f"{name}_wasserstein"] == pytest.approx(expected)


def test_a_class_without_members_or_records() -> None:
    row = {
        "member": np.array([True, True, False, False]),
        "label": np.array([0, 0, 0, 1]),
        "confidence": np.array([0.9, 0.8, 0.3, 0.4]),
        "label_sensitivity": np.array([0.1, 0.1, 0.2, 0.3]),
        "correct": np.array([True, True, False, True]),
    }
    _, first, second, third = gaps(**row, classes=3)
    assert first["confidence"] == pytest.approx(0.55)
    assert (second["members"], second["non_members"]) == (0, 1)
    assert second["confidence_members"] is None
    assert second["confidence_non_members"] == pytest.approx(0.4)
    assert (third["members"], third["non_members"]) == (0, 0)
    for lacking in (second, third):
        for name in ("confidence", "sensitivity", "generalization", "confidence_js"):
            assert lacking[name] is None


def test_rows_are_plain_json() -> None:
    rows = gaps(**drawn(n=40, classes=12), classes=15)
    assert json.loads(json.dumps(rows, allow_nan=False)) == rows


def test_equal_groups_have_no_gap_and_no_distance() -> None:
    data = drawn(n=100)
    doubled = {name: np.concatenate([column, column]) for name, column in data.items()}
    doubled["member"] = np.arange(200) < 100
    for row in gaps(**doubled, classes=4):
        for name in ("confidence", "sensitivity", "generalization"):
            assert row[name] == pytest.approx(0, abs=1e-12)
        for name in ("confidence_js", "confidence_kl", "sensitivity_js", "sensitivity_wasserstein"):
            assert row[name] == pytest.approx(0, abs=1e-12)


@given(st.permutations(range(60)))
def test_order_of_records_does_not_matter(order: list[int]) -> None:
    data = drawn(n=60)
    shuffled = {name: column[order] for name, column in data.items()}
    for ours, theirs in zip(gaps(**data, classes=4), gaps(**shuffled, classes=4), strict=True):
        assert ours == pytest.approx(theirs)


def test_refuses_what_is_not_finite_or_not_aligned() -> None:
    data = drawn(n=20)
    data["confidence"][3] = np.nan
    with pytest.raises(ValueError, match="confidence must be finite"):
        gaps(**data, classes=4)
    with pytest.raises(ValueError, match="equally long"):
        gaps(**{**drawn(n=20), "label": np.zeros(19, np.int64)}, classes=4)


def test_kullback_leibler_by_hand() -> None:
    # frequencies (1/2, 1/2) against (1/4, 3/4)
    expected = 0.5 * math.log2(2) + 0.5 * math.log2(2 / 3)
    assert kullback_leibler(np.array([2, 2]), np.array([1, 3]), 0.0) == pytest.approx(expected)
    # one half added to each bin: (2.5, 0.5) / 3 against (0.5, 2.5) / 3
    expected = (2.5 * math.log2(5) - 0.5 * math.log2(5)) / 3
    assert kullback_leibler(np.array([2, 0]), np.array([0, 2])) == pytest.approx(expected)
    assert kullback_leibler(np.array([1, 1]), np.array([1, 0]), 0.0) == math.inf


def test_jensen_shannon_by_hand() -> None:
    # (1, 0) against (1/2, 1/2): entropy of the mean (3/4, 1/4) minus the mean entropy 1/2
    middle = -(0.75 * math.log2(0.75) + 0.25 * math.log2(0.25))
    assert jensen_shannon(np.array([4, 0]), np.array([3, 3])) == pytest.approx(middle - 0.5)
    assert jensen_shannon(np.array([5, 0]), np.array([0, 1])) == 1


@given(histogram, histogram)
def test_laws_of_distances(p: np.ndarray, q: np.ndarray) -> None:
    js = jensen_shannon(p, q)
    assert 0 <= js <= 1
    assert js == pytest.approx(jensen_shannon(q, p))
    assert js == pytest.approx(jensenshannon(p, q, base=2) ** 2, abs=1e-9)
    assert jensen_shannon(p, 3 * p) == pytest.approx(0, abs=1e-12)
    assert 0 <= kullback_leibler(p, q) < math.inf


@given(hnp.arrays(np.float64, 8, elements=reals), hnp.arrays(np.float64, 5, elements=reals))
def test_shared_edges_cover_everything(a: np.ndarray, b: np.ndarray) -> None:
    edges = shared_edges(a, b, bins=12)
    assert len(edges) == 13
    assert (np.diff(edges) > 0).all()
    for values in (a, b):
        area = (density(values, edges) * np.diff(edges)).sum()
        assert area == pytest.approx(1)


def test_edges_with_given_ends_and_of_nothing() -> None:
    np.testing.assert_allclose(
        shared_edges(np.array([0.2]), bins=4, low=0, high=1), np.arange(5) / 4
    )
    np.testing.assert_allclose(shared_edges(np.array([]), bins=2), [0, 0.5, 1])


def test_density_by_hand() -> None:
    edges = np.array([0.0, 0.5, 1.0])
    np.testing.assert_allclose(density(np.array([0.1, 0.2, 0.9, 0.6]), edges), [1, 1])
    np.testing.assert_allclose(density(np.array([0.1, 0.2, 0.9, 7.0]), edges), [1, 0.5])
    np.testing.assert_array_equal(density(np.array([]), edges), [0, 0])


@given(hnp.arrays(np.float64, st.integers(1, 40), elements=reals), st.integers(1, 39))
def test_wasserstein_is_scipys_to_the_last_bit(values: np.ndarray, cut: int) -> None:
    ours, theirs = values[:cut], values[cut:] if cut < len(values) else values
    assert wasserstein(ours, theirs) == wasserstein_distance(ours, theirs)
