"""One clear sentence for whatever pydantic finds wrong: the rule, what came, what to do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pydantic import ValidationError

from prunepriv.errors import ExperimentError

LONGEST = 80
"""Characters of a value that a sentence repeats."""

_RULES: Mapping[tuple[str, str], str] = {
    ("pruning.sparsity", "greater_than_equal"): "sparsity must lie in [0, 1)",
    ("pruning.sparsity", "less_than"): "sparsity must lie in [0, 1)",
    (
        "shadows",
        "greater_than_equal",
    ): "shadows must be 1 at least, for every attack learns from them",
}
"""By field and pydantic's type of error, where its own words do not say enough."""


def short(value: Any, words: Callable[[Any], str] = repr) -> str:
    """A value as a sentence repeats it, cut where it is long."""
    text = words(value)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."


def told(error: ValidationError, whole: str) -> str:
    """All that is wrong with an experiment or a sweep.

    Args:
        error: what pydantic found.
        whole: what it is wrong with, "experiment" or "sweep".
    """
    # where an item of a list is wrong, pydantic also calls the list too short: tell one thing
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
        return f"{field} must name one at least, got none"
    if kind == "extra_forbidden":
        return f"{field} is not a setting"
    rule = _RULES.get((field, kind))
    if rule is None:
        text = error["msg"].replace("Input should be", "must be").replace("Value error, ", "")
        rule = f"{field} {text}"
    return f"{rule}, got {short(error['input'])}"
