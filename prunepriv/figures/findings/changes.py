"""Whether a change is more than its uncertainty."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

Row = Mapping[str, Any]
"""An attack's evaluation: "attack", "accuracy", "accuracy_ci95" and more, see evaluation.py."""


def within_uncertainty(change: float, *half_widths: float) -> bool:
    """Whether a difference of two figures is at most its uncertainty.

    The half-widths of both 95 % intervals are added in quadrature. Models share their records, so
    the true uncertainty is usually smaller. The answer is False where a half-width is nan.
    """
    return abs(change) <= math.hypot(*half_widths)


def change(before: Row, after: Row) -> tuple[float, bool]:
    """By how much an attack's accuracy changed, and whether that exceeds its uncertainty."""
    difference = float(after["accuracy"] - before["accuracy"])
    return difference, not within_uncertainty(difference, _half_width(before), _half_width(after))


def _half_width(row: Row) -> float:
    low, high = row["accuracy_ci95"]
    return float(high - low) / 2
