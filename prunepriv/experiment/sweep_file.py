"""Sweeps in the user's files: YAML or JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

from prunepriv.errors import ExperimentError
from prunepriv.experiment.sweep import Sweep, make_sweep

LARGEST_FILE = 64 * 2**10
"""Largest number of bytes: a sweep's file is written by hand."""
DEEPEST = 16


def load_sweep(file: Path) -> Sweep:
    """The sweep in a YAML or JSON file.

    Raises:
        ExperimentError: no such file, too large, neither YAML nor JSON, or not a sweep.
    """
    try:
        with file.open("rb") as stream:
            text = stream.read(LARGEST_FILE + 1)
    except OSError as error:
        raise ExperimentError(f"{file} cannot be read ({error.strerror})") from None
    return read_sweep(text, str(file))


def read_sweep(text: bytes, name: str) -> Sweep:
    """The sweep in the bytes of a file, which need not be trusted.

    Args:
        text: UTF-8; YAML's safe types only, without aliases.
        name: of the file, for errors.

    Raises:
        ExperimentError: too large, neither YAML nor JSON, or not a sweep.
    """
    if len(text) > LARGEST_FILE:
        raise ExperimentError(
            f"a sweep's file has at most {LARGEST_FILE // 2**10} KB, and {name} is larger: "
            "write a grid, not its cells"
        )
    try:
        return make_sweep(_plain(text.decode()))
    except yaml.MarkedYAMLError as error:
        line = f" at line {error.problem_mark.line + 1}" if error.problem_mark else ""
        what = f"{error.problem}{line}"
    except UnicodeDecodeError:
        what = "it is not UTF-8 text"
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        if isinstance(error, ExperimentError):
            raise
        what = str(error).splitlines()[0] if str(error) else "it cannot be parsed"
    raise ExperimentError(f"{name} is neither YAML nor JSON: {what}")


def parse_value(text: str) -> Any:
    """A value as YAML reads it, from the command line: "0.5" is a number, "conf" a name.

    Raises:
        ExperimentError: it cannot be read.
    """
    try:
        return _plain(text)
    except (yaml.YAMLError, ValueError, RecursionError):
        raise ExperimentError(f"{text[:80]!r} is not a value in YAML") from None


def _plain(text: str) -> Any:
    """The value of a YAML or JSON text; aliases are refused, because they can grow very large."""
    if text.lstrip().startswith("{"):
        try:
            return json.loads(text)
        except ValueError:
            pass  # YAML with braces
    depth = 0
    for event in yaml.parse(text, yaml.SafeLoader):
        if isinstance(event, yaml.AliasEvent):
            raise ValueError("a sweep uses no aliases (*name): write the values out")
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST:  # the parser's time grows with the square of the depth
            raise ValueError(f"its lists are nested more than {DEEPEST} deep")
    return yaml.safe_load(text)
