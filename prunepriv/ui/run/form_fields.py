"""The form's controls, one per setting, and the values that a change of one sets in others."""

from __future__ import annotations

from typing import Any, cast

import streamlit as st

from prunepriv.experiment.defaults import half
from prunepriv.experiment.settings import BY_PATH, Setting, is_used
from prunepriv.experiment.used_by import Choice
from prunepriv.figures.palette import KINDS
from prunepriv.options import DEFENSES, MODEL_KIND_SUMMARIES, MODEL_KINDS, MODELS, ModelKind
from prunepriv.ui.run.form_values import (
    AS_TARGET,
    PREFIX,
    assumed,
    datasets,
    has_layers,
    start,
)

LARGEST = 1_000_000
"""Maximum of a number whose setting has no upper bound."""


def key(name: str) -> dict[str, Any]:
    """Arguments that bind a control to the URL."""
    return {"key": PREFIX + name, "bind": "query-params"}


def field(path: str, **more: Any) -> None:
    """Draw the control of a setting, if the current choices use the setting.

    Args:
        path: of the setting, see ``experiment.settings``.
        more: other arguments of the control: ``on_change``, ``width``, another ``label`` or ``help``.
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
    """What a setting means, what each choice means, and what 0 means."""
    lines = [setting.help + (f" 0: {setting.zero}." if setting.zero else "")]
    if setting.path == "models":
        lines += [f"- **{KINDS[k].label}**: {text}" for k, text in MODEL_KIND_SUMMARIES.items()]
    elif setting.many and setting.table is not None:
        lines += [f"- **{one.label}**: {one.summary}" for one in setting.table.values()]
    return "\n".join(lines)


def _label(setting: Setting, name: str) -> str:
    """The label of one of a setting's choices."""
    if setting.path == "models":
        return KINDS[cast(ModelKind, name)].label
    return setting.table[name].label if setting.table is not None else name.capitalize()


def _draw_one_of(setting: Setting, given: dict[str, Any]) -> None:
    """Choose one of several names; an option of a table is shown with its summary."""
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
    """Choose what the adversary assumes: a value, or the target's own."""
    names = setting.choices or tuple(f"{percent} %" for percent in range(0, 100, 5))
    st.selectbox(
        options=(AS_TARGET, *names),
        format_func=lambda name: _label(setting, name) if name in setting.choices else name,
        **given,
    )  # fmt: skip


def _draw_number(setting: Setting, given: dict[str, Any]) -> None:
    """Enter a number within its setting's bounds; 0 is allowed if it means "no value"."""
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
    """The current choices that decide which settings are used."""
    first = start()
    names = ("model", "approach", "defense")
    return Choice(*(str(st.session_state.get(PREFIX + name, first[name])) for name in names))


def suit_the_data() -> None:
    """After a change of the data set, choose the first model that fits, with its usual epochs."""
    option = datasets()[st.session_state[PREFIX + "dataset"]]
    current = st.session_state.get(PREFIX + "model", start()["model"])
    if current not in MODELS or MODELS[current].serves != option.kind:
        suited = next(model.name for model in MODELS.values() if model.serves == option.kind)
        st.session_state[PREFIX + "model"] = suited
        suit_the_model()


def suit_the_model() -> None:
    """After a change of the model, set its usual epochs."""
    epochs = MODELS[st.session_state[PREFIX + "model"]].epochs
    st.session_state[PREFIX + "epochs"] = epochs
    st.session_state[PREFIX + "fine_tune_epochs"] = half(epochs)
    _suit_the_norm()


def suit_the_defense() -> None:
    """After a change of the defence, set its usual strength and attack the defended model, if any."""
    option = DEFENSES[st.session_state[PREFIX + "defense"]]
    kinds = set(st.session_state[PREFIX + "attacked"]) - {"defended"}
    if option.name != "none":
        kinds.add("defended")
        st.session_state[PREFIX + "strength"] = option.default_strength
    st.session_state[PREFIX + "attacked"] = [kind for kind in MODEL_KINDS if kind in kinds]
    _suit_the_norm()


def _suit_the_norm() -> None:
    """Set group norm for DP-SGD, which needs it; another choice is refused with the reason."""
    model = st.session_state.get(PREFIX + "model", start()["model"])
    private = st.session_state.get(PREFIX + "defense") == "dp_sgd"
    grouped = private and has_layers(str(model), "batch_norm")
    st.session_state[PREFIX + "norm"] = "group" if grouped else "batch"
