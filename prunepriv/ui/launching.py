"""A sweep is launched from more than one page."""

from __future__ import annotations

import streamlit as st

from prunepriv.engine.client import launch_all
from prunepriv.environment import store_folder
from prunepriv.errors import PruneprivError
from prunepriv.experiment.sweep import Sweep, make_sweep
from prunepriv.store.sweep_files import write_sweep


def submit_sweep(sweep: Sweep) -> None:
    """Launch a sweep and draw the page anew; a mistake is told where the cursor stands."""
    try:
        checked = make_sweep(sweep.definition)  # a browser's limits bind nobody
        write_sweep(store_folder(), checked)
        with st.spinner("Handing its runs to the engine"):
            launch_all(checked.experiments, store_folder())
    except PruneprivError as error:
        st.error(str(error), icon=":material/error:")
        return
    st.rerun(scope="app")
