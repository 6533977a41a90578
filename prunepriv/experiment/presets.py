"""Named experiments and sweeps, from ``assets/presets.json`` and ``assets/sweeps.json``."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, Generic, TypeVar

from prunepriv.environment import ASSETS
from prunepriv.errors import UnknownNameError
from prunepriv.experiment.experiment import Experiment, make_experiment
from prunepriv.experiment.sweep import Sweep, make_sweep

EXPERIMENTS = ASSETS / "presets.json"
SWEEPS = ASSETS / "sweeps.json"

Made = TypeVar("Made")


@dataclass(frozen=True)
class Preset(Generic[Made]):
    """An experiment or a sweep with a name.

    Attributes:
        name: its name for ``--preset`` or ``sweep``.
        label: its name in texts.
        description: one plain sentence.
        settings: the settings that it sets; the others have their defaults.
        make: makes the experiment or the sweep from settings.
    """

    name: str
    label: str
    description: str
    settings: Mapping[str, Any]
    make: Callable[[dict[str, Any]], Made]

    @cached_property
    def made(self) -> Made:
        """The experiment or the sweep."""
        return self.make(self.copy())

    def copy(self) -> dict[str, Any]:
        """A copy of its settings, which may be changed."""
        settings: dict[str, Any] = json.loads(json.dumps(self.settings))
        return settings


@lru_cache(maxsize=4)
def presets(file: Path = EXPERIMENTS) -> dict[str, Preset[Experiment]]:
    """All named experiments by name, in the file's order."""
    return {
        one["name"]: Preset(
            one["name"], one["label"], one["description"], one["experiment"], make_experiment
        )
        for one in json.loads(file.read_text(encoding="utf-8"))
    }


@lru_cache(maxsize=4)
def sweep_presets(file: Path = SWEEPS) -> dict[str, Preset[Sweep]]:
    """All named sweeps by name, in the file's order."""
    return {
        one["name"]: Preset(
            one["name"],
            one["label"],
            one["description"],
            {"name": one["name"], **one["sweep"]},
            make_sweep,
        )
        for one in json.loads(file.read_text(encoding="utf-8"))
    }


def get_preset(name: str) -> Preset[Experiment]:
    """The experiment with that name.

    Raises:
        UnknownNameError: no such preset; the error lists the known ones.
    """
    known = presets()
    if name not in known:
        raise UnknownNameError(f"unknown preset {name!r}: choose one of {', '.join(known)}")
    return known[name]


def get_sweep(name: str) -> Sweep:
    """The sweep with that name.

    Raises:
        UnknownNameError: no such preset; the error lists the known ones.
    """
    known = sweep_presets()
    if name not in known:
        raise UnknownNameError(
            f"there is no sweep {name!r}: name a file, a sweep of the store, or one of "
            f"{', '.join(known)}"
        )
    return known[name].made
