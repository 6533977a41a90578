"""One clear sentence for each mistake that pydantic finds: the rule, the value, what to do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pydantic import ValidationError

from prunepriv.errors import ExperimentError

LONGEST = 80
"""Largest number of characters of a value in a sentence."""

_RULES: Mapping[tuple[str, str], str] = {
    ("pruning.sparsity", "greater_than_equal"): "sparsity must lie in [0, 1)",
    ("pruning.sparsity", "less_than"): "sparsity must lie in [0, 1)",
    (
        "shadows",
        "greater_than_equal",
    ): "shadows must be at least 1, because every attack learns from them",
}
"""By field and pydantic's type of error, where its own message is not clear enough."""


def short(value: Any, words: Callable[[Any], str] = repr) -> str:
    """A value as a sentence shows it, cut if it is long."""
    text = words(value)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."


def describe_mistakes(error: ValidationError, whole: str) -> str:
    """All mistakes in an experiment or a sweep, in one text.

    Args:
        error: what pydantic found.
        whole: where they are, "experiment" or "sweep".
    """
    # if an item of a list is wrong, pydantic also reports the list as too short: drop that
    found = [e for e in error.errors() if e["type"] != "too_short" or not e["input"]]
    return "; ".join(_sentence(one, whole) for one in found)


def _sentence(error: Any, whole: str) -> str:
    """One of pydantic's errors as "field rule, got value"."""
    cause = error.get("ctx", {}).get("error")
    if isinstance(cause, ExperimentError):
        return str(cause)
    field, kind = ".".join(str(part) for part in error["loc"]) or whole, error["type"]
    if kind == "missing":
        return f"a {whole} needs a {field}: add it"
    if kind == "too_short":
        return f"{field} must name at least one, got none"
    if kind == "extra_forbidden":
        return f"{field} is not a setting"
    rule = _RULES.get((field, kind))
    if rule is None:
        text = error["msg"].replace("Input should be", "must be").replace("Value error, ", "")
        rule = f"{field} {text}"
    return f"{rule}, got {short(error['input'])}"
