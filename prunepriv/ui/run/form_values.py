"""The form's values: an experiment as its controls hold it, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from prunepriv.environment import store_folder
from prunepriv.experiment import Experiment
from prunepriv.experiment.parts import OwnDataset
from prunepriv.experiment.presets import presets
from prunepriv.options import APPROACHES, DATASETS, DEFENSES, MODELS, OWN, DatasetOption
from prunepriv.store.own_data import imported

PREFIX = "new_"
FIRST = "default"
"""Name of the preset that the form starts from."""
AS_TARGET = "As the target's"
"""What the adversary assumes where it knows."""
ASSUMED_SPARSITIES = (AS_TARGET, *(f"{percent} %" for percent in range(0, 100, 5)))
ASSUMED_APPROACHES = (AS_TARGET, *APPROACHES)
SEEN = "data_sets_seen"


def start() -> dict[str, Any]:
    """What every control holds at first."""
    return values(presets()[FIRST].made)


def values(experiment: Experiment) -> dict[str, Any]:
    """An experiment as the form's values."""
    knobs = {k.name: k.default for option in DATASETS.values() for k in option.knobs}
    data, training, known = experiment.data, experiment.training, experiment.knowledge
    defense = experiment.defense.option
    defended = defense.name != "none"
    private = defense.name == "dp_sgd"
    return {
        **knobs,
        **data.knobs,
        "dataset": data.name if data.own is None else data.own.handle,
        "limit": data.limit or 0,
        "model": experiment.model.name,
        "width": experiment.model.width,
        "norm": experiment.model.norm,
        "epochs": training.epochs,
        "fine_tune_epochs": training.fine_tune_epochs,
        "patience": training.patience or 0,
        "until": round(100 * (training.stop_at_member_accuracy or 0), 1),
        "approach": experiment.pruning.approach,
        "sparsity": round(100 * experiment.pruning.sparsity),
        "defense": defense.name,
        "strength": experiment.defense.strength if defended else DEFENSES["ppb"].default_strength,
        "clip": experiment.defense.clip if private else 1.0,
        "assumed_approach": known.approach or AS_TARGET,
        "assumed_sparsity": AS_TARGET if known.sparsity is None else f"{100 * known.sparsity:g} %",
        "sensitivity": experiment.signals.sensitivity,
        "attacks": list(experiment.attacks.names),
        "recipe": experiment.attacks.recipe,
        "attacked": list(experiment.models),
        "shadows": experiment.shadows,
        "seed": experiment.seed,
    }


def settings(
    form: Mapping[str, Any], own: Mapping[str, OwnDataset] | None = None
) -> dict[str, Any]:
    """The form's values as an experiment takes them; a browser may have sent anything.

    Args:
        form: a value per control.
        own: the user's data sets, by what commands name them by.
    """
    return {
        "data": _data(form, own or {}),
        "model": {
            "name": form["model"],
            "width": form["width"] if has_layers(form["model"], "conv") else 1.0,
            "norm": form["norm"] if has_layers(form["model"], "batch_norm") else "batch",
        },
        "training": {
            "epochs": form["epochs"],
            "fine_tune_epochs": form["fine_tune_epochs"],
            "patience": form["patience"] or None,
            "stop_at_member_accuracy": form["until"] / 100 or None,
        },
        "pruning": {"approach": form["approach"], "sparsity": form["sparsity"] / 100},
        "defense": {
            "name": form["defense"],
            "strength": form["strength"],
            "clip": form["clip"],
        },
        "knowledge": {
            "approach": _assumed(form["assumed_approach"]),
            "sparsity": _share(_assumed(form["assumed_sparsity"])),
        },
        "signals": {"sensitivity": form["sensitivity"]},
        "attacks": {"names": list(form["attacks"]), "recipe": form["recipe"]},
        "models": list(form["attacked"]),
        "shadows": form["shadows"],
        "seed": form["seed"],
    }


def has_layers(model: str, kind: str) -> bool:
    """Whether the chosen network has layers of that kind."""
    return model in MODELS and kind in MODELS[model].layers


def own_data() -> dict[str, OwnDataset]:
    """The user's data sets, by what commands name them by: of the store, and of runs looked at."""
    there = {one.own.handle: one.own for one in imported(store_folder())}
    return {**st.session_state.get(SEEN, {}), **there}


def remember(experiment: Experiment) -> None:
    """Let the form offer an experiment's own data set, though its file is not in this store."""
    own = experiment.data.own
    if own is not None:
        st.session_state[SEEN] = {**st.session_state.get(SEEN, {}), own.handle: own}


def datasets() -> dict[str, DatasetOption]:
    """All data sets that the form offers."""
    return {**DATASETS, **{handle: own.option for handle, own in own_data().items()}}


def _data(form: Mapping[str, Any], own: Mapping[str, OwnDataset]) -> dict[str, Any]:
    name, limit = form["dataset"], form["limit"] or None
    if name in own:
        return {"name": OWN, "own": own[name], "limit": limit}
    knobs = DATASETS[name].knobs if name in DATASETS else ()
    return {"name": name, "limit": limit, "knobs": {knob.name: form[knob.name] for knob in knobs}}


def _assumed(value: str) -> str | None:
    return None if value == AS_TARGET else value


def _share(percent: str | None) -> float | None:
    """Of "60 %": 0.6."""
    return None if percent is None else float(percent.removesuffix(" %")) / 100
