"""Launch a sweep, and what it costs; more than one page does so."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from prunepriv.engine.client import default_workers, launch_all
from prunepriv.environment import store_folder
from prunepriv.errors import PruneprivError
from prunepriv.estimates.cost import Cost, cost_of
from prunepriv.experiment import Experiment
from prunepriv.experiment.sweep import Sweep, make_sweep
from prunepriv.store.sweep_files import write_sweep
from prunepriv.ui.frame import Frame, link_params, look_at
from prunepriv.ui.runs import catalog


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


def known_cost(key: str, experiments: Sequence[Experiment]) -> Cost:
    """What runs would cost now; for ten seconds, the steps are not counted again.

    Args:
        key: names these experiments, such as a sweep's id.
        experiments: of the runs.
    """
    return _known_cost(store_folder(), key, experiments)


@st.cache_data(max_entries=32, ttl=10, show_spinner=False)
def _known_cost(store: Path, key: str, _experiments: Sequence[Experiment]) -> Cost:
    return cost_of(_experiments, catalog(), default_workers())


def is_running(sweep: Sweep) -> bool:
    """Whether a run of a sweep is queued or running."""
    wanted = set(sweep.run_ids)
    return any(run.active and run.run_id in wanted for run in catalog().runs())


def link_to_progress(frame: Frame, sweep: Sweep, what: str) -> None:
    """A link to the sweep that is running.

    Args:
        frame: the run in view, which stays selected.
        sweep: whose progress the link shows.
        what: is running, "The missing cells".
    """
    st.page_link(
        "pages/sweeps.py", label=f"{what} are running: show their progress",
        icon=":material/hourglass:",
        query_params={**link_params(frame.run_id), "sweep": sweep.sweep_id},
    )  # fmt: skip
