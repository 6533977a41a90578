"""Rows of headlines and contrasts, as a result gives them."""

from __future__ import annotations

from typing import Any


def headline(
    attack: str, accuracy: float, half: float = 0.01, p: float = 0.001, chosen: bool = True
) -> dict[str, Any]:
    return {
        "attack": attack,
        "accuracy": accuracy,
        "accuracy_ci95": [accuracy - half, accuracy + half],
        "p": p,
        "chosen": chosen,
        "estimate": accuracy - 0.02,
        "standard_error": 0.013,
    }


def change(
    attack: str | None,
    difference: float,
    *,
    metric: str = "accuracy",
    label: int | None = None,
    clear: bool = True,
) -> dict[str, Any]:
    half = abs(difference) / 2 if clear else abs(difference) + 0.01
    return {
        "attack": attack,
        "metric": metric,
        "class": label,
        "difference": difference,
        "ci95": [difference - half, difference + half],
        "clear": clear,
    }
