"""The form of a new run. Every control stands in the URL; nothing is trusted until validated.

All choices stay open: one that cannot be run is explained in the words of the experiment's own
check, beside a launch button that waits.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from prunepriv.errors import ExperimentError
from prunepriv.experiment import Experiment, make_experiment
from prunepriv.options import (
    APPROACHES,
    ATTACKS,
    DATASETS,
    DEFENSES,
    MODEL_KIND_SUMMARIES,
    MODEL_KINDS,
    MODELS,
    RECIPES,
    Option,
)
from prunepriv.places import data_folder
from prunepriv.presets import presets
from prunepriv.ui.glossary import tip

PREFIX = "new_"
FIRST = "default"
"""Name of the preset that the form starts from."""


def fill(experiment: Experiment) -> None:
    """Put an experiment's settings into the form; to be called before its controls are drawn."""
    for name, value in _values(experiment).items():
        st.session_state[PREFIX + name] = value


def draw() -> Experiment | ExperimentError:
    """Draw the form.

    Returns:
        The experiment that it describes, or what is wrong with it.
    """
    _draw_presets()
    with st.grid(2, min_column_width=330, gap="medium"):
        with st.container(gap="small"):
            _draw_data()
            _draw_network()
            _draw_attacks()
        with st.container(gap="small"):
            _draw_pruning()
            _draw_attacked()
    with st.expander("Advanced", icon=":material/tune:"):
        _draw_advanced()
    try:
        # what the other choices leave without a control has its default, and no effect
        form = {
            name: st.session_state.get(PREFIX + name, value) for name, value in _start().items()
        }
        return make_experiment(settings(form))
    except ExperimentError as error:
        return error


def settings(form: Mapping[str, Any]) -> dict[str, Any]:
    """The form's values as an experiment takes them; a browser may have sent anything."""
    knobs = {knob.name: form[knob.name] for knob in DATASETS[form["dataset"]].knobs}
    return {
        "data": {"name": form["dataset"], "limit": form["limit"] or None, "knobs": knobs},
        "model": {"name": form["model"], "width": form["width"] if _has_width(form) else 1.0},
        "training": {
            "epochs": form["epochs"],
            "fine_tune_epochs": form["fine_tune_epochs"],
            "patience": form["patience"] or None,
            "stop_at_member_accuracy": form["until"] / 100 or None,
        },
        "pruning": {"approach": form["approach"], "sparsity": form["sparsity"] / 100},
        "defense": {"name": form["defense"], "strength": form["strength"]},
        "attacks": {"names": list(form["attacks"]), "recipe": form["recipe"]},
        "models": list(form["attacked"]),
        "shadows": form["shadows"],
        "seed": form["seed"],
    }


def _has_width(form: Mapping[str, Any]) -> bool:
    """Whether the chosen network has channels to scale."""
    return form["model"] in MODELS and "conv" in MODELS[form["model"]].layers


def _values(experiment: Experiment) -> dict[str, Any]:
    """An experiment as the form's values."""
    knobs = {k.name: k.default for option in DATASETS.values() for k in option.knobs}
    training = experiment.training
    defended = experiment.defense.name != "none"
    return {
        **knobs,
        **experiment.data.knobs,
        "dataset": experiment.data.name,
        "limit": experiment.data.limit or 0,
        "model": experiment.model.name,
        "width": experiment.model.width,
        "epochs": training.epochs,
        "fine_tune_epochs": training.fine_tune_epochs,
        "patience": training.patience or 0,
        "until": round(100 * (training.stop_at_member_accuracy or 0), 1),
        "approach": experiment.pruning.approach,
        "sparsity": round(100 * experiment.pruning.sparsity),
        "defense": experiment.defense.name,
        "strength": experiment.defense.strength if defended else 4.0,
        "attacks": list(experiment.attacks.names),
        "recipe": experiment.attacks.recipe,
        "attacked": list(experiment.models),
        "shadows": experiment.shadows,
        "seed": experiment.seed,
    }


def _start() -> dict[str, Any]:
    return _values(presets()[FIRST].experiment)


def _key(name: str) -> dict[str, Any]:
    """What binds a control to the URL."""
    return {"key": PREFIX + name, "bind": "query-params"}


def _draw_presets() -> None:
    st.caption("Start from a preset, or choose below.")
    with st.container(horizontal=True, gap="xsmall"):
        for name, preset in presets().items():
            st.button(
                preset.label, key=f"preset_{name}", help=preset.description,
                on_click=_fill_from_preset, args=(name,),
            )  # fmt: skip


def _fill_from_preset(name: str) -> None:
    fill(presets()[name].experiment)


def _choose(label: str, name: str, options: Mapping[str, Option], **more: Any) -> str:
    """One of a table's options, and its one plain sentence."""
    chosen = st.segmented_control(
        label, list(options), required=True, default=_start()[name],
        format_func=lambda option: options[option].label, **_key(name), **more,
    )  # fmt: skip
    option = options.get(str(chosen))
    if option is not None:
        st.caption(option.summary)
    return str(chosen)


def _draw_data() -> None:
    name = _choose("Data set", "dataset", DATASETS, on_change=_suit_the_data)
    option = DATASETS[name]
    if not option.bundled:
        st.caption(f"Downloaded once, unless its archive lies in `{data_folder()}`.")


def _suit_the_data() -> None:
    """A change of data brings the first model that takes it, and what that model usually gets."""
    option = DATASETS[st.session_state[PREFIX + "dataset"]]
    suited = next(model.name for model in MODELS.values() if model.serves == option.kind)
    if st.session_state[PREFIX + "model"] != suited:
        st.session_state[PREFIX + "model"] = suited
        _suit_the_model()


def _suit_the_model() -> None:
    epochs = MODELS[st.session_state[PREFIX + "model"]].epochs
    st.session_state[PREFIX + "epochs"] = epochs
    st.session_state[PREFIX + "fine_tune_epochs"] = max(1, epochs // 2)


def _draw_network() -> None:
    _choose("Model", "model", MODELS, on_change=_suit_the_model)


def _draw_pruning() -> None:
    _choose("Pruning approach", "approach", APPROACHES, help=tip("approach"))
    st.slider(
        "Sparsity", min_value=0, max_value=95, step=5, value=_start()["sparsity"], format="%d %%",
        help=tip("sparsity"), **_key("sparsity"),
    )  # fmt: skip
    name = _choose("Defence", "defense", DEFENSES, on_change=_suit_the_defense)
    option = DEFENSES.get(name)
    if option is not None and option.high > option.low:
        st.number_input(
            "Strength λ", min_value=option.low, max_value=option.high, step=1.0,
            value=_start()["strength"], help=tip("strength"), **_key("strength"), width=150,
        )  # fmt: skip


def _suit_the_defense() -> None:
    """A defended model is attacked as soon as there is a defence, and not without."""
    kinds = set(st.session_state[PREFIX + "attacked"]) - {"defended"}
    if st.session_state[PREFIX + "defense"] != "none":
        kinds.add("defended")
    st.session_state[PREFIX + "attacked"] = [kind for kind in MODEL_KINDS if kind in kinds]


def _draw_attacked() -> None:
    st.pills(
        "Models that are attacked", MODEL_KINDS, selection_mode="multi",
        default=_start()["attacked"], format_func=str.capitalize, **_key("attacked"),
        help="\n".join(f"- **{k.capitalize()}**: {text}" for k, text in MODEL_KIND_SUMMARIES.items()),
    )  # fmt: skip


def _draw_attacks() -> None:
    st.pills(
        "Attacks", list(ATTACKS), selection_mode="multi", default=_start()["attacks"],
        format_func=lambda name: ATTACKS[name].label, **_key("attacks"),
        help="\n".join(f"- **{a.label}**: {a.summary}" for a in ATTACKS.values()),
    )  # fmt: skip
    with st.container(horizontal=True):
        st.number_input(
            "Shadow models", min_value=1, max_value=256, value=_start()["shadows"],
            help=tip("shadows"), **_key("shadows"), width=150,
        )  # fmt: skip
        st.number_input(
            "Seed", min_value=0, max_value=2**31 - 1, value=_start()["seed"],
            help=tip("seed"), **_key("seed"), width=150,
        )  # fmt: skip


def _draw_advanced() -> None:
    start = _start()
    with st.grid(4, min_column_width=180):
        _number("Epochs", "epochs", 1, 1000, "Most epochs of training.")
        _number("Fine-tuning epochs", "fine_tune_epochs", 1, 1000, "Most epochs after pruning.")
        _number("Patience", "patience", 0, 1000, tip("early_stopping") + " 0: never stop early.")
        st.number_input(
            "Train until members reach (%)", min_value=0.0, max_value=100.0, step=1.0,
            value=float(start["until"]), **_key("until"),
            help="Train the original, without early stopping, until so many of its members are "
            "classified correctly. 0: stop early as usual.",
        )  # fmt: skip
        _number("Records", "limit", 0, 1_000_000, tip("limit") + " 0: all of them.", step=100)
        if _has_width({"model": st.session_state[PREFIX + "model"]}):
            st.number_input(
                "Width of the network", min_value=0.1, max_value=4.0, step=0.25,
                value=float(start["width"]), **_key("width"),
                help="Factor on the channels of a convolutional network.",
            )  # fmt: skip
        for knob in DATASETS[st.session_state[PREFIX + "dataset"]].knobs:
            st.slider(
                knob.label, knob.low, knob.high, knob.default, knob.step,
                help=knob.summary, **_key(knob.name),
            )  # fmt: skip
    _choose("Attack recipe", "recipe", RECIPES, help=tip("recipe"))


def _number(label: str, name: str, low: int, high: int, help_: str, step: int = 1) -> None:
    st.number_input(
        label, min_value=low, max_value=high, step=step, value=_start()[name], help=help_,
        **_key(name),
    )  # fmt: skip
