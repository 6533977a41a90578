"""Launch a sweep; more than one page does so."""

from __future__ import annotations

import streamlit as st

from prunepriv.engine.client import launch_all
from prunepriv.environment import store_folder
from prunepriv.errors import PruneprivError
from prunepriv.experiment.sweep import Sweep, make_sweep
from prunepriv.store.sweep_files import write_sweep
from prunepriv.ui.frame import look_at


def submit_sweep(sweep: Sweep, select: str | None = None) -> None:
    """Launch a sweep and redraw the page; an error is shown at the current place of the page.

    Args:
        sweep: what is run.
        select: id of the run that is in view afterwards; None leaves the one that is.
    """
    try:
        checked = make_sweep(sweep.definition)  # limits in the browser can be bypassed
        write_sweep(store_folder(), checked)
        with st.spinner("Submitting its runs to the engine"):
            launch_all(checked.experiments, store_folder())
    except PruneprivError as error:
        st.error(str(error), icon=":material/error:")
        return
    if select is not None:
        look_at(select)
    st.rerun(scope="app")
