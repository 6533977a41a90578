"""One experiment under several seeds: the mean of the paired differences, with its interval.

The interval is over training and splits of one data set, which share records: not over populations.
See assets/method.md#comparisons.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from prunepriv.evaluation import (
    CHOSEN,
    METRICS,
    SEEDS_THAT_DECIDE,
    Estimate,
    chosen,
    figure_of,
    is_clear,
    mean_and_t_interval,
)

Report = Mapping[str, Any]
"""The JSON of a run."""


def over_seeds(reports: Sequence[Report]) -> list[dict[str, Any]]:
    """The differences of one experiment's runs, over their seeds.

    Args:
        reports: of each seed, the run's report; at least one.

    Returns:
        A row for each attack, metric, pair and class that all runs have: "attack", "metric",
        "from", "to", "class", "mean", "ci95" (None with one seed), "clear" (from three seeds on)
        and "seeds". The attack "chosen" is, on each side, the one with the best mean estimate.
    """
    by_what: dict[tuple[Any, ...], list[float]] = {}
    about: dict[tuple[Any, ...], dict[str, Any]] = {}
    for report in reports:
        for row in report["contrasts"]:
            if row["attack"] == CHOSEN:
                continue  # each run's own choice: another policy for every seed
            what = _what(row)
            by_what.setdefault(what, []).append(row["difference"])
            about[what] = {name: row[name] for name in ("attack", "metric", "from", "to", "class")}
    rows = [
        {**about[what], **_mean(values)}
        for what, values in by_what.items()
        if len(values) == len(reports)
    ]
    return [*rows, *_by_policy(reports)]


def chosen_over_seeds(reports: Sequence[Report], side: Mapping[str, str]) -> str | None:
    """The attack that a target's adversary would choose by its mean estimates over the seeds.

    Args:
        reports: of each seed.
        side: {"model", "adversary"}.
    """
    known = [
        {
            row["attack"]: row["estimate"]
            for row in report["attacks"]
            if _side(row) == _side(side) and row["estimate"] is not None
        }
        for report in reports
    ]
    names = [name for name in known[0] if all(name in one for one in known)]
    found = []
    for name in names:
        values = np.array([one[name] for one in known])
        error = float(values.std(ddof=1) / np.sqrt(len(values))) if len(values) > 1 else 0.0
        found.append(Estimate(name, float(values.mean()), error))
    best = chosen(found)
    return None if best is None else best.attack


def _by_policy(reports: Sequence[Report]) -> Iterator[dict[str, Any]]:
    """What the adversaries' choices differ by, with one choice for all seeds."""
    pairs = {
        _side(row["from"]) + _side(row["to"]): (row["from"], row["to"])
        for row in reports[0]["contrasts"]
    }
    for before, after in pairs.values():
        choices = [chosen_over_seeds(reports, side) for side in (before, after)]
        if None in choices:
            continue
        for metric in METRICS:
            values = [
                _figure(report, after, choices[1], metric)
                - _figure(report, before, choices[0], metric)
                for report in reports
            ]
            about = {"attack": CHOSEN, "metric": metric, "from": before, "to": after, "class": None}
            yield {**about, **_mean(values)}


def _figure(report: Report, side: Mapping[str, str], attack: str | None, metric: str) -> float:
    rows = (row for row in report["attacks"] if _side(row) == _side(side))
    return figure_of(next(row for row in rows if row["attack"] == attack), metric)


def _mean(values: Sequence[float]) -> dict[str, Any]:
    mean, low, high = mean_and_t_interval(values)
    ci95 = None if low is None or high is None else (low, high)
    decided = len(values) >= SEEDS_THAT_DECIDE
    return {
        "mean": mean,
        "ci95": None if ci95 is None else list(ci95),
        "clear": decided and is_clear(ci95),
        "seeds": len(values),
    }


def _what(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return (row["attack"], row["metric"], row["class"], *_side(row["from"]), *_side(row["to"]))


def _side(side: Mapping[str, Any]) -> tuple[str, str]:
    return side["model"], side["adversary"]
