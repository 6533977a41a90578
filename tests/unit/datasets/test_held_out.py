"""How many shadow records a fit may use, against a count record by record."""

from __future__ import annotations

import pytest

from prunepriv.datasets import split
from prunepriv.datasets.held_out import SHARE, drawn, rows_for_fits


@pytest.mark.parametrize(("n", "shadows", "limit"), [(900, 4, None), (5010, 2, 400), (400, 1, 901)])
def test_a_record_counts_once_for_each_shadow_that_holds_it(
    n: int, shadows: int, limit: int | None
) -> None:
    count = 0
    for number in range(1, shadows + 1):
        parts = split(n, number, 7, limit)
        for record in [*parts.train.tolist(), *parts.test.tolist()]:
            count += bool(drawn(parts.half, 7)[parts.half == record].item() >= SHARE)
    assert rows_for_fits(n, shadows, 7, limit) == count
    assert 0.85 < count / (shadows * 0.9 * min(n, limit or n) / 2) < 0.95
