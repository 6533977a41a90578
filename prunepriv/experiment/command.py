"""The command line that runs an experiment: printed beside every figure, so that it can be made again."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import Any

from prunepriv.experiment.defaults import choice_of, half
from prunepriv.experiment.experiment import Experiment
from prunepriv.experiment.settings import SETTINGS, Setting, is_used
from prunepriv.options import knob_values


def command_line(experiment: Experiment) -> str:
    """What to type; options that follow from the others, or have their default, are left out."""
    words = ["python", "-m", "prunepriv", "run"]
    choice = choice_of(experiment.model_dump(include={"model", "pruning", "defense"}))
    for setting in SETTINGS:
        if is_used(setting, choice):
            for value in _values(setting, experiment):
                words += [setting.option, value]
    return shlex.join(words)


def _values(setting: Setting, experiment: Experiment) -> Iterator[str]:
    """What a setting's option is given: nothing, a value, or several of an option that repeats."""
    value, data = setting.of(experiment), experiment.data
    if setting.path == "data.name":
        yield data.name if data.own is None else data.own.handle
    elif setting.path == "data.knobs":
        usual = knob_values(data.option, {})
        yield from (f"{name}={text(v)}" for name, v in value.items() if v != usual[name])
    elif setting.always_told or value != _usual(setting, experiment):
        yield text(value)


def _usual(setting: Setting, experiment: Experiment) -> Any:
    """What a setting has where a command does not name it."""
    if setting.path == "training.fine_tune_epochs":
        return half(experiment.training.epochs)
    return setting.default


def text(value: Any) -> str:
    """A value as an option takes it; 0 stands for none."""
    if value is None:
        return "0"
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    if isinstance(value, float):
        return f"{value:g}" if float(f"{value:g}") == value else repr(value)
    return str(value)
