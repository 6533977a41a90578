"""Pass an experiment from another page to the form of a new run."""

from __future__ import annotations

import streamlit as st

from prunepriv.experiment import Experiment

LEFT = "experiment_left_for_the_form"


def leave(experiment: Experiment) -> None:
    """Keep an experiment for the Run page; a switch to that page must follow."""
    st.session_state[LEFT] = experiment


def take() -> Experiment | None:
    """The kept experiment, only once; call it before the form's controls are drawn."""
    left: Experiment | None = st.session_state.pop(LEFT, None)
    return left
