"""Sentences about sweeps and about what an adversary knows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from prunepriv.figures.palette import CHANCE
from prunepriv.figures.sweeps import setting_name, setting_value
from prunepriv.options import ATTACKS, UNPRUNED
from prunepriv.prose import percent, points


def sweep_lines(shown: pd.DataFrame, attack: str, x: str) -> str:
    """The accuracy at both ends of the line that leaks most.

    Args:
        shown: ``figures.sweeps.line_points``; not empty.
        attack: whose.
        x: the setting on the horizontal axis.
    """
    name = ATTACKS[attack].label
    kept = shown[~shown["model"].isin([*UNPRUNED])]
    kept = kept if len(kept) else shown
    rows = kept.to_dict("records")
    series = str(max(rows, key=lambda row: float(row["accuracy"]))["series"])
    line = [row for row in rows if row["series"] == series]
    first, last = line[0], line[-1]
    who = _whom(series)
    if first["x"] == last["x"]:
        return f"{name} is right {_told(first)} of the time on {who}; guessing gives 50 %."
    change = last["accuracy"] - first["accuracy"]
    return (
        f"From {setting_value(x, first['x'])} to {setting_value(x, last['x'])} {setting_name(x)}, "
        f"{name} goes from {_told(first)} to {_told(last)} on {who} "
        f"({points(change)}{_apart(first, last)})."
    )


def seeds(shown: pd.DataFrame) -> str:
    """How many seeds the figures and their bars come from."""
    most = int(shown["seeds"].max())
    if most > 1:
        return f"Means of up to {most} seeds; bars: 95 % interval over seeds (Student's t)."
    return "One seed each: another seed may change every figure by a few points."


def sweep_matrix(cells: pd.DataFrame, attack: str, model: str) -> str:
    """The cells of highest and lowest accuracy.

    Args:
        cells: as ``figures.sweeps.matrix`` draws them; at least one was run.
        attack: whose.
        model: which model, in words.
    """
    known = cells.dropna(subset=["accuracy"])
    rows = sorted(known.to_dict("records"), key=lambda row: float(row["accuracy"]))
    worst, best = rows[0], rows[-1]
    name = ATTACKS[attack].label
    if len(known) == 1:
        return f"{name} is right {percent(best['accuracy'])} of the time on the {model} model."
    return (
        f"{name} does best on the {model} model with {_cell(best)}, {percent(best['accuracy'])}, and "
        f"worst with {_cell(worst)}, {percent(worst['accuracy'])}."
    )


def knowledge(cells: pd.DataFrame, attack: str, what: str) -> str:
    """What it costs the adversary to be wrong about the target's pruning, on the same targets.

    Args:
        cells: ``row``, ``column``, ``accuracy`` and ``low``, ``high`` of its 95 % interval.
        attack: whose.
        what: the setting in question, in words.
    """
    known = cells.dropna(subset=["accuracy"])
    knows_it = known["row"] == known["column"]
    right = known[knows_it].set_index("row")["accuracy"]
    wrong = known[~knows_it].groupby("row")["accuracy"].mean()
    both = right.index.intersection(wrong.index)  # both means are over the same targets
    name = ATTACKS[attack].label
    if both.empty:
        missing = "does not know" if len(right) else "knows"
        shown = known[knows_it] if len(right) else known
        seen = percent(float(shown["accuracy"].mean()))
        return (
            f"{name} is right {seen} of the time where the adversary "
            f"{'knows' if len(right) else 'does not know'} the {what}; no run on the same target yet "
            f"shows an adversary that {missing} it."
        )
    knows, errs = float(right[both].mean()), float(wrong[both].mean())
    half = float((known["high"] - known["low"]).mean() / 2)
    small = abs(knows - errs) < half
    doubt = (
        f", less than a cell's own 95 % interval of \N{PLUS-MINUS SIGN}{100 * half:.1f} points"
        if small
        else ""
    )
    verb = "costs" if knows >= errs else "gains"
    return (
        f"{name} is right {percent(knows)} of the time where the adversary knows the {what} and "
        f"{percent(errs)} where it is wrong about it: not knowing {verb} it "
        f"{100 * abs(knows - errs):.1f} points{doubt}."
    )


def _told(row: Mapping[Any, Any]) -> str:
    """A mean with its interval over seeds, and whether it is better than guessing."""
    text = percent(row["accuracy"])
    if pd.isna(row["low"]):
        return text
    low, high = max(0.0, row["low"]), min(1.0, row["high"])
    text += f" (95 % interval over {row['seeds']} seeds {100 * low:.1f} to {percent(high)}"
    return text + (
        ", not distinguishable from guessing)" if row["low"] <= CHANCE <= row["high"] else ")"
    )


def _apart(first: Mapping[Any, Any], last: Mapping[Any, Any]) -> str:
    """Whether the intervals over seeds of two means overlap, in words."""
    if pd.isna(first["low"]) or pd.isna(last["low"]):
        return "; one seed, so it may be chance"
    overlap = first["low"] <= last["high"] and last["low"] <= first["high"]
    return "; the intervals overlap" if overlap else ""


def _whom(series: str) -> str:
    """A line's name in a sentence: the pruned model (L1 unstructured)."""
    model, _, setting = series.partition(", ")
    return f"the {model.lower()} model" + (f" ({setting})" if setting else "")


def _cell(cell: Mapping[Any, Any]) -> str:
    return f"{cell['row']} and {cell['column']}"
