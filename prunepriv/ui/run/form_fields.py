"""The form's controls, each drawn as its setting asks, and what a change of one sets in others."""

from __future__ import annotations

from typing import Any

import streamlit as st

from prunepriv.experiment.defaults import half
from prunepriv.experiment.settings import BY_PATH, Setting, is_used
from prunepriv.experiment.users import Choice
from prunepriv.options import DEFENSES, MODEL_KIND_SUMMARIES, MODEL_KINDS, MODELS
from prunepriv.ui.run.form_values import (
    AS_TARGET,
    PREFIX,
    assumed,
    datasets,
    has_layers,
    start,
)

LARGEST = 1_000_000
"""Of a number without an upper bound."""


def key(name: str) -> dict[str, Any]:
    """What binds a control to the URL."""
    return {"key": PREFIX + name, "bind": "query-params"}


def field(path: str, **more: Any) -> None:
    """The control of a setting, if somebody uses it.

    Args:
        path: of the setting, see ``experiment.settings``.
        more: what else the control takes: ``on_change``, ``width``, another ``label`` or ``help``.
    """
    setting = BY_PATH[path]
    if not is_used(setting, _choice()):
        return
    given = {"label": setting.label, "help": help_of(setting), **key(setting.key), **more}
    if assumed(setting):
        _draw_assumed(setting, given)
    elif setting.many:
        _draw_several(setting, given)
    elif setting.choices:
        _draw_one_of(setting, given)
    elif setting.percent and not setting.optional:
        st.slider(
            min_value=0, max_value=95, step=round(100 * setting.step), format="%d %%",
            value=start()[setting.key], **given,
        )  # fmt: skip
    else:
        _draw_number(setting, given)


def help_of(setting: Setting) -> str:
    """What a setting means, what each choice is, and what 0 stands for."""
    lines = [setting.help + (f" 0: {setting.zero}." if setting.zero else "")]
    if setting.path == "models":
        lines += [f"- **{k.capitalize()}**: {text}" for k, text in MODEL_KIND_SUMMARIES.items()]
    elif setting.many and setting.table is not None:
        lines += [f"- **{one.label}**: {one.summary}" for one in setting.table.values()]
    return "\n".join(lines)


def _label(setting: Setting, name: str) -> str:
    """How people read one of a setting's names."""
    return setting.table[name].label if setting.table is not None else name.capitalize()


def _draw_one_of(setting: Setting, given: dict[str, Any]) -> None:
    """One of several names; one of a table's comes with its one plain sentence."""
    chosen = st.segmented_control(
        options=list(setting.choices), required=True, default=start()[setting.key],
        format_func=lambda name: _label(setting, name), **given,
    )  # fmt: skip
    if setting.table is not None and chosen in setting.table:
        st.caption(setting.table[str(chosen)].summary)


def _draw_several(setting: Setting, given: dict[str, Any]) -> None:
    st.pills(
        options=list(setting.choices), selection_mode="multi", default=start()[setting.key],
        format_func=lambda name: _label(setting, name), **given,
    )  # fmt: skip


def _draw_assumed(setting: Setting, given: dict[str, Any]) -> None:
    """What the adversary assumes: a value, or what the target has."""
    names = setting.choices or tuple(f"{percent} %" for percent in range(0, 100, 5))
    st.selectbox(
        options=(AS_TARGET, *names),
        format_func=lambda name: _label(setting, name) if name in setting.choices else name,
        **given,
    )  # fmt: skip


def _draw_number(setting: Setting, given: dict[str, Any]) -> None:
    """A number within its field's bounds; 0 is allowed where it stands for no value."""
    number: Any = float if setting.kind == "float" else int
    scale = 100 if setting.percent else 1
    low = 0 if setting.zero else setting.bound("ge", "gt") or 0
    high = setting.bound("le") or (setting.bound("lt") or LARGEST + 1) - 1
    if setting.percent:
        given["label"] += " (%)"
    bounds = {"min_value": number(scale * low), "max_value": number(scale * high)}
    shape = {"step": number(scale * setting.step), "format": "%g" if number is float else "%d"}
    st.number_input(**{**bounds, **shape, "value": number(start()[setting.key]), **given})


def _choice() -> Choice:
    """What is chosen now of what decides which settings are used."""
    first = start()
    names = ("model", "approach", "defense")
    return Choice(*(str(st.session_state.get(PREFIX + name, first[name])) for name in names))


def suit_the_data() -> None:
    """A change of data sets the first model that takes it, and what that model usually gets."""
    option = datasets()[st.session_state[PREFIX + "dataset"]]
    current = st.session_state.get(PREFIX + "model", start()["model"])
    if current not in MODELS or MODELS[current].serves != option.kind:
        suited = next(model.name for model in MODELS.values() if model.serves == option.kind)
        st.session_state[PREFIX + "model"] = suited
        suit_the_model()


def suit_the_model() -> None:
    """A change of model sets the epochs that it usually gets."""
    epochs = MODELS[st.session_state[PREFIX + "model"]].epochs
    st.session_state[PREFIX + "epochs"] = epochs
    st.session_state[PREFIX + "fine_tune_epochs"] = half(epochs)
    _suit_the_norm()


def suit_the_defense() -> None:
    """A defended model is attacked as soon as there is a defence, which gets its usual strength."""
    option = DEFENSES[st.session_state[PREFIX + "defense"]]
    kinds = set(st.session_state[PREFIX + "attacked"]) - {"defended"}
    if option.name != "none":
        kinds.add("defended")
        st.session_state[PREFIX + "strength"] = option.default_strength
    st.session_state[PREFIX + "attacked"] = [kind for kind in MODEL_KINDS if kind in kinds]
    _suit_the_norm()


def _suit_the_norm() -> None:
    """DP-SGD needs group norm where there is a norm; whoever wants another is told why not."""
    model = st.session_state.get(PREFIX + "model", start()["model"])
    private = st.session_state.get(PREFIX + "defense") == "dp_sgd"
    grouped = private and has_layers(str(model), "batch_norm")
    st.session_state[PREFIX + "norm"] = "group" if grouped else "batch"
