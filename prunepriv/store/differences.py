"""Paired differences that no step has stored: between attacks, and between runs of a sweep.

Rows are as those of a contrast: "difference", "ci95", "clear". The rules are in
:mod:`prunepriv.evaluation`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd

from prunepriv.evaluation import figure_of, first_two, over_runs, paired
from prunepriv.plan import Target
from prunepriv.store.result import Result

Resampled = Callable[[str, str], np.ndarray | None]
"""From the key of an evaluation and an attack: (resamples,) of its accuracy, or None."""

Row = dict[str, Any]


def lead(result: Result, target: Target, metric: str = "accuracy") -> Row | None:
    """How far the best attack on a target is ahead of the next, paired on the same records.

    Args:
        result: of the run.
        target: the attacked model.
        metric: one of evaluation.METRICS.

    Returns:
        The row, with "attack" and "next"; None with fewer than two attacks.
    """
    rows = result.evaluation(target) or []
    values = [figure_of(row, metric) for row in rows]
    places = first_two(values)
    if places is None:
        return None
    names = [rows[place]["attack"] for place in places]
    drawn = result.resampled(target, metric, names)
    if drawn is None:
        return None
    found = paired(values[places[1]], values[places[0]], drawn[names[0]] - drawn[names[1]])
    return {
        "attack": names[0],
        "next": names[1],
        "difference": found.value,
        "ci95": found.ci95,
        "clear": found.clear,
    }


def between(
    before: pd.DataFrame, after: pd.DataFrame, resampled: Resampled, by: str | None = None
) -> Row | None:
    """How an attack's accuracy differs between runs, paired by seed.

    Of one seed, the runs are paired by the records, which they share unless their data differ.

    Args:
        before, after: rows of a sweep's table: "seed", "accuracy", "attack", "key", and the
            settings of the data. Several rows of a seed are averaged.
        resampled: gives the resamples of an evaluation.
        by: a column; the difference is then taken for each of its values that both sides have, and
            averaged.

    Returns:
        The row, with "seeds" and "why" (nothing decides); None if no seed has both sides.
    """
    terms = {
        seed: list(_terms(before[before["seed"] == seed], after[after["seed"] == seed], by))
        for seed in dict.fromkeys(after["seed"])
    }
    complete = {seed: ours for seed, ours in terms.items() if ours}
    if not complete:
        return None
    differences = [sum(w * row["accuracy"] for w, row in ours) for ours in complete.values()]
    drawn = _resampled(next(iter(complete.values())), resampled) if len(complete) == 1 else None
    found = over_runs(differences, drawn)
    return {
        "difference": found.value,
        "ci95": found.ci95,
        "clear": found.clear,
        "seeds": found.seeds,
        "why": found.why,
    }


Term = tuple[float, Row]
"""A weight, and the row of a table."""


def _terms(before: pd.DataFrame, after: pd.DataFrame, by: str | None) -> Iterator[Term]:
    """The rows of one seed, and the weights whose sum of accuracies is the difference."""
    if by is None:
        pairs = [(before, after)] if len(before) and len(after) else []
    else:
        both = [one for one in dict.fromkeys(after[by]) if one in set(before[by])]
        pairs = [(before[before[by] == one], after[after[by] == one]) for one in both]
    for sides in pairs:
        for sign, side in zip((-1, 1), sides, strict=True):
            for row in side.to_dict("records"):
                yield sign / len(side) / len(pairs), {str(k): v for k, v in row.items()}


def _resampled(terms: Sequence[Term], resampled: Resampled) -> np.ndarray | None:
    """(resamples,) the difference; None where records differ, or resamples are not at hand."""
    data = {
        tuple(str(value) for name, value in row.items() if name.startswith("data."))
        for _, row in terms
    }
    found = [resampled(row["key"], row["attack"]) for _, row in terms]
    known = [drawn for drawn in found if drawn is not None]
    if len(data) > 1 or len(known) < len(found) or len({len(drawn) for drawn in known}) > 1:
        return None
    weights = [weight for weight, _ in terms]
    return np.tensordot(weights, np.stack(known), axes=1)
