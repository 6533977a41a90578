"""Convert an experiment to the form's values and back, setting by setting."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from prunepriv.environment import store_folder
from prunepriv.experiment import Experiment
from prunepriv.experiment.parts import OwnDataset
from prunepriv.experiment.presets import presets
from prunepriv.experiment.settings import SETTINGS, Setting, is_used, with_value
from prunepriv.experiment.used_by import Choice
from prunepriv.options import DATASETS, MODELS, OWN, DatasetOption
from prunepriv.store.own_data import imported

PREFIX = "new_"
FIRST = "default"
"""Name of the preset that the form starts from."""
AS_TARGET = "Same as the target"
"""The choice for an adversary that knows the target's setting."""
SEEN = "data_sets_seen"

ON_FORM = tuple(one for one in SETTINGS if one.path not in ("data.name", "data.knobs"))
"""Settings with their own control; the data set and its generator have other controls."""


def start() -> dict[str, Any]:
    """The initial value of every control."""
    return values(presets()[FIRST].made)


def values(experiment: Experiment) -> dict[str, Any]:
    """An experiment as the form's values; a setting that is not used has its default."""
    knobs = {k.name: k.default for option in DATASETS.values() for k in option.knobs}
    data = experiment.data
    choice = Choice(experiment.model.name, experiment.pruning.approach, experiment.defense.name)
    return {
        **knobs,
        **data.knobs,
        "dataset": data.name if data.own is None else data.own.handle,
        **{
            one.key: to_form(one, one.of(experiment) if is_used(one, choice) else one.default)
            for one in ON_FORM
        },
    }


def settings(
    form: Mapping[str, Any], own: Mapping[str, OwnDataset] | None = None
) -> dict[str, Any]:
    """The form's values as input of ``make_experiment``, which must validate them.

    Args:
        form: a value per control.
        own: the user's data sets, by handle.
    """
    given: dict[str, Any] = {"data": _data(form, own or {})}
    choice = Choice(str(form["model"]), str(form["approach"]), str(form["defense"]))
    for one in ON_FORM:
        if is_used(one, choice):
            with_value(given, one.path, from_form(one, form[one.key]))
    return given


def to_form(setting: Setting, value: Any) -> Any:
    """A setting's value as its control holds it."""
    if assumed(setting):
        return AS_TARGET if value is None else f"{100 * value:g} %" if setting.percent else value
    if setting.many:
        return list(value)
    if value is None:
        return 0.0 if setting.kind == "float" else 0
    if setting.percent:
        return round(100 * value, 1) if setting.optional else round(100 * value)
    return value


def from_form(setting: Setting, value: Any) -> Any:
    """A control's value as the experiment needs it."""
    if assumed(setting):
        if value == AS_TARGET:
            return None
        return _share(float(value.removesuffix(" %"))) if setting.percent else value
    if setting.many:
        return list(value)
    if setting.zero and not value:
        return None
    return _share(value) if setting.percent else value


def assumed(setting: Setting) -> bool:
    """Whether a setting is an assumption of the adversary."""
    return setting.path.startswith("knowledge.")


def has_layers(model: str, kind: str) -> bool:
    """Whether the chosen network has layers of that kind."""
    return model in MODELS and kind in MODELS[model].layers


def own_data() -> dict[str, OwnDataset]:
    """The user's data sets, by handle: those in the store, and those of runs that were opened."""
    there = {one.own.handle: one.own for one in imported(store_folder())}
    return {**st.session_state.get(SEEN, {}), **there}


def remember(experiment: Experiment) -> None:
    """Let the form offer an experiment's own data set, even if its file is not in this store."""
    own = experiment.data.own
    if own is not None:
        st.session_state[SEEN] = {**st.session_state.get(SEEN, {}), own.handle: own}


def datasets() -> dict[str, DatasetOption]:
    """All data sets that the form offers."""
    return {**DATASETS, **{handle: own.option for handle, own in own_data().items()}}


def _data(form: Mapping[str, Any], own: Mapping[str, OwnDataset]) -> dict[str, Any]:
    name = form["dataset"]
    if name in own:
        return {"name": OWN, "own": own[name]}
    knobs = DATASETS[name].knobs if name in DATASETS else ()
    return {"name": name, "knobs": {knob.name: form[knob.name] for knob in knobs}}


def _share(percent: float) -> float:
    """60 per cent -> 0.6."""
    return round(percent / 100, 6)
