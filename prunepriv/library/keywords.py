"""Keywords of ``run`` and ``sweep``: the options of the command line, with underscores.

Like those options, they are made from the table of settings.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from difflib import get_close_matches
from os import PathLike
from typing import Any

from prunepriv.errors import ExperimentError
from prunepriv.experiment import PARTS
from prunepriv.experiment.settings import BY_PATH, SETTINGS, Setting

KEYWORDS: Mapping[str, Setting] = {setting.name: setting for setting in SETTINGS}

DATA, LABEL_COLUMN = "dataset", "label_column"
"""Keywords that together name a data set: see :mod:`prunepriv.store.named_data`."""

ALIASES: Mapping[str, str] = {"data": DATA, "knobs": "knob"}

NAMES: tuple[str, ...] = (*KEYWORDS, LABEL_COLUMN, *ALIASES)
"""All keywords that set a part of an experiment."""

OTHERS = ("experiment", "preset", "store", "inline", "progress")
"""The other keywords of ``run``."""


def check_names(keywords: Mapping[str, Any]) -> dict[str, Any]:
    """The given keywords without aliases; a keyword with the value None is dropped.

    Raises:
        ExperimentError: an unknown keyword, or one that was given under two names.
    """
    found: dict[str, Any] = {}
    for name, value in keywords.items():
        if name not in NAMES:
            near = get_close_matches(name, (*NAMES, *OTHERS), n=1)
            advice = f"did you mean {near[0]}?" if near else f"choose among {', '.join(NAMES)}"
            raise ExperimentError(f"unknown keyword {name!r}: {advice}")
        own = ALIASES.get(name, name)
        if own in found and value is not None:
            raise ExperimentError(f"{own} was given under two names: use one of them")
        if value is not None:
            found[own] = value
    return found


def value_of(setting: Setting, value: Any) -> Any:
    """The value of a keyword for the experiment, or a list if several values were given.

    Raises:
        ExperimentError: a value of a wrong type.
    """
    value = _plain(value)
    if setting.kind == "dict":
        return _numbers(setting.name, value)
    if setting.many:
        return _names(setting.name, value)
    if is_iterable(value):
        return [_one(setting, _plain(item)) for item in value]
    return _one(setting, value)


def is_iterable(value: Any) -> bool:
    """Whether it contains several values; a text or a path does not."""
    return isinstance(value, Iterable) and not isinstance(value, (str, bytes, Mapping, PathLike))


def path_of(name: str) -> str:
    """The dotted name of a setting, from that name or from its keyword."""
    own = ALIASES.get(name, name)
    return KEYWORDS[own].path if own in KEYWORDS else name


@contextmanager
def errors_in_keywords() -> Iterator[None]:
    """Name settings by keyword in errors: ``clip`` for ``--clip`` and for ``defense.clip``."""
    try:
        yield
    except ExperimentError as error:
        raise type(error)(in_keywords(str(error))) from None


def in_keywords(sentence: str) -> str:
    """A sentence with keywords in place of options and dotted names of settings."""
    sentence = re.sub(r"--([a-z][a-z-]+)", lambda found: found[1].replace("-", "_"), sentence)
    return re.sub(
        rf"\b(?:{'|'.join(PARTS)})\.\w+",
        lambda found: BY_PATH[found[0]].name if found[0] in BY_PATH else found[0],
        sentence,
    )


def _plain(value: Any) -> Any:
    """A NumPy number as a Python number; other values unchanged."""
    return value.item() if getattr(value, "shape", None) == () else value


def _one(setting: Setting, value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        expected = "a number" if setting.kind in ("int", "float") else "a name"
        raise ExperimentError(f"{setting.name} must be {expected}, got {value!r}")
    return None if setting.zero and value == 0 else value


def _names(name: str, value: Any) -> list[str]:
    if isinstance(value, str):
        return [part.strip() for part in value.split(",")]
    names = list(value) if is_iterable(value) else [value]
    if not all(isinstance(one, str) for one in names):
        raise ExperimentError(f"{name} must be a name or a list of names, got {value!r}")
    return sorted(names) if isinstance(value, (set, frozenset)) else names


def _numbers(name: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise ExperimentError(
            f"{name} must be numbers by name, such as {{'noise': 0.3}}, got {value!r}"
        )
    return {str(each): _plain(number) for each, number in value.items()}
