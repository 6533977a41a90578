"""The form of a new run. The URL holds every control, so all values are validated before use.

All choices can be selected. If a combination cannot be run, the error of the experiment's own check
is shown and the launch button is disabled. A setting without its own place here is drawn under
"Advanced".
"""

from __future__ import annotations

import streamlit as st

from prunepriv.errors import ExperimentError
from prunepriv.experiment import Experiment, make_experiment
from prunepriv.experiment.presets import presets
from prunepriv.experiment.seeds import read_seeds, under_seeds
from prunepriv.options import DATASETS, DEFENSES
from prunepriv.ui.run import form_data
from prunepriv.ui.run.form_fields import field, key, suit_the_defense, suit_the_model
from prunepriv.ui.run.form_values import (
    ON_FORM,
    PREFIX,
    own_data,
    remember,
    settings,
    start,
    values,
)

SEEDS = "seeds"
"""The control for more seeds than one."""

PLACED = {
    "model.name", "attacks.names", "shadows", "seed", "pruning.approach", "pruning.sparsity",
    "defense.name", "defense.strength", "defense.clip", "models",
}  # fmt: skip
"""Settings whose control is not under "Advanced"."""


def fill(experiment: Experiment) -> None:
    """Put an experiment's settings into the form; call it before the controls are drawn."""
    remember(experiment)
    for name, value in values(experiment).items():
        st.session_state[PREFIX + name] = value


def draw() -> tuple[Experiment, ...] | ExperimentError:
    """Draw the form.

    Returns:
        The experiment that it describes, and then the same under the other seeds; or what is wrong.
    """
    _draw_presets()
    with st.grid(2, min_column_width=330, gap="medium"):
        with st.container(gap="small"):
            form_data.draw()
            field("model.name", on_change=suit_the_model)
            _draw_attacks()
        with st.container(gap="small"):
            _draw_pruning()
            field("models")
    with st.expander("Advanced", icon=":material/tune:"):
        _draw_advanced()
    try:
        # a setting without a control under the current choices has its default and no effect
        form = {name: st.session_state.get(PREFIX + name, value) for name, value in start().items()}
        chosen = make_experiment(settings(form, own_data()))
        typed = str(st.session_state.get(PREFIX + SEEDS) or "")
        others = read_seeds(typed) if typed.strip() else []
        return chosen, *under_seeds(chosen, [one for one in others if one != chosen.seed])
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


def _draw_attacks() -> None:
    field("attacks.names")
    with st.container(horizontal=True):
        field("shadows", width=150)
        field("seed", width=150)
        st.text_input(
            "Other seeds", placeholder="2, 3, 4, 5", width=180, max_chars=100, **key(SEEDS),
            help="The same experiment under these seeds too, one run each. The pages then show the mean "
            "of the differences over all seeds. From three seeds on, its interval decides.",
        )  # fmt: skip


def _draw_pruning() -> None:
    field("pruning.approach")
    field("pruning.sparsity")
    field("defense.name", on_change=suit_the_defense)
    option = DEFENSES.get(str(st.session_state[PREFIX + "defense"]))
    if option is None or not option.strength:
        return
    with st.container(horizontal=True):
        field(
            "defense.strength", label=option.strength, min_value=option.low,
            max_value=option.high, step=option.step, value=option.default_strength, width=190,
        )  # fmt: skip
        field("defense.clip", width=190)


def _draw_advanced() -> None:
    """Draw numbers first, then settings that are chosen by name."""
    others = [one for one in ON_FORM if one.path not in PLACED]
    with st.grid(4, min_column_width=180):
        for setting in others:
            if not setting.choices and not setting.path.startswith("knowledge."):
                field(setting.path)
        _draw_knobs()
    with st.grid(3, min_column_width=230):
        for setting in others:
            if setting.choices or setting.path.startswith("knowledge."):
                with st.container(gap="small"):
                    field(setting.path)


def _draw_knobs() -> None:
    """Settings of a bundled data set's generator."""
    dataset = DATASETS.get(str(st.session_state[PREFIX + "dataset"]))
    for knob in dataset.knobs if dataset is not None else ():
        st.slider(
            knob.label, knob.low, knob.high, knob.default, knob.step,
            help=knob.summary, **key(knob.name),
        )  # fmt: skip
