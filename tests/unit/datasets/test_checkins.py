from __future__ import annotations

from pathlib import Path

import numpy as np

from prunepriv.datasets import load
from prunepriv.datasets.archives import ARCHIVES
from prunepriv.datasets.checkins import draw, generate
from prunepriv.datasets.tabular import location


def accuracy_on_non_members(distinctiveness: float) -> float:
    """Accuracy of naive Bayes on people that it did not learn from: an independent measure."""
    x, y = generate(distinctiveness)
    known = np.arange(len(y)) % 2 == 0
    visits = np.stack([x[known & (y == group)].mean(axis=0) for group in range(30)])
    visits = visits.clip(0.01, 0.99)
    likely = x[~known] @ np.log(visits).T + (1 - x[~known]) @ np.log(1 - visits).T
    return float((likely.argmax(axis=1) == y[~known]).mean())


def test_the_more_distinctive_people_are_the_lower_is_the_accuracy_on_non_members():
    alike, some, half, most, alone = (accuracy_on_non_members(d) for d in (0, 0.25, 0.5, 0.75, 1))
    assert alike > some > half > most > alone
    assert alike > 0.95
    assert 0.5 < half < 0.85
    assert alone < 0.08  # chance: one in thirty, or the largest group


def test_visits_per_person_are_within_the_bounds_of_location():
    x, _ = generate(0.5)
    visits = x.sum(axis=1)
    assert visits.min() == 21
    assert visits.max() <= 205


def test_places_are_drawn_in_proportion_to_their_weights():
    rng = np.random.default_rng(1)
    weights = np.tile(np.array([1, 2, 5], dtype=np.float32), (40_000, 1))
    one = draw(rng, weights, np.ones(40_000, dtype=int))
    assert (one.sum(axis=1) == 1).all()
    np.testing.assert_allclose(one.mean(axis=0), [1 / 8, 2 / 8, 5 / 8], atol=0.01)
    two = draw(rng, weights, np.full(40_000, 2))
    # without replacement: place 0 is second to 1 or to 2, or first
    expected = 1 / 8 + 2 / 8 * 1 / 6 + 5 / 8 * 1 / 3
    assert abs(two.mean(axis=0)[0] - expected) < 0.01


def test_its_statistics_are_close_to_those_of_location(location_archive: Path):
    both = [location(ARCHIVES["location"], location_archive.parent), generate(0.5)]
    (real_visits, visits), (real_popular, popular), (real_sizes, sizes) = (
        [measure(x, y) for x, y in both]
        for measure in (
            lambda x, y: x.sum(axis=1),
            lambda x, y: np.quantile(x.mean(axis=0), [0.1, 0.25, 0.5, 0.75, 0.9, 0.95]),
            lambda x, y: np.bincount(y),
        )
    )
    assert abs(visits.mean() - real_visits.mean()) < 2
    assert abs(visits.std() - real_visits.std()) < 2
    np.testing.assert_allclose(popular, real_popular, rtol=0.3)
    assert abs(sizes.std() - real_sizes.std()) < 15
    assert abs(sizes.min() - real_sizes.min()) < 30


def test_the_default_knob_is_the_one_that_is_compared_with_location(tmp_path: Path):
    np.testing.assert_array_equal(load("checkins", {}, tmp_path).x, generate(0.5)[0])
