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
    benjamini_hochberg,
    chosen,
    figure_of,
    mean_p_value,
    over_runs,
)

Report = Mapping[str, Any]
"""The "contrasts" and "attacks" of a run's JSON; what else it holds is not read."""


def over_seeds(reports: Sequence[Report]) -> list[dict[str, Any]]:
    """The differences of one experiment's runs, over their seeds.

    Args:
        reports: one of each seed; at least one.

    Returns:
        A row for each attack, metric, pair and class that all runs have: "attack", "metric",
        "from", "to", "class", "from_attack", "to_attack" (the attack of each side, None where no
        attack is involved), "mean", "ci95" (None with one seed), "clear" (from three seeds on; of
        classes those that Benjamini-Hochberg names), "seeds" (how many) and "differences" (one of
        each report, in their order). The attack "chosen" is, on each side, the one with the best
        mean estimate.
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
        {**_of_same_attack(about[what]), **_mean(values)}
        for what, values in by_what.items()
        if len(values) == len(reports)
    ]
    _name_classes(rows)
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


def _of_same_attack(about: Mapping[str, Any]) -> dict[str, Any]:
    """What a row is about, when both of its sides are attacked by one attack, or by none."""
    return {**about, "from_attack": about["attack"], "to_attack": about["attack"]}


def _name_classes(rows: Sequence[dict[str, Any]]) -> None:
    """Of the classes of one statement, call those clear that Benjamini-Hochberg names."""
    statements: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for row in rows:
        if row["class"] is not None:
            statement = (row["attack"], row["metric"], *_side(row["from"]), *_side(row["to"]))
            statements.setdefault(statement, []).append(row)
    for classes in statements.values():
        p_values = np.array([mean_p_value(row["differences"]) for row in classes])
        for row, named in zip(classes, benjamini_hochberg(p_values), strict=True):
            row["clear"] = bool(named) and row["seeds"] >= SEEDS_THAT_DECIDE


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
        about = {"from": before, "to": after, "from_attack": choices[0], "to_attack": choices[1]}
        for metric in METRICS:
            values = [
                _figure(report, after, choices[1], metric)
                - _figure(report, before, choices[0], metric)
                for report in reports
            ]
            yield {"attack": CHOSEN, "metric": metric, "class": None, **about, **_mean(values)}


def _figure(report: Report, side: Mapping[str, str], attack: str | None, metric: str) -> float:
    rows = (row for row in report["attacks"] if _side(row) == _side(side))
    return figure_of(next(row for row in rows if row["attack"] == attack), metric)


def _mean(values: Sequence[float]) -> dict[str, Any]:
    over = over_runs(values)
    return {
        "mean": over.value,
        "ci95": None if over.ci95 is None else list(over.ci95),
        "clear": over.clear,
        "seeds": over.seeds,
        "differences": list(values),
    }


def _what(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return (row["attack"], row["metric"], row["class"], *_side(row["from"]), *_side(row["to"]))


def _side(side: Mapping[str, Any]) -> tuple[str, str]:
    return side["model"], side["adversary"]
