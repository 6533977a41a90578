"""The form of a new run. Every control stands in the URL; nothing is trusted until validated.

All choices stay open: one that cannot be run is explained in the words of the experiment's own
check, beside a launch button that waits.
"""

from __future__ import annotations

import streamlit as st

from prunepriv.errors import ExperimentError
from prunepriv.experiment import Experiment, make_experiment
from prunepriv.experiment.presets import presets
from prunepriv.options import (
    APPROACHES,
    ATTACKS,
    DATASETS,
    DEFENSES,
    MODEL_KIND_SUMMARIES,
    MODEL_KINDS,
    MODELS,
    RECIPES,
    DefenseOption,
)
from prunepriv.ui.glossary import tip
from prunepriv.ui.run import form_data
from prunepriv.ui.run.form_fields import choose, key, number, suit_the_defense, suit_the_model
from prunepriv.ui.run.form_values import (
    AS_TARGET,
    ASSUMED_APPROACHES,
    ASSUMED_SPARSITIES,
    PREFIX,
    has_layers,
    own_data,
    remember,
    settings,
    start,
    values,
)


def fill(experiment: Experiment) -> None:
    """Put an experiment's settings into the form; to be called before its controls are drawn."""
    remember(experiment)
    for name, value in values(experiment).items():
        st.session_state[PREFIX + name] = value


def draw() -> Experiment | ExperimentError:
    """Draw the form.

    Returns:
        The experiment that it describes, or what is wrong with it.
    """
    _draw_presets()
    with st.grid(2, min_column_width=330, gap="medium"):
        with st.container(gap="small"):
            form_data.draw()
            choose("Model", "model", MODELS, on_change=suit_the_model)
            _draw_attacks()
        with st.container(gap="small"):
            _draw_pruning()
            _draw_attacked()
    with st.expander("Advanced", icon=":material/tune:"):
        _draw_training()
        _draw_knowledge()
    try:
        # what the other choices leave without a control has its default, and no effect
        form = {name: st.session_state.get(PREFIX + name, value) for name, value in start().items()}
        return make_experiment(settings(form, own_data()))
    except ExperimentError as error:
        return error


def _draw_presets() -> None:
    st.caption("Start from a preset, or choose below.")
    with st.container(horizontal=True, gap="xsmall"):
        for name, preset in presets().items():
            st.button(
                preset.label, key=f"preset_{name}", help=preset.description,
                on_click=_fill_from_preset, args=(name,),
            )  # fmt: skip


def _fill_from_preset(name: str) -> None:
    fill(presets()[name].made)


def _draw_pruning() -> None:
    choose("Pruning approach", "approach", APPROACHES, help=tip("approach"))
    st.slider(
        "Sparsity", min_value=0, max_value=95, step=5, value=start()["sparsity"], format="%d %%",
        help=tip("sparsity"), **key("sparsity"),
    )  # fmt: skip
    name = choose("Defence", "defense", DEFENSES, on_change=suit_the_defense)
    option = DEFENSES.get(name)
    if option is not None and option.strength:
        _draw_strength(option)


def _draw_strength(option: DefenseOption) -> None:
    with st.container(horizontal=True):
        st.number_input(
            option.strength, min_value=option.low, max_value=option.high, step=option.step,
            value=option.default_strength, help=tip("strength"), **key("strength"), width=190,
        )  # fmt: skip
        if option.name == "dp_sgd":
            st.number_input(
                "Clip gradients at", min_value=0.0, max_value=1000.0, step=0.1,
                value=start()["clip"], **key("clip"), width=190,
                help="Largest L2 norm of a record's gradient; the noise grows with it.",
            )  # fmt: skip


def _draw_attacked() -> None:
    st.pills(
        "Models that are attacked", MODEL_KINDS, selection_mode="multi",
        default=start()["attacked"], format_func=str.capitalize, **key("attacked"),
        help="\n".join(f"- **{k.capitalize()}**: {text}" for k, text in MODEL_KIND_SUMMARIES.items()),
    )  # fmt: skip


def _draw_attacks() -> None:
    st.pills(
        "Attacks", list(ATTACKS), selection_mode="multi", default=start()["attacks"],
        format_func=lambda name: ATTACKS[name].label, **key("attacks"),
        help="\n".join(
            f"- **{a.label}**: {a.summary} *Needs: {a.needs[0].lower()}{a.needs[1:]}*"
            for a in ATTACKS.values()
        ),
    )  # fmt: skip
    with st.container(horizontal=True):
        st.number_input(
            "Shadow models", min_value=1, max_value=256, value=start()["shadows"],
            help=tip("shadows"), **key("shadows"), width=150,
        )  # fmt: skip
        st.number_input(
            "Seed", min_value=0, max_value=2**31 - 1, value=start()["seed"],
            help=tip("seed"), **key("seed"), width=150,
        )  # fmt: skip


def _draw_training() -> None:
    with st.grid(4, min_column_width=180):
        number("Epochs", "epochs", 1, 1000, "Most epochs of training.")
        number("Fine-tuning epochs", "fine_tune_epochs", 1, 1000, "Most epochs after pruning.")
        number("Patience", "patience", 0, 1000, tip("early_stopping") + " 0: never stop early.")
        st.number_input(
            "Train until members reach (%)", min_value=0.0, max_value=100.0, step=1.0,
            value=float(start()["until"]), **key("until"),
            help="Train the original, without early stopping, until so many of its members are "
            "classified correctly. 0: stop early as usual.",
        )  # fmt: skip
        number("Records", "limit", 0, 1_000_000, tip("limit") + " 0: all of them.", step=100)
        if has_layers(st.session_state[PREFIX + "model"], "conv"):
            st.number_input(
                "Width of the network", min_value=0.1, max_value=4.0, step=0.25,
                value=float(start()["width"]), **key("width"),
                help="Factor on the channels of a convolutional network.",
            )  # fmt: skip
        dataset = DATASETS.get(st.session_state[PREFIX + "dataset"])
        for knob in dataset.knobs if dataset is not None else ():
            st.slider(
                knob.label, knob.low, knob.high, knob.default, knob.step,
                help=knob.summary, **key(knob.name),
            )  # fmt: skip
        if has_layers(st.session_state[PREFIX + "model"], "batch_norm"):
            _draw_norm()
    choose("Attack recipe", "recipe", RECIPES, help=tip("recipe"))


def _draw_norm() -> None:
    private = st.session_state[PREFIX + "defense"] == "dp_sgd"
    forced = " DP-SGD needs group norm, in every model that is compared." if private else ""
    st.segmented_control(
        "Normalisation", ["batch", "group"], required=True, default=start()["norm"],
        format_func=lambda name: f"{name.capitalize()} norm", **key("norm"),
        help="Batch norm mixes the records of a batch; group norm looks at one record alone." + forced,
    )  # fmt: skip


def _draw_knowledge() -> None:
    """What is asked of models, and what the adversary takes the target's pruning for."""
    with st.grid(3, min_column_width=230):
        st.segmented_control(
            "Prediction sensitivity", ["sampled", "exact"], required=True,
            default=start()["sensitivity"], format_func=str.capitalize, **key("sensitivity"),
            help="Sampled: ten small steps per record, as an adversary asks. Exact: Jacobian-vector "
            "products, for whoever holds the model.",
        )  # fmt: skip
        st.selectbox(
            "Adversary assumes the approach", ASSUMED_APPROACHES,
            format_func=lambda name: name if name == AS_TARGET else APPROACHES[name].label,
            help="How the adversary prunes its shadows, where it does not know how the target was.",
            **key("assumed_approach"),
        )  # fmt: skip
        st.selectbox(
            "Adversary assumes the sparsity", ASSUMED_SPARSITIES,
            help="How far the adversary prunes its shadows.", **key("assumed_sparsity"),
        )  # fmt: skip
