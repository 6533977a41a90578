"""A sweep: one experiment for every cell of a grid over its settings and seeds. Imports no torch.

In YAML or JSON::

    name: sparsity on Location
    base: {data: {name: location}, defense: {name: ppb}}
    grid:
      pruning.sparsity: [0.5, 0.7]
      seed: [1, 2]

``grids:``, a list, holds several grids over one base. Axes are settings of
:class:`prunepriv.experiment.Experiment` by their dotted names.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

from pydantic import Field, ValidationError, model_validator

from prunepriv.errors import ExperimentError
from prunepriv.experiment.defaults import PARTS
from prunepriv.experiment.experiment import Experiment, canonical_json, make_experiment
from prunepriv.experiment.parts import Part
from prunepriv.experiment.sentences import describe_mistakes, short
from prunepriv.experiment.settings import BY_PATH, with_value

MOST_CELLS = 10_000
ALWAYS = ("data.name", "model.name", "pruning.approach", "pruning.sparsity", "defense.name")
"""Settings that every table of a sweep shows, whether they are axes or not."""
KNOWN = "knowledge."
"""Axes of how the adversary believes the target was pruned; if it is right, the target's values."""

_ID = re.compile(r"[0-9a-z_-]{8,64}")


@dataclass(frozen=True)
class Cell:
    """One experiment of a sweep.

    Attributes:
        experiment: what is run.
        values: its value of each axis and of each setting in ALWAYS.
    """

    experiment: Experiment
    values: Mapping[str, Any]


class Sweep(Part):
    """A grid over settings of an experiment. Every Sweep object can be run.

    Raises (from :func:`make_sweep`):
        ExperimentError: an unknown axis, an empty one, too many cells, or a cell that cannot be run.
    """

    name: str = Field(min_length=1, max_length=100, description="Its name in texts.")
    base: dict[str, Any] = Field(default_factory=dict, description="Settings of all cells.")
    grid: dict[str, list[Any]] | None = Field(None, description="Values by axis.")
    grids: tuple[dict[str, list[Any]], ...] = Field((), description="Several grids over one base.")
    skip_impossible: bool = Field(False, description="Leave out cells that cannot be run.")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.grid is None) == (not self.grids):
            raise ExperimentError("a sweep has either a grid or grids: give one of them")
        for name in _paths(self.base):
            _check_setting(name)
        for grid in self.blocks:
            for axis, values in grid.items():
                _check_setting(axis)
                if not values:
                    raise ExperimentError(f"axis {axis} has no values: give at least one")
        count = sum(math.prod(map(len, grid.values())) for grid in self.blocks)
        if count > MOST_CELLS:
            raise ExperimentError(
                f"a sweep has at most {MOST_CELLS:,} cells, and this one has {count:,}: split it"
            )
        if not self.cells:
            raise ExperimentError(f"no cell of this sweep can be run: {self.impossible[0]}")
        return self

    @property
    def blocks(self) -> tuple[dict[str, list[Any]], ...]:
        """Its grids, one or several."""
        return self.grids if self.grid is None else (self.grid,)

    @cached_property
    def axes(self) -> tuple[str, ...]:
        """Settings that it varies, in the order in which they are named."""
        return tuple(dict.fromkeys(axis for grid in self.blocks for axis in grid))

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """What a table shows of each cell: ALWAYS, then the other axes, the seed last."""
        named = dict.fromkeys((*ALWAYS, *self.axes))
        return (*(name for name in named if name != "seed"), "seed")

    @property
    def cells(self) -> tuple[Cell, ...]:
        """The cells that can be run, in the grid's order, each experiment once."""
        return self._expanded[0]

    @property
    def impossible(self) -> tuple[str, ...]:
        """One sentence for each cell that was skipped."""
        return self._expanded[1]

    @cached_property
    def experiments(self) -> tuple[Experiment, ...]:
        return tuple(cell.experiment for cell in self.cells)

    @cached_property
    def run_ids(self) -> tuple[str, ...]:
        return tuple(experiment.run_id for experiment in self.experiments)

    @cached_property
    def sweep_id(self) -> str:
        """Readable, unique, made of [0-9a-z_-] only: the same name and runs have the same id."""
        slug = re.sub(r"[^0-9a-z]+", "-", self.name.lower()).strip("-")[:40].strip("-") or "sweep"
        identity = canonical_json([self.name, self.axes, self.run_ids])
        return f"{slug}-{hashlib.sha256(identity.encode()).hexdigest()[:12]}"

    @property
    def definition(self) -> dict[str, Any]:
        """The plain values from which :func:`make_sweep` makes it again."""
        whole = self.model_dump(mode="json")
        return {name: value for name, value in whole.items() if value not in (None, [], False)}

    @cached_property
    def _expanded(self) -> tuple[tuple[Cell, ...], tuple[str, ...]]:
        found: dict[str, Experiment] = {}
        impossible: list[str] = []
        for chosen in self._choices():
            try:
                experiment = make_experiment(with_settings(self.base, chosen))
            except ExperimentError as error:
                sentence = f"{_cell_text(chosen)}: {error}" if chosen else str(error)
                if not self.skip_impossible:
                    raise ExperimentError(f"cell {sentence}") from None
                impossible.append(sentence)
                continue
            found.setdefault(experiment.key, experiment)
        cells = tuple(
            Cell(one, {name: value_of(one, name) for name in self.columns})
            for one in found.values()
        )
        return cells, tuple(impossible)

    def _choices(self) -> Iterator[dict[str, Any]]:
        for grid in self.blocks:
            for values in itertools.product(*grid.values()):
                yield dict(zip(grid, values, strict=True))


def make_sweep(given: Any) -> Sweep:
    """A Sweep from plain values, with every mistake reported in one sentence.

    Raises:
        ExperimentError: unknown fields or axes, wrong types, empty axes, impossible cells.
    """
    if not isinstance(given, dict):
        raise ExperimentError(f"a sweep must be a mapping (name, base, grid), got {short(given)}")
    for name in given:
        if name not in Sweep.model_fields:
            known = ", ".join(Sweep.model_fields)
            raise ExperimentError(f"{short(name)} is not part of a sweep: its parts are {known}")
    try:
        given = json.loads(json.dumps(given, allow_nan=False))
    except (TypeError, ValueError, RecursionError):
        raise ExperimentError(
            "a sweep holds text, finite numbers, true, false, lists and mappings only: "
            "put dates and similar values in quotes"
        ) from None
    try:
        return Sweep.model_validate(given)
    except ValidationError as error:
        raise ExperimentError(describe_mistakes(error, "sweep")) from None


def with_settings(base: Mapping[str, Any], chosen: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of settings by part, with values set by dotted name."""
    settings: dict[str, Any] = json.loads(json.dumps(base))
    for name, value in chosen.items():
        with_value(settings, name, value)
    return settings


def value_of(experiment: Experiment, name: str) -> Any:
    """A setting by its dotted name; for what the adversary knows, the target's setting."""
    if name.startswith(KNOWN):
        known = getattr(experiment.knowledge, name.removeprefix(KNOWN))
        if known is not None:
            return known
        name = "pruning." + name.removeprefix(KNOWN)
    value: Any = experiment
    for part in name.split("."):
        value = value[part] if isinstance(value, dict) else getattr(value, part)
    return ",".join(map(str, value)) if isinstance(value, tuple) else value


def changed(
    sweep: Sweep,
    settings: Mapping[str, Any] | None = None,
    only: Mapping[str, Sequence[Any]] | None = None,
    seeds: Sequence[int] | None = None,
    width: float | None = None,
) -> Sweep:
    """A smaller or otherwise changed sweep.

    Args:
        sweep: what to start from.
        settings: values for all cells, by dotted name; none of them an axis.
        only: values to keep, by axis; a grid that has none of them is left out.
        seeds: the seeds to run, instead of its own.
        width: factor on the channels of the networks that have channels.

    Raises:
        ExperimentError: a setting that is an axis, or an unknown axis or value of the sweep.
    """
    settings = dict(settings or {})
    for name in settings:
        _check_setting(name)
        if name in sweep.axes:
            raise ExperimentError(f"{name} is an axis of this sweep: choose among its values")
    grids = list(sweep.blocks)
    for axis, values in (only or {}).items():
        grids = _restricted(sweep, grids, axis, values)
    if not grids:
        raise ExperimentError("no cell of the sweep is left: choose values that occur together")
    if seeds is not None:
        grids = [{**grid, "seed": list(seeds)} for grid in grids]
    base = with_settings(sweep.base, settings)
    if width is not None:
        grids = [_widened(base, grid, width) for grid in grids]
    given = {**sweep.definition, "base": base, "grids": grids}
    return make_sweep({name: value for name, value in given.items() if name != "grid"})


def is_sweep_id(text: str) -> bool:
    """Whether a text can be a sweep's id; no other text becomes a path."""
    return _ID.fullmatch(text) is not None


def _paths(settings: Mapping[str, Any]) -> Iterator[str]:
    """Dotted names of nested settings."""
    for name, value in settings.items():
        if name in PARTS and isinstance(value, dict):
            yield from (f"{name}.{field}" for field in value)
        else:
            yield str(name)


def _check_setting(name: str) -> None:
    """Refuse a name that is not a setting of an experiment, or that is a whole part."""
    part, _, rest = name.partition(".")
    if name in BY_PATH or name == "data.own" or name.startswith("data.knobs."):
        return
    if part not in PARTS:
        raise ExperimentError(f"{short(name, str)} is not a setting")
    known = ", ".join(path.partition(".")[2] for path in BY_PATH if path.startswith(f"{part}."))
    if not rest:
        raise ExperimentError(f"{part} is not a setting: it has {known}")
    raise ExperimentError(f"{short(name, str)} is not a setting: {part} has {known}")


def _restricted(
    sweep: Sweep, grids: list[dict[str, list[Any]]], axis: str, values: Sequence[Any]
) -> list[dict[str, list[Any]]]:
    if axis not in sweep.axes:
        raise ExperimentError(
            f"{short(axis, str)} is not an axis of this sweep: its axes are {', '.join(sweep.axes)}"
        )
    there = list(dict.fromkeys(str(v) for grid in sweep.blocks for v in grid.get(axis, ())))
    for value in values:
        if str(value) not in there:
            raise ExperimentError(
                f"{axis} has no value {value} in this sweep: it has {', '.join(there)}"
            )
    wanted = set(map(str, values))
    kept = [{**grid, axis: [v for v in grid.get(axis, ()) if str(v) in wanted]} for grid in grids]
    return [grid for grid in kept if grid[axis]]


def _widened(
    base: dict[str, Any], grid: dict[str, list[Any]], width: float
) -> dict[str, list[Any]]:
    """The grid with that width, if its first cell's network has channels."""
    first = {axis: values[0] for axis, values in grid.items()}
    has_channels = "conv" in make_experiment(with_settings(base, first)).model.option.layers
    return {**grid, "model.width": [width]} if has_channels else grid


def _cell_text(chosen: Mapping[str, Any]) -> str:
    """A cell by its axes' values: "pruning.sparsity=0.5, seed=1"."""
    return ", ".join(f"{axis}={short(value, str)}" for axis, value in chosen.items())
