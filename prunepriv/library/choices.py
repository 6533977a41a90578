"""The Experiment or the Sweep that a caller chose, by keywords or as a whole."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prunepriv.environment import store_folder
from prunepriv.errors import ExperimentError
from prunepriv.experiment import Experiment, make_experiment
from prunepriv.experiment.presets import get_preset
from prunepriv.experiment.settings import BY_PATH, refuse_unused
from prunepriv.experiment.sweep import Sweep, changed, make_sweep, with_settings
from prunepriv.library.keywords import (
    DATA,
    KEYWORDS,
    LABEL_COLUMN,
    check_names,
    errors_in_keywords,
    is_iterable,
    path_of,
    value_of,
)
from prunepriv.prose import join

ReadData = Callable[[str | Path | None, str | None], dict[str, Any]]
"""From a name or path and a label column to the settings of the data."""

SEED, WIDTH = KEYWORDS["seed"].path, KEYWORDS["width"].path


def folder_of(store: Any) -> Path:
    """The folder of the store, by the same rules as ``--store``.

    Raises:
        ExperimentError: the value is neither a path nor None.
    """
    if store is not None and not isinstance(store, (str, os.PathLike)):
        raise ExperimentError(f"store must be the path of a folder, got {store!r}")
    return store_folder(None if store is None else Path(store))


@dataclass(frozen=True)
class Choices:
    """The choices that were made by keyword.

    Attributes:
        keywords: names of the given keywords.
        settings: settings with one value, by dotted name.
        axes: settings with several values, by dotted name.
    """

    keywords: tuple[str, ...]
    settings: Mapping[str, Any]
    axes: Mapping[str, list[Any]]


def choices_of(keywords: Mapping[str, Any], read_data: ReadData) -> Choices:
    """The choices that keywords make.

    Raises:
        ExperimentError: an unknown keyword, or a value of a wrong type.
        DataError: the user's own file cannot be used.
    """
    given = check_names(keywords)
    settings = _data(given.get(DATA), given.get(LABEL_COLUMN), read_data)
    for name, value in given.items():
        if name not in (DATA, LABEL_COLUMN):
            settings[KEYWORDS[name].path] = value_of(KEYWORDS[name], value)
    axes = {
        path: value
        for path, value in settings.items()
        if isinstance(value, list) and not (path in BY_PATH and BY_PATH[path].many)
    }
    rest = {path: value for path, value in settings.items() if path not in axes}
    return Choices(tuple(given), rest, axes)


def experiment_of(experiment: Any, preset: Any, choices: Choices) -> Experiment:
    """The chosen experiment: a whole one, or keywords that change a preset or the defaults.

    Raises:
        ExperimentError: a choice that cannot be run.
    """
    if experiment is not None:
        if choices.keywords or preset is not None:
            beside = join(choices.keywords) or "preset"
            raise ExperimentError(
                f"experiment holds all settings: put {beside} into it, or leave experiment out"
            )
        return _whole(experiment)
    with errors_in_keywords():
        for path, values in choices.axes.items():
            raise ExperimentError(
                f"{path} must have one value in a run, got {values}: use prunepriv.sweep for several"
            )
        settings = with_settings(_base(preset), choices.settings)
        named = {path: BY_PATH[path].name for path in choices.settings if path in BY_PATH}
        refuse_unused(settings, named)
        return make_experiment(settings)


def new_sweep(name: str | None, preset: Any, choices: Choices, skip_impossible: bool) -> Sweep:
    """The sweep over all settings that were given several values.

    Raises:
        ExperimentError: no setting has several values, or a cell cannot be run.
    """
    if not choices.axes:
        raise ExperimentError(
            "a sweep needs a setting with several values: give a list, such as sparsity=[0.5, 0.7]"
        )
    with errors_in_keywords():
        return make_sweep(
            {
                "name": name or join([BY_PATH[path].name for path in choices.axes]),
                "base": with_settings(_base(preset), choices.settings),
                "grid": dict(choices.axes),
                "skip_impossible": skip_impossible,
            }
        )


def changed_sweep(sweep: Sweep, only: Any, choices: Choices) -> Sweep:
    """A sweep with other settings for all cells, or with fewer values of its axes.

    Raises:
        ExperimentError: a setting that is an axis, or an axis or value that the sweep lacks.
    """
    settings, axes = dict(choices.settings), dict(choices.axes)
    seeds, width = axes.pop(SEED, None), settings.pop(WIDTH, None)
    if SEED in settings:
        seeds = [settings.pop(SEED)]
    with errors_in_keywords():
        for path, values in axes.items():
            raise ExperimentError(
                f"{path} must have one value for all cells of this sweep, got {values}: "
                "choose values of an axis with only={...}"
            )
        return changed(sweep, settings, _kept(only), seeds, width)


def _whole(experiment: Any) -> Experiment:
    if isinstance(experiment, Experiment):
        return experiment
    if isinstance(experiment, Mapping):
        return make_experiment(dict(experiment))
    raise ExperimentError(
        "experiment must be an Experiment or settings by part, {'data': {'name': 'digits'}}, "
        f"got {experiment!r}"
    )


def _base(preset: Any) -> dict[str, Any]:
    if preset is not None and not isinstance(preset, str):
        raise ExperimentError(f"preset must be the name of a preset, got {preset!r}")
    return {} if preset is None else get_preset(preset).copy()


def _data(named: Any, label_column: Any, read_data: ReadData) -> dict[str, Any]:
    """The settings of the data, by dotted name."""
    if is_iterable(named):
        if label_column is not None:
            raise ExperimentError("label_column is for one file: name the file with data")
        return {KEYWORDS[DATA].path: value_of(KEYWORDS[DATA], named)}
    if named is not None and not isinstance(named, (str, Path)):
        raise ExperimentError(f"data must be a name, a path or own:DIGEST, got {named!r}")
    if named is None and label_column is None:
        return {}
    with errors_in_keywords():
        found = read_data(named, label_column)
    return {f"data.{name}": value for name, value in found.items()}


def _kept(only: Any) -> dict[str, list[Any]]:
    """The values to keep, by the dotted name of the axis."""
    if only is not None and not isinstance(only, Mapping):
        raise ExperimentError(
            f"only must be values by axis, such as {{'sparsity': [0.5]}}, got {only!r}"
        )
    return {
        path_of(axis): list(values) if is_iterable(values) else [values]
        for axis, values in (only or {}).items()
    }
