"""Sentences about sweeps and about what an adversary knows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd

from prunepriv.evaluation import first_two
from prunepriv.figures.findings.comparisons import Row, not_ahead, told
from prunepriv.figures.sweeps import setting_name, setting_value
from prunepriv.options import ATTACKS, UNPRUNED
from prunepriv.prose import percent, signed

Differ = Callable[[Any, Any], Row | None]
"""From two rows of a table, by their index: the row of ``store.differences.between``."""


def sweep_lines(shown: pd.DataFrame, attack: str, x: str, differ: Differ) -> str:
    """The accuracy at both ends of the line that leaks most, and whether they clearly differ.

    Args:
        shown: ``figures.sweeps.line_points``; not empty.
        attack: whose.
        x: the setting on the horizontal axis.
        differ: of two of the points.
    """
    name = ATTACKS[attack].label
    kept = shown[~shown["model"].isin([*UNPRUNED])]
    kept = kept if len(kept) else shown
    series = str(kept["series"].iloc[int(kept["accuracy"].argmax())])
    line = kept[kept["series"] == series]
    first, last = line.iloc[0].to_dict(), line.iloc[-1].to_dict()
    who = _whom(series)
    if first["x"] == last["x"]:
        return f"{name} is right {_told(first)} of the time on {who}; guessing gives 50 %."
    change = differ(line.index[0], line.index[-1])
    return (
        f"{_where(change)}, from {setting_value(x, first['x'])} to {setting_value(x, last['x'])} "
        f"{setting_name(x)}, {name} goes from {_told(first)} to {_told(last)} on {who}"
        f"{_by(change)}."
    )


def seeds(shown: pd.DataFrame) -> str:
    """How many seeds the figures and their bars come from."""
    most = int(shown["seeds"].max())
    if most > 1:
        return f"Means of up to {most} seeds; bars: 95 % interval over seeds (Student's t)."
    return "One seed each: another seed may change every figure by a few points."


def sweep_matrix(cells: pd.DataFrame, attack: str, model: str, differ: Differ) -> str:
    """The cells of highest and lowest accuracy, and whether they differ from those beside them.

    Args:
        cells: as ``figures.sweeps.matrix`` draws them; at least one was run.
        attack: whose.
        model: which model, in words.
        differ: of two of the cells.
    """
    known = cells.dropna(subset=["accuracy"])
    accuracies = known["accuracy"].tolist()
    name = ATTACKS[attack].label
    highest, lowest = first_two(accuracies), first_two([-one for one in accuracies])
    if highest is None or lowest is None:
        alone = _with(known.iloc[0].to_dict(), [])
        return f"{name} is right {alone} of the time on the {model} model."
    best, change = _first(known, highest, differ, "ahead of")
    told_best = f"{_where(change)}, {name} does best on the {model} model with {best}"
    if len(known) == 2:
        return f"{told_best}."
    worst, _ = _first(known, lowest, differ, "behind")
    return f"{told_best}; it does worst with {worst}."


def _first(
    known: pd.DataFrame, places: tuple[int, int], differ: Differ, ahead: str
) -> tuple[str, Row | None]:
    """The first cell of a ranking, with its doubt, and its difference from the next."""
    first, following = (known.iloc[place].to_dict() for place in places)
    change = differ(*(known.index[place] for place in reversed(places)))
    clear = change is not None and bool(change["clear"])
    behind = not_ahead(clear, f"{_cell(following)}, {percent(following['accuracy'])}", ahead)
    return f"{_cell(first)}, {_with(first, [])}{behind}", change


def knowledge(cells: pd.DataFrame, attack: str, what: str, cost: Row | None) -> str:
    """What it costs the adversary to be wrong about the target's pruning, on the same targets.

    Args:
        cells: ``row``, ``column``, ``accuracy``, ``seeds`` and ``guessing``, as those of a matrix.
        attack: whose.
        what: the setting in question, in words.
        cost: the row of ``store.differences.between``, from the cells where the adversary knows it
            to those where it does not, by target; None if no seed has both of a target.
    """
    known = cells.dropna(subset=["accuracy"])
    knows_it = known["row"] == known["column"]
    right, wrong = known[knows_it], known[~knows_it]
    both = set(right["row"]) & set(wrong["row"])  # both means are over the same targets
    name = ATTACKS[attack].label
    if not both:
        missing = "does not know" if len(right) else "knows"
        return (
            f"{name} is right {_mean(right if len(right) else wrong)} of the time where the adversary "
            f"{'knows' if len(right) else 'does not know'} the {what}; no run on the same target yet "
            f"shows an adversary that {missing} it."
        )
    knows, errs = (_mean(cells[cells["row"].isin(both)]) for cells in (right, wrong))
    return (
        f"{_where(cost)}, {name} is right {knows} of the time where the adversary knows the {what} "
        f"and {errs} where it is wrong about it: its accuracy changes{_by(cost).removeprefix(',')}."
    )


def _mean(cells: pd.DataFrame) -> str:
    """The mean over targets, and in how many of the runs the attack is guessing."""
    counts = {name: cells[name].sum() for name in ("seeds", "guessing")}
    return _with({"accuracy": cells.groupby("row")["accuracy"].mean().mean(), **counts}, [])


def _told(row: Mapping[Any, Any]) -> str:
    """A mean with its interval over seeds, and in how many of them the attack is guessing."""
    parts = [] if pd.isna(row["low"]) else [f"over {row['seeds']:.0f} seeds {_range(row)}"]
    return _with(row, parts)


def _range(row: Mapping[Any, Any]) -> str:
    low, high = max(0.0, row["low"]), min(1.0, row["high"])
    return f"{100 * low:.1f} to {percent(high)}"


def _with(row: Mapping[Any, Any], parts: list[str]) -> str:
    """An accuracy, and in how many of its runs the attack is guessing."""
    if row["guessing"]:
        several = row["seeds"] > 1
        some = f" in {row['guessing']:.0f} of {row['seeds']:.0f} runs" if several else ""
        parts = [*parts, f"guessing{some}"]
    return percent(row["accuracy"]) + (f" ({', '.join(parts)})" if parts else "")


def _where(change: Row | None) -> str:
    """For which runs a difference is told: one seed says nothing about others."""
    if change is None or change["seeds"] == 1:
        return "In these runs of one seed"
    return f"Over {change['seeds']} seeds"


def _by(change: Row | None) -> str:
    """The difference with its interval, which no chart shows."""
    if change is None:
        return ""
    low, high = (signed(100 * end, 1) for end in change["ci95"] or (0, 0))
    interval = f", 95 % interval {low} to {high}" if change["ci95"] else ""
    return f", by {told(change)}{interval}"


def _whom(series: str) -> str:
    """A line's name in a sentence: the pruned model (L1 unstructured)."""
    model, _, setting = series.partition(", ")
    return f"the {model.lower()} model" + (f" ({setting})" if setting else "")


def _cell(cell: Mapping[Any, Any]) -> str:
    return f"{cell['row']} and {cell['column']}"
