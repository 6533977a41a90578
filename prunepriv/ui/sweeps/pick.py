"""Which sweep is selected."""

from __future__ import annotations

import streamlit as st

from prunepriv.environment import store_folder
from prunepriv.experiment.sweep import Sweep
from prunepriv.store.sweep_files import read_sweeps
from prunepriv.ui.launching import submit_sweep

URL = "sweep"
PICKER = "picked_sweep"


def pick() -> Sweep | None:
    """The sweep in the URL, or the one that was launched last; None if there is no sweep."""
    known = read_sweeps(store_folder())
    requested = st.query_params.get(URL)
    if requested is not None and requested not in known:
        st.warning(
            "There is no such sweep on this computer: it was deleted from the list, or made on "
            "another computer.",
            icon=":material/link_off:",
        )
        st.query_params.pop(URL)
    if not known:
        return None
    chosen = requested if requested in known else next(iter(known))
    st.session_state[PICKER] = st.query_params[URL] = chosen
    st.selectbox(
        "Sweep", list(known), key=PICKER, on_change=_picked,
        format_func=lambda sweep_id: f"{known[sweep_id].name} ({len(known[sweep_id].cells)} runs)",
    )  # fmt: skip
    return known[chosen]


def start(sweep: Sweep) -> None:
    """Launch a sweep and select it."""
    st.query_params[URL] = sweep.sweep_id
    submit_sweep(sweep)


def _picked() -> None:
    st.query_params[URL] = st.session_state[PICKER]
