"""The command line that runs an experiment, printed beside every figure to make it again."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from typing import Any

from prunepriv.experiment.defaults import choice_of, half
from prunepriv.experiment.experiment import Experiment
from prunepriv.experiment.settings import SETTINGS, Setting, is_used
from prunepriv.options import knob_values


def command_line(experiment: Experiment, seeds: Sequence[int] = ()) -> str:
    """The command; options that follow from the others, or have their default, are left out.

    Args:
        experiment: what it runs.
        seeds: run it under each of these, instead of the experiment's own.
    """
    words = ["python", "-m", "prunepriv", "run"]
    choice = choice_of(experiment.model_dump(include={"model", "pruning", "defense"}))
    for setting in SETTINGS:
        if setting.path == "seed" and seeds:
            words += ["--seeds", text(tuple(seeds))]
        elif is_used(setting, choice):
            for value in _values(setting, experiment):
                words += [setting.option, value]
    return shlex.join(words)


def _values(setting: Setting, experiment: Experiment) -> Iterator[str]:
    """The values of a setting's option: none, one, or several if the option repeats."""
    value, data = setting.of(experiment), experiment.data
    if setting.path == "data.name":
        yield data.name if data.own is None else data.own.handle
    elif setting.path == "data.knobs":
        usual = knob_values(data.option, {})
        yield from (f"{name}={text(v)}" for name, v in value.items() if v != usual[name])
    elif setting.always_told or value != _usual(setting, experiment):
        yield text(value)


def _usual(setting: Setting, experiment: Experiment) -> Any:
    """The value of a setting that a command does not name."""
    if setting.path == "training.fine_tune_epochs":
        return half(experiment.training.epochs)
    return setting.default


def text(value: Any) -> str:
    """A value as it is written after an option; 0 means none."""
    if value is None:
        return "0"
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    if isinstance(value, float):
        return f"{value:g}" if float(f"{value:g}") == value else repr(value)
    return str(value)
