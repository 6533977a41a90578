"""Numbers and lists as people write them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

MINUS = "\N{MINUS SIGN}"
NOT_SAFETY = (
    "A low attack accuracy is not safety here: a model that learnt nothing has nothing to reveal, "
    "and shadows that learnt nothing teach an attack nothing."
)
MODELS_LEARNED = "Models learnt something"
"""Label of the check whose failure :data:`NOT_SAFETY` explains."""


def percent(fraction: float, digits: int = 1) -> str:
    """0.7834 as "78.3 %"."""
    return f"{100 * fraction:.{digits}f} %".replace("-", MINUS)


def points(change: float, digits: int = 1) -> str:
    """A difference of two fractions, in percentage points: "+5.2 points"."""
    return f"{signed(100 * change, digits)} points"


def signed(value: float, digits: int = 2) -> str:
    """0.0634 as "+0.06", with a typographic minus and never "-0.00"."""
    return f"{round(value, digits) + 0.0:+.{digits}f}".replace("-", MINUS)


def short(value: float) -> str:
    """A number with three significant digits: "0.0123", "4.56", "1e−5", "1e3"."""
    text = f"{value:.3g}" if value == 0 or abs(value) >= 1e-3 else f"{value:.0e}"
    return text.replace("e-0", "e-").replace("e+0", "e").replace("-", MINUS)


def between(low: float, high: float) -> tuple[str, str]:
    """Both ends of a range, with enough digits to differ: "0.9993", "0.9999"."""
    texts = short(low), short(high)
    for digits in range(4, 17):
        if texts[0] != texts[1] or low == high:
            break
        texts = f"{low:.{digits}g}", f"{high:.{digits}g}"
    return texts


def rounded(value: float) -> str:
    """Three decimals from 0.1 on, else three significant digits: "0.380", "0.0123"."""
    return f"{value:.3f}".replace("-", MINUS) if abs(value) >= 0.1 else short(value)


def count(number: int) -> str:
    """A whole number, from a million on with three significant digits: "8,192", "1.23 million"."""
    for size, word in ((10**9, "billion"), (10**6, "million")):
        if number >= size:
            return f"{number / size:.3g} {word}"
    return f"{number:,}"


def capital(sentence: str) -> str:
    """The sentence with a capital first letter."""
    return sentence[:1].upper() + sentence[1:]


def privacy_statement(privacy: Mapping[str, Any]) -> str:
    """What DP-SGD guarantees, and what it does not.

    Args:
        privacy: of a privacy step: "epsilon" (None: no guarantee), "delta", "steps",
            "budget_steps" and "epsilon_of_steps".
    """
    if privacy["epsilon"] is None:
        return "DP-SGD without noise only clips gradients: it gives no guarantee."
    return (
        f"\N{GREEK SMALL LETTER EPSILON} = {short(privacy['epsilon'])} at "
        f"\N{GREEK SMALL LETTER DELTA} = {short(privacy['delta'])} for the "
        f"{privacy['budget_steps']:,} steps that the fine-tuning may take; the training before it "
        "was not private, so the whole has no finite \N{GREEK SMALL LETTER EPSILON}."
        + _not_covered(privacy)
    )


def _not_covered(privacy: Mapping[str, Any]) -> str:
    """That the epsilon of the steps which were taken is not guaranteed, if it is another."""
    if privacy["steps"] == privacy["budget_steps"]:
        return ""
    return (
        f" The {privacy['steps']:,} steps that were taken would have "
        f"\N{GREEK SMALL LETTER EPSILON} = {short(privacy['epsilon_of_steps'])}, which is not "
        "guaranteed: when to stop was decided on private models."
    )


def size_statement(size: Mapping[str, float | None] | None) -> str:
    """What pruning removed besides single weights, and what it left; "" where all is left.

    Args:
        size: "removed_channels", "emitting_channels", "parameters_left", "multiplications_left";
            None, or None for each, where they were not counted.
    """
    left = None if size is None else size["parameters_left"]
    if size is None or left is None or left == 1:
        return ""
    channels, emitting = size["removed_channels"], size["emitting_channels"]
    told = ""
    if channels:
        told = (
            f"{percent(channels)} of the channels were removed: their own weights count as removed, "
            "those that read them do not. "
        )
    if emitting:
        told += (
            f"{percent(emitting)} of the channels were removed but still emit a value that their "
            "norm makes of zeros, so what reads them stays. "
        )
    return (
        f"{told}Without all that is dead, {percent(left)} of the parameters and "
        f"{percent(size['multiplications_left'] or 0.0)} of the multiplications are left."
    )


def failed_checks(checks: Iterable[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """For each failed check: that it failed, and what that means; two sentences to put first.

    Args:
        checks: of a run, see checks.py; a run of an earlier version lacks the later ones.
    """
    return [
        (
            f"A hygiene check of this run failed: \N{LEFT DOUBLE QUOTATION MARK}{row['label']}"
            "\N{RIGHT DOUBLE QUOTATION MARK}.",
            f"{row['detail']} Do not rely on the figures of this run until the reason is known.",
        )
        for row in checks
        if row["passed"] is False
    ]


def failed_runs(failed: Mapping[str, Sequence[Mapping[str, Any]]], runs: int) -> list[str]:
    """For each check that failed in a sweep, a sentence with the runs.

    Args:
        failed: run -> its failed checks.
        runs: of how many runs.
    """
    by_label: dict[str, list[str]] = {}
    for run, rows in failed.items():
        for row in rows:
            by_label.setdefault(row["label"], []).append(run)
    return [
        f"A hygiene check failed in {len(names)} of {runs} runs: \N{LEFT DOUBLE QUOTATION MARK}{label}"
        f"\N{RIGHT DOUBLE QUOTATION MARK} ({_some(names)})."
        + (f" {NOT_SAFETY}" if label == MODELS_LEARNED else "")
        + " Do not rely on the figures of these runs until the reason is known."
        for label, names in by_label.items()
    ]


def _some(names: Sequence[str], most: int = 3) -> str:
    """The first names, and how many more there are."""
    more = len(names) - most
    return join([*names[:most], f"{more} more"] if more > 0 else names)


def join(items: Sequence[str], last: str = "and") -> str:
    """["a", "b", "c"] as "a, b and c"."""
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} {last} {items[-1]}"


def duration(seconds: float) -> str:
    """12.3 as "12 s", 200 as "3 min 20 s", 7300 as "2 h 1 min", 14400 as "4 h"."""
    whole = max(0, math.ceil(seconds) if seconds < 10 else round(seconds))
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest and minutes < 10 else f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    return f"{hours} h {rest} min" if rest else f"{hours} h"
