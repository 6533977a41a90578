"""Controls of the form, and what a change of one brings along for others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from prunepriv.options import DEFENSES, MODEL_KINDS, MODELS, Option
from prunepriv.ui.run.form_values import PREFIX, datasets, has_layers, start


def key(name: str) -> dict[str, Any]:
    """What binds a control to the URL."""
    return {"key": PREFIX + name, "bind": "query-params"}


def choose(label: str, name: str, options: Mapping[str, Option], **more: Any) -> str:
    """One of a table's options, and its one plain sentence."""
    chosen = st.segmented_control(
        label, list(options), required=True, default=start()[name],
        format_func=lambda option: options[option].label, **key(name), **more,
    )  # fmt: skip
    option = options.get(str(chosen))
    if option is not None:
        st.caption(option.summary)
    return str(chosen)


def number(label: str, name: str, low: int, high: int, help_: str, step: int = 1) -> None:
    """A whole number."""
    st.number_input(
        label, min_value=low, max_value=high, step=step, value=start()[name], help=help_,
        **key(name),
    )  # fmt: skip


def suit_the_data() -> None:
    """A change of data brings the first model that takes it, and what that model usually gets."""
    option = datasets()[st.session_state[PREFIX + "dataset"]]
    current = st.session_state.get(PREFIX + "model", start()["model"])
    if current not in MODELS or MODELS[current].serves != option.kind:
        suited = next(model.name for model in MODELS.values() if model.serves == option.kind)
        st.session_state[PREFIX + "model"] = suited
        suit_the_model()


def suit_the_model() -> None:
    """A change of model brings the epochs that it usually gets."""
    epochs = MODELS[st.session_state[PREFIX + "model"]].epochs
    st.session_state[PREFIX + "epochs"] = epochs
    st.session_state[PREFIX + "fine_tune_epochs"] = max(1, epochs // 2)
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
