"""Estimates of an attack on shadow records, and the choice between attacks."""

from __future__ import annotations

import numpy as np
import pytest

from prunepriv.evaluation import Estimate, chosen, own_estimate
from prunepriv.options import ATTACKS


def test_the_estimate_is_the_balanced_accuracy() -> None:
    member = np.arange(100) < 40
    decision = np.arange(100) % 2 == 0
    found = own_estimate("conf", decision, member, np.arange(100))
    assert found.attack == "conf"
    assert found.accuracy == pytest.approx((0.5 + 0.5) / 2)
    # of two independent shares
    assert found.standard_error == pytest.approx(np.sqrt(0.25 / 40 + 0.25 / 60) / 2, rel=0.01)


def test_rows_of_one_record_are_one_observation(rng: np.random.Generator) -> None:
    """Against a bootstrap that draws whole records."""
    records, shadows = 150, 5
    hard = rng.random(records)
    record = np.tile(np.arange(records), shadows)
    member = rng.random(records * shadows) < 0.5
    right = rng.random(records * shadows) < 0.2 + 0.7 * np.repeat(hard[None], shadows, 0).ravel()
    decision = np.where(right, member, ~member)
    found = own_estimate("conf", decision, member, record)
    rows = [np.flatnonzero(record == one) for one in range(records)]
    drawn = []
    for _ in range(2000):
        chosen_rows = np.concatenate([rows[one] for one in rng.integers(0, records, records)])
        m, r = member[chosen_rows], right[chosen_rows]
        drawn.append((r[m].mean() + r[~m].mean()) / 2)
    assert found.standard_error == pytest.approx(np.std(drawn), rel=0.08)
    alone = own_estimate("conf", decision, member, np.arange(records * shadows))
    assert found.standard_error > 1.15 * alone.standard_error


def test_the_best_is_chosen() -> None:
    found = chosen([Estimate("conf", 0.60, 0.01), Estimate("entr", 0.70, 0.01)])
    assert found == Estimate("entr", 0.70, 0.01)
    assert chosen([]) is None


def stronger(one: str, other: str) -> tuple[str, str]:
    """The stronger name first."""
    a, b = sorted((one, other), key=lambda name: ATTACKS[name].strength)
    return a, b


def test_among_equals_the_strongest_is_chosen() -> None:
    strong, weak = stronger("conf", "entr")
    close = [Estimate(weak, 0.700, 0.01), Estimate(strong, 0.691, 0.002)]
    found = chosen(close)
    assert found is not None
    assert found.attack == strong
    apart = [Estimate(weak, 0.700, 0.01), Estimate(strong, 0.689, 0.05)]
    found = chosen(apart)
    assert found is not None
    assert found.attack == weak


@pytest.mark.parametrize("difference", [0.029, 0.031])
def test_reference_attacks_may_read_three_points_low(difference: float) -> None:
    assert ATTACKS["lira"].strength < ATTACKS["entr"].strength
    found = chosen([Estimate("entr", 0.7, 0.001), Estimate("lira", 0.7 - difference, 0.001)])
    assert found is not None
    assert found.attack == ("lira" if difference <= 0.03 else "entr")


def test_strengths_are_an_order() -> None:
    assert sorted(option.strength for option in ATTACKS.values()) == list(
        range(1, len(ATTACKS) + 1)
    )
