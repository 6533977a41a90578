"""The words of comparisons."""

from __future__ import annotations

import pytest

from prunepriv.evaluation import is_clear, is_guessing, word_of


@pytest.mark.parametrize(
    ("ci95", "clear"),
    [
        ((0.01, 0.05), True),
        ((-0.05, -0.01), True),
        ((-0.01, 0.05), False),
        ((0.0, 0.05), False),
        ((-0.05, 0.0), False),
        ((0.0, 0.0), False),
        (None, False),
    ],
)
def test_clear_excludes_zero(ci95: tuple[float, float] | None, clear: bool) -> None:
    assert is_clear(ci95) is clear
    assert word_of(ci95) == ("clear" if clear else "undecided")


@pytest.mark.parametrize(("p", "guessing"), [(0.0499, False), (0.05, True), (1.0, True)])
def test_guessing(p: float, guessing: bool) -> None:
    assert is_guessing(p) is guessing
