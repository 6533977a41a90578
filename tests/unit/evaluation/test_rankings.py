"""What comes first, and whether it is ahead of the next."""

from __future__ import annotations

import numpy as np
import pytest

from prunepriv.evaluation import apart, first_two, more_often

NAN = float("nan")


@pytest.mark.parametrize(
    ("values", "places"),
    [
        ([0.1, 0.3, 0.2], (1, 2)),
        ([0.3, 0.3, 0.2], (0, 1)),
        ([NAN, 0.1, NAN, 0.2], (3, 1)),
        ([NAN, 0.1], None),
        ([], None),
    ],
)
def test_the_first_two(values: list[float], places: tuple[int, int] | None) -> None:
    assert first_two(values) == places


def test_two_figures_of_other_records_are_apart_by_the_sum_of_their_variances() -> None:
    assert apart(0.4, 0.03, 0.34, 0.04).clear
    assert not apart(0.4, 0.03, 0.36, 0.04).clear
    assert apart(0.4, 0.03, 0.3, 0.04).ci95 == pytest.approx((0.05, 0.15))
    assert not apart(0.4, NAN, 0.1, 0.01).clear


def test_a_resample_of_shares_is_that_of_its_records(rng: np.random.Generator) -> None:
    member = np.arange(300) < 120
    often, seldom = rng.random(300) < 0.5, rng.random(300) < 0.4
    found = more_often(often, seldom, member)
    gain = often.astype(int) - seldom
    slow = []
    for _ in range(4000):
        ours, theirs = (rng.choice(gain[one], len(gain[one])) for one in (member, ~member))
        slow.append((ours.sum() + theirs.sum()) / 300)
    assert found.value == pytest.approx(gain.mean())
    np.testing.assert_allclose(found.ci95, np.percentile(slow, [2.5, 97.5]), atol=0.01)
    assert more_often(often, often, member).ci95 == (0, 0)
    assert not more_often(often, often, member).clear
    assert more_often(often, often & False, np.ones(300, dtype=bool)).clear


@pytest.mark.parametrize("several", [2, 5, 12])
def test_the_first_of_equals_is_seldom_called_ahead(several: int) -> None:
    rng = np.random.default_rng(several)
    runs, ahead = 2000, 0
    for values in rng.normal(0, 1, (runs, several)):
        places = first_two(values.tolist())
        assert places is not None
        ahead += apart(values[places[0]], 1.96, values[places[1]], 1.96).clear
    assert ahead / runs <= 0.065
