"""Named experiments, from ``assets/presets.json``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from prunepriv.environment import ASSETS
from prunepriv.errors import UnknownNameError
from prunepriv.experiment import Experiment, make_experiment

FILE = ASSETS / "presets.json"


@dataclass(frozen=True)
class Preset:
    """An experiment with a name.

    Attributes:
        name: what ``--preset`` takes.
        label: what people read.
        description: one plain sentence.
        settings: what it asks for; the rest has its defaults.
    """

    name: str
    label: str
    description: str
    settings: Mapping[str, Any]

    @property
    def experiment(self) -> Experiment:
        """The whole experiment."""
        return make_experiment(json.loads(json.dumps(self.settings)))


@lru_cache(maxsize=4)
def presets(file: Path = FILE) -> dict[str, Preset]:
    """All presets by name, in the file's order."""
    return {
        entry["name"]: Preset(
            entry["name"], entry["label"], entry["description"], entry["experiment"]
        )
        for entry in json.loads(file.read_text())
    }


def get_preset(name: str) -> Preset:
    """The preset of that name.

    Raises:
        UnknownNameError: no such preset; the sentence lists the known ones.
    """
    known = presets()
    if name not in known:
        raise UnknownNameError(f"unknown preset {name!r}: choose one of {', '.join(known)}")
    return known[name]


def preset_settings(name: str) -> dict[str, Any]:
    """A copy of what the preset asks for, to be changed at will."""
    settings: dict[str, Any] = json.loads(json.dumps(get_preset(name).settings))
    return settings
