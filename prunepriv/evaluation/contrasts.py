"""Differences between two sides on the same records (assets/method.md#comparisons)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from prunepriv.evaluation.classes import (
    PERMUTATIONS,
    benjamini_hochberg,
    can_be_tested,
    class_p_values,
)
from prunepriv.evaluation.intervals import RESAMPLES, Interval, percentiles
from prunepriv.evaluation.resamples import Draws
from prunepriv.evaluation.words import is_clear


@dataclass(frozen=True)
class Difference:
    """What side B has more than side A.

    Attributes:
        value: the difference.
        ci95: of the paired difference, over records.
        clear: the word of the difference: not "undecided".
        p: of a class; None where one difference is told alone.
    """

    value: float
    ci95: Interval
    clear: bool
    p: float | None = None


def by_attack(
    rows: Iterable[Mapping[str, Any]], metric: str = "accuracy"
) -> dict[str, Mapping[str, Any]]:
    """The rows of a contrast over all records, for one figure of attacks; CHOSEN is among them."""
    return {
        row["attack"]: row
        for row in rows
        if row["class"] is None and row["metric"] == metric and row["attack"] is not None
    }


def paired(before: float, after: float, drawn: np.ndarray) -> Difference:
    """Of two figures whose resamples are of the same draws.

    Args:
        before, after: the figures on the records themselves.
        drawn: (resamples,) after - before in every resample.
    """
    ci95 = percentiles(drawn)
    return Difference(after - before, ci95, is_clear(ci95))


def by_class(
    effects: Mapping[str, np.ndarray],
    scales: Mapping[str, float],
    member: np.ndarray,
    label: np.ndarray,
    seed: int,
    *,
    resamples: int = RESAMPLES,
    permutations: int = PERMUTATIONS,
) -> dict[str, dict[int, Difference]]:
    """Differences class by class; which of them are clear is decided for all classes together.

    Args:
        effects: by statement, (n,) what side B says of each record less what side A says.
        scales: by statement, the factor of its difference: 1/2 for a balanced accuracy.
        member: (n,) bool.
        label: (n,) true classes.
        seed: of resamples and permutations.
        resamples, permutations: how many.

    Returns:
        By statement and class. Classes with few members or non-members are left out.
    """
    names = list(effects)
    table = np.stack([effects[name] for name in names], axis=1).astype(np.float64)
    factors = np.array([scales[name] for name in names])
    found: dict[str, dict[int, Difference]] = {name: {} for name in names}
    for which in np.unique(label).tolist():
        rows = label == which
        inside = member[rows]
        if not can_be_tested(inside):
            continue
        own = table[rows]
        rng = np.random.default_rng([seed, which])
        p = class_p_values(own, inside, rng, permutations)
        ours, theirs = Draws(inside, seed, resamples).means(own)
        low, high = np.percentile((ours - theirs) * factors, [2.5, 97.5], axis=0)
        value = (own[inside].mean(axis=0) - own[~inside].mean(axis=0)) * factors
        for column, name in enumerate(names):
            found[name][which] = Difference(
                float(value[column]),
                (float(low[column]), float(high[column])),
                False,
                float(p[column]),
            )
    return {name: _decided(of_classes) for name, of_classes in found.items()}


def _decided(of_classes: Mapping[int, Difference]) -> dict[int, Difference]:
    named = benjamini_hochberg([one.p if one.p is not None else 1.0 for one in of_classes.values()])
    return {
        which: Difference(one.value, one.ci95, bool(clear), one.p)
        for (which, one), clear in zip(of_classes.items(), named, strict=True)
    }
