"""Sweeps in files of the user's: YAML or JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

from prunepriv.errors import ExperimentError
from prunepriv.experiment.sweep import Sweep, make_sweep

LARGEST_FILE = 64 * 2**10
"""Bytes of a sweep's file: it is written by hand."""
DEEPEST = 16


def load_sweep(file: Path) -> Sweep:
    """The sweep in a YAML or JSON file.

    Raises:
        ExperimentError: no such file, too large, neither YAML nor JSON, or no sweep.
    """
    try:
        with file.open("rb") as stream:
            text = stream.read(LARGEST_FILE + 1)
    except OSError as error:
        raise ExperimentError(f"{file} cannot be read ({error.strerror})") from None
    return read_sweep(text, str(file))


def read_sweep(text: bytes, name: str) -> Sweep:
    """The sweep in the bytes of a file, which may come from anywhere.

    Args:
        text: UTF-8; YAML's safe types only, without aliases.
        name: of the file, for a mistake's sentence.

    Raises:
        ExperimentError: too large, neither YAML nor JSON, or no sweep.
    """
    if len(text) > LARGEST_FILE:
        raise ExperimentError(
            f"a sweep's file has {LARGEST_FILE // 2**10} KB at most, and {name} is larger: "
            "it holds a grid, not its cells"
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
        raise ExperimentError(f"{text[:80]!r} is not a value as YAML writes it") from None


def _plain(text: str) -> Any:
    """YAML's or JSON's value; aliases are refused, for they grow when they are written out."""
    if text.lstrip().startswith("{"):
        try:
            return json.loads(text)
        except ValueError:
            pass  # YAML's own braces
    depth = 0
    for event in yaml.parse(text, yaml.SafeLoader):
        if isinstance(event, yaml.AliasEvent):
            raise ValueError("a sweep uses no aliases (*name): write the values out")
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST:  # the parser's time grows with its square
            raise ValueError(f"its lists lie more than {DEEPEST} deep")
    return yaml.safe_load(text)
