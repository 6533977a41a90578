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
from scipy.stats import (
    entropy,
    kstest,
    permutation_test,
    wasserstein_distance,
)

from prunepriv.divergence import (
    BINS,
    DRAWS,
    EDGES,
    chance,
    density,
    gaps,
    jensen_shannon,
    kullback_leibler,
    permuted,
    shared_edges,
    wasserstein,
)
from prunepriv.evaluation import benjamini_hochberg

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
    rows = gaps(**data, classes=4, seed=0)
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
    row = gaps(**data, classes=4, seed=0)[3]
    inside = (data["label"] == 2) & data["member"]
    outside = (data["label"] == 2) & ~data["member"]
    halves = [0.0, *(10.0 ** (power / 2) for power in range(-12, 7)), np.inf]
    for name, column, edges in (
        ("confidence", "confidence", np.arange(21) / 20),
        ("sensitivity", "label_sensitivity", np.array(halves)),
    ):
        assert len(edges) == BINS + 1
        p, q = (np.histogram(data[column][g], edges)[0] for g in (inside, outside))
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
    _, first, second, third = gaps(**row, classes=3, seed=0)
    assert first["confidence"] == pytest.approx(0.55)
    assert (second["members"], second["non_members"]) == (0, 1)
    assert second["confidence_members"] is None
    assert second["confidence_non_members"] == pytest.approx(0.4)
    assert (third["members"], third["non_members"]) == (0, 0)
    for lacking in (second, third):
        for name in ("confidence", "sensitivity", "generalization", "confidence_js"):
            assert lacking[name] is None
        for name in ("confidence_js_null", "confidence_js_null95", "sensitivity_wasserstein_p"):
            assert lacking[name] is None


def test_rows_are_plain_json() -> None:
    rows = gaps(**drawn(n=40, classes=12), classes=15, seed=0)
    assert json.loads(json.dumps(rows, allow_nan=False)) == rows


def test_equal_groups_have_no_gap_and_no_distance() -> None:
    data = drawn(n=100)
    doubled = {name: np.concatenate([column, column]) for name, column in data.items()}
    doubled["member"] = np.arange(200) < 100
    for row in gaps(**doubled, classes=4, seed=0):
        for name in ("confidence", "sensitivity", "generalization"):
            assert row[name] == pytest.approx(0, abs=1e-12)
        for name in ("confidence_js", "confidence_kl", "sensitivity_js", "sensitivity_wasserstein"):
            assert row[name] == pytest.approx(0, abs=1e-12)


@given(st.permutations(range(60)))
def test_order_of_records_does_not_matter(order: list[int]) -> None:
    data = drawn(n=60)
    shuffled = {name: column[order] for name, column in data.items()}
    for ours, theirs in zip(
        gaps(**data, classes=4, seed=0), gaps(**shuffled, classes=4, seed=0), strict=True
    ):
        for name, value in ours.items():
            assert value == pytest.approx(theirs[name]), name


def test_refuses_what_is_not_finite_or_not_aligned() -> None:
    data = drawn(n=20)
    data["confidence"][3] = np.nan
    with pytest.raises(ValueError, match="confidence must be finite"):
        gaps(**data, classes=4, seed=0)
    with pytest.raises(ValueError, match="equally long"):
        gaps(**{**drawn(n=20), "label": np.zeros(19, np.int64)}, classes=4, seed=0)


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


# --- chance ---


def _histograms(values: np.ndarray, others: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    edges = EDGES["sensitivity"]
    return np.histogram(values, edges)[0], np.histogram(others, edges)[0]


STATISTICS = {
    "js": lambda values, others: jensen_shannon(*_histograms(values, others)),
    "kl": lambda values, others: kullback_leibler(*_histograms(values, others)),
    "wasserstein": wasserstein,
}


@pytest.mark.parametrize("distance", list(STATISTICS))
@pytest.mark.parametrize(("members", "others"), [(4, 6), (7, 3), (5, 5)])
def test_chance_is_scipys_permutation_test(distance: str, members: int, others: int) -> None:
    """Scipy enumerates all permutations of so few records."""
    rng = np.random.default_rng(members)
    values = rng.lognormal(1, 2, members), rng.lognormal(0, 2, others)
    exact = permutation_test(
        values, STATISTICS[distance], alternative="greater", n_resamples=np.inf
    )
    pooled = np.sort(np.concatenate(values))
    drawn_null = permuted(
        [pooled], [EDGES["sensitivity"]], members, 20_000, np.random.default_rng(1)
    )[0][distance]
    mean, band, p = chance(STATISTICS[distance](*values), drawn_null)
    scale = exact.null_distribution.std()
    assert mean == pytest.approx(exact.null_distribution.mean(), abs=0.03 * scale)
    # few permutations: the ends of the band are between neighbouring values of the distribution
    for end, share in zip(band, (0.025, 0.975), strict=True):
        near = np.quantile(exact.null_distribution, [share - 0.01, share + 0.01])
        assert near[0] - 1e-9 <= end <= near[1] + 1e-9
    assert p == pytest.approx(exact.pvalue, abs=0.015)


def test_rows_hold_the_band_of_their_own_group() -> None:
    """A class is permuted within itself, and every record once more for the first row."""
    data = drawn(n=300, classes=3)
    rows = gaps(**data, classes=3, seed=5)
    for row in rows:
        chosen = np.ones(300, bool) if row["class"] is None else data["label"] == row["class"]
        member, rng = data["member"][chosen], np.random.default_rng(9)
        for name, column in (("confidence", "confidence"), ("sensitivity", "label_sensitivity")):
            values, null = data[column][chosen], []
            for _ in range(400):
                mixed = rng.permutation(member)
                counts = [np.histogram(values[g], EDGES[name])[0] for g in (mixed, ~mixed)]
                null.append(jensen_shannon(*counts))
            spread = np.std(null)
            assert row[f"{name}_js_null"] == pytest.approx(np.mean(null), abs=0.25 * spread)
            for end, share in zip(row[f"{name}_js_null95"], (0.025, 0.975), strict=True):
                assert end == pytest.approx(np.quantile(null, share), abs=spread)


def test_p_is_uniform_where_membership_means_nothing() -> None:
    rng = np.random.default_rng(0)
    found: dict[str, list[float]] = {"js": [], "kl": [], "wasserstein": []}
    for seed in range(3):
        n, classes = 6_000, 100
        data = {
            "member": rng.random(n) < 0.4,
            "label": rng.integers(0, classes, n),
            "confidence": rng.beta(3, 2, n),
            "label_sensitivity": rng.lognormal(-2, 2, n),
            "correct": np.ones(n, bool),
        }
        for row in gaps(**data, classes=classes, seed=seed)[1:]:
            for distance, known in found.items():
                known.append(row[f"confidence_{distance}_p"])
    for known in found.values():
        assert len(known) == 300
        assert kstest(known, "uniform").pvalue > 0.01
        assert np.mean(np.array(known) <= 0.05) == pytest.approx(0.05, abs=0.03)


def test_a_value_on_an_edge_is_drawn_into_the_bin_that_it_is_counted_in() -> None:
    pooled = np.array([0.5, 0.5, 0.52, 0.52])
    assert np.histogram(pooled, EDGES["confidence"])[0].max() == 4
    null = permuted([pooled], [EDGES["confidence"]], 2, 50, np.random.default_rng(0))[0]
    assert (null["js"] == 0).all()
    assert null["wasserstein"].max() > 0


def test_p_is_never_zero_and_a_draw_that_equals_the_value_counts() -> None:
    null = np.array([0.3, 0.1, 0.1 + 0.2, 0.5])
    assert chance(0.3, null)[2] == (1 + 3) / 5, "0.1 + 0.2 is 0.3, but for its rounding"
    assert chance(9.0, null)[2] == 1 / 5
    pair = {
        "member": np.array([True, False]),
        "label": np.array([0, 0]),
        "confidence": np.array([0.9, 0.3]),
        "label_sensitivity": np.array([0.1, 3.0]),
        "correct": np.array([True, False]),
    }
    for row in gaps(**pair, classes=1, seed=0):
        for name in ("confidence_js", "sensitivity_kl", "sensitivity_wasserstein"):
            assert row[f"{name}_p"] == 1, "both orders are equally far apart"
            assert row[f"{name}_null95"] == pytest.approx([row[name]] * 2)


def test_few_records_of_one_distribution_are_far_apart_by_chance() -> None:
    data = drawn(n=200, classes=10)
    data["confidence"] = np.random.default_rng(1).random(200)
    rows = gaps(**data, classes=10, seed=0)
    assert rows[0]["confidence_js_null"] < 0.1
    for row in rows[1:]:
        assert row["confidence_js_null"] > 0.2
        low, high = row["confidence_js_null95"]
        assert low < row["confidence_js_null"] < high


def test_one_class_alone_can_be_named() -> None:
    """The smallest p must be within 5 % divided by the number of classes."""
    for classes in (3, 60):
        data = drawn(n=20 * classes, classes=classes)
        data["confidence"] = 0.1 + 0.8 * data["member"]
        p = np.array([row["confidence_js_p"] for row in gaps(**data, classes=classes, seed=0)])
        assert p[1:].min() <= 0.05 / classes
        assert p[0] == 1 / (1 + DRAWS)
        alone = np.where(np.arange(classes) == 1, p[1:].min(), 0.9)
        assert benjamini_hochberg(alone).tolist() == [one == 1 for one in range(classes)]


def test_the_seed_decides_the_draws() -> None:
    data = drawn(n=100)
    first, again, other = (gaps(**data, classes=4, seed=seed) for seed in (1, 1, 2))
    assert first == again
    assert first[2]["confidence_js_null"] != other[2]["confidence_js_null"]
    assert first[2]["confidence_js"] == other[2]["confidence_js"]


def test_an_outlier_moves_no_bin() -> None:
    """Bins up to the largest value would hold nearly all other sensitivities in one."""
    data = drawn(n=400)
    data["label_sensitivity"] = np.where(data["member"], 0.01, 0.5)
    assert gaps(**data, classes=4, seed=0)[0]["sensitivity_js"] == 1
    data["label_sensitivity"][0] = 5_000.0
    assert gaps(**data, classes=4, seed=0)[0]["sensitivity_js"] == pytest.approx(1, abs=0.02)
    for value in (0.0, 1e-9, 1e9):
        assert np.histogram([value], EDGES["sensitivity"])[0].sum() == 1
