"""What one page leaves for another: an experiment that the form of a new run is to hold."""

from __future__ import annotations

import streamlit as st

from prunepriv.experiment import Experiment

LEFT = "experiment_left_for_the_form"


def leave(experiment: Experiment) -> None:
    """Leave an experiment for the Run page; to be followed by a switch to it."""
    st.session_state[LEFT] = experiment


def take() -> Experiment | None:
    """What was left, once; to be called before the form's controls are drawn."""
    left: Experiment | None = st.session_state.pop(LEFT, None)
    return left
