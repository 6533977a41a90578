"""Means over reference models against exact decimal sums."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from decimal import Decimal, localcontext

import numpy as np
import pytest

from prunepriv.attacks import means
from prunepriv.attacks.means import (
    blocks,
    log_mean_p,
    log_mean_p_of_others,
    mean_phi,
    mean_phi_of_others,
    sums_of_others,
)

Mean = Callable[[np.ndarray, np.ndarray], np.ndarray]


def exact_mean_phi(phi: np.ndarray) -> float:
    """Of the references of one record."""
    with localcontext(prec=60):
        return float(sum(map(Decimal, phi.tolist()), Decimal(0)) / len(phi))


def exact_log_mean_p(phi: np.ndarray) -> float:
    """Of the references of one record."""
    with localcontext(prec=60):
        p = [1 / (1 + (-Decimal(value)).exp()) for value in phi.tolist()]
        return float((sum(p, Decimal(0)) / len(p)).ln())


EXACT: dict[Mean, Callable[[np.ndarray], float]] = {
    mean_phi_of_others: exact_mean_phi,
    log_mean_p_of_others: exact_log_mean_p,
}
of_others = pytest.mark.parametrize("mean", list(EXACT), ids=lambda mean: mean.__name__)


def slow(mean: Mean, phi: np.ndarray, usable: np.ndarray) -> np.ndarray:
    """(S, n): for each model and record, from the slice of the others; NaN where there are none."""
    found = np.full(phi.shape, np.nan)
    for model, record in np.ndindex(*phi.shape):
        others = usable[:, record].copy()
        others[model] = False
        if others.any():
            found[model, record] = EXACT[mean](phi[others, record].astype(np.float64))
    return found


def draw(models: int, records: int) -> tuple[np.ndarray, np.ndarray]:
    """Confidences from hopeless to certain; some records have one reference, or none."""
    rng = np.random.default_rng(models)
    phi = rng.normal(0, 1, (models, records)) * rng.choice([1, 10, 300], records)
    usable = rng.random(phi.shape) < rng.choice([0.1, 0.5, 1], records)
    return phi.astype(np.float32), usable


@of_others
@pytest.mark.parametrize("models", [1, 2, 3, 9])
def test_the_means_of_all_but_one_are_those_of_the_others(mean: Mean, models: int) -> None:
    phi, usable = draw(models, 40)
    expected = slow(mean, phi, usable)
    found = mean(phi, usable)
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-14)
    assert np.isnan(expected).any()
    assert np.isfinite(expected).any() == (models > 1)


@of_others
@pytest.mark.parametrize("vanishing", [0, 900])
def test_what_is_left_of_a_total_keeps_its_digits(mean: Mean, vanishing: float) -> None:
    """One model is certain, or gives a huge phi: a total less that value would be rounding errors.

    In turn another model is the certain one, so the others come before it, after it and around it.
    Their p_y are small, or smaller than any float64.
    """
    rest = np.array([-30.0, -31.5, -700.0, -800.0, -29.0]) - vanishing
    certain = np.insert(rest, 2, 40.0)
    phi = np.stack([np.roll(certain, shift) for shift in range(6)], axis=1)
    phi = np.hstack([phi, phi * np.where(phi == 40, 1e14, 1e-3)])
    usable = np.ones(phi.shape, dtype=bool)
    np.testing.assert_allclose(
        mean(phi, usable), slow(mean, phi, usable), rtol=1e-12, atol=0, equal_nan=False
    )


def test_models_that_are_all_certain_keep_the_digits_of_their_doubt() -> None:
    phi = np.array([[20.0], [21.0], [22.0]])
    usable = np.ones(phi.shape, dtype=bool)
    expected = slow(log_mean_p_of_others, phi, usable)
    np.testing.assert_allclose(log_mean_p_of_others(phi, usable), expected, rtol=0, atol=1e-16)


@of_others
def test_values_that_are_not_usable_are_not_read(mean: Mean) -> None:
    phi, usable = draw(7, 60)
    for planted in (1e30, -1e30, np.nan):
        other = np.where(usable, phi, np.float32(planted))
        np.testing.assert_array_equal(mean(other, usable), mean(phi, usable))


def test_means_leave_out_what_is_not_usable() -> None:
    phi = np.array([[0.0, 1.0], [2.0, 1e9]])
    usable = np.array([[True, True], [True, False]])
    assert mean_phi(phi, usable).tolist() == [1, 1]
    expected = [exact_log_mean_p(phi[:, 0]), exact_log_mean_p(phi[:1, 1])]
    np.testing.assert_allclose(log_mean_p(phi, usable), expected)


def test_a_sum_of_others_is_of_the_rows_before_and_after() -> None:
    values = np.arange(12.0).reshape(4, 3) ** 2
    expected = [np.delete(values, row, axis=0).sum(axis=0) for row in range(4)]
    assert np.array_equal(sums_of_others(values), expected)


@pytest.mark.parametrize(
    ("shape", "widths"),
    [((4, 7), [3, 3, 1]), ((12, 2), [1, 1]), ((99, 3), [1, 1, 1]), ((3, 0), []), ((1, 5), [5])],
    ids=str,
)
def test_blocks_are_of_so_many_values_at_most_or_of_one_record(
    shape: tuple[int, int], widths: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(means, "BLOCK", 12)
    values = np.arange(shape[0] * shape[1]).reshape(shape)
    parts = [values[:, block] for block in blocks(shape)]
    assert [part.shape[1] for part in parts] == widths
    assert np.array_equal(np.hstack([values[:, :0], *parts]), values)


@pytest.mark.parametrize("mean", [*EXACT, log_mean_p], ids=lambda mean: mean.__name__)
def test_work_on_blocks_changes_no_mean(mean: Mean, monkeypatch: pytest.MonkeyPatch) -> None:
    phi, usable = draw(6, 50)
    usable[0] |= ~usable.any(axis=0)
    whole = mean(phi, usable)
    monkeypatch.setattr(means, "BLOCK", 6 * 8)
    np.testing.assert_allclose(mean(phi, usable), whole, rtol=1e-15)


@pytest.mark.parametrize("mean", [*EXACT, log_mean_p], ids=lambda mean: mean.__name__)
def test_besides_the_result_a_mean_needs_the_memory_of_a_few_blocks(mean: Mean) -> None:
    phi = np.zeros((64, 40_000), dtype=np.float32)
    usable = np.ones(phi.shape, dtype=bool)
    tracemalloc.start()
    try:
        result = mean(phi, usable)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak - result.nbytes < 8 * means.BLOCK * 8 < phi.size * 8
