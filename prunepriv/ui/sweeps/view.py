"""The selected sweep: its progress, its results, and what can be done next."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from prunepriv.engine.client import default_workers, engine_is_alive, ensure_engine
from prunepriv.environment import store_folder
from prunepriv.errors import MissingArtifactError, PruneprivError
from prunepriv.estimates.progress import Standing, Watch
from prunepriv.experiment import Experiment
from prunepriv.experiment.sweep import Sweep
from prunepriv.prose import failed_runs
from prunepriv.store.artifacts import ArtifactStore
from prunepriv.store.result import read_resamples
from prunepriv.store.sweep_checks import failed_rows
from prunepriv.store.sweep_files import remove_sweep
from prunepriv.store.sweep_table import columns_of, run_rows
from prunepriv.ui.frame import link_params
from prunepriv.ui.runs import catalog
from prunepriv.ui.sweeps.charts import charts, tables
from prunepriv.ui.sweeps.pick import URL, start

EVERY = 2.0
"""Seconds between two updates of a running sweep."""
MOST_FAILURES = 5


def view(sweep: Sweep) -> None:
    """Draw a sweep's progress, charts and tables; redrawn every two seconds while it runs."""
    active = _watch(sweep).look().active > 0
    st.fragment(_view, run_every=EVERY if active else None)(sweep, active)


def _view(sweep: Sweep, was_active: bool) -> None:
    standing = _watch(sweep).look()
    if was_active and not standing.active:
        st.rerun()  # without the timer
    _draw_standing(sweep, standing)
    table = _table(sweep)
    if table.empty:
        words = "as soon as the first run is done" if standing.active else "once it has run"
        st.info(f"Its figures will appear here {words}.", icon=":material/hourglass:")
        return
    for sentence in failed_runs(_failed_checks(sweep), standing.runs):
        st.error(sentence, icon=":material/error:")
    charts(sweep, table, _resampled)
    tables(sweep, table)


@st.cache_resource(max_entries=8, show_spinner=False)
def _watch_of(store: Path, sweep_id: str, _sweep: Sweep) -> Watch:
    return Watch(_sweep.experiments, catalog(), default_workers())


def _watch(sweep: Sweep) -> Watch:
    return _watch_of(store_folder(), sweep.sweep_id, sweep)


def _draw_standing(sweep: Sweep, standing: Standing) -> None:
    """Draw its progress, its failures, and what can be done next."""
    told = f"{standing.done} of {standing.runs} runs done"
    if standing.active:
        told = f":material/play_circle: **Running** · {told} · {standing.steps_done:,} of {standing.steps:,} steps"
        st.progress(
            standing.fraction,
            text=told + (f" · {standing.time_left}" if standing.time_left else ""),
        )
        if standing.notice:
            st.warning(standing.notice, icon=":material/hub:")
        if not engine_is_alive(store_folder()):
            st.warning(
                "The sweep is waiting, and no engine is running.", icon=":material/power_off:"
            )
    else:
        st.caption(told)
    for run_id, sentence in standing.failures[:MOST_FAILURES]:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.error(f"A run failed: {sentence}", icon=":material/error:", width="stretch")
            st.page_link("pages/run.py", label="Open it", query_params=link_params(run_id))
    if len(standing.failures) > MOST_FAILURES:
        st.caption(f"and {len(standing.failures) - MOST_FAILURES} more failed")
    with st.container(horizontal=True):
        _actions(sweep, standing)


def _actions(sweep: Sweep, standing: Standing) -> None:
    if standing.active:
        if not engine_is_alive(store_folder()):
            st.button("Start the engine", icon=":material/power:", on_click=_start_engine)
        st.button(
            "Cancel the sweep", icon=":material/stop:", key="cancel_sweep", on_click=_cancel,
            args=(sweep,), help="Finished steps are kept: you can resume the sweep later.",
        )  # fmt: skip
        return
    if standing.done < standing.runs and st.button(
        "Resume the sweep", type="primary", icon=":material/resume:", key="resume_sweep"
    ):
        start(sweep)
    st.button(
        "Delete from the list", icon=":material/delete:", key="forget_sweep", type="tertiary",
        on_click=_forget, args=(sweep,), help="Removes the sweep from the list. Its runs and their steps are kept.",
    )  # fmt: skip


def _start_engine() -> None:
    try:
        ensure_engine(store_folder())
    except PruneprivError as error:
        st.toast(str(error), icon=":material/error:")


def _cancel(sweep: Sweep) -> None:
    wanted = set(sweep.run_ids)
    for run in catalog().runs():
        if run.run_id in wanted and run.active:
            try:
                catalog().request_cancel(run.run_id)
            except PruneprivError:
                continue  # it has ended in the meantime


def _forget(sweep: Sweep) -> None:
    remove_sweep(store_folder(), sweep.sweep_id)
    st.query_params.pop(URL, None)


def _table(sweep: Sweep) -> pd.DataFrame:
    """All rows that the runs have so far."""
    status = {run.run_id: run.status for run in catalog().runs()}
    store = store_folder()
    rows = []
    for cell in sweep.cells:
        run_id = cell.experiment.run_id
        if status.get(run_id) == "done":
            found = _rows_of_done(store, run_id, cell.experiment)
        else:
            found = run_rows(_artifacts(store), cell.experiment)
        rows += [{**cell.values, **row} for row in found]
    return pd.DataFrame(rows, columns=columns_of(sweep))


def _failed_checks(sweep: Sweep) -> dict[str, list[dict[str, Any]]]:
    """Run -> its failed checks, of those that are done and have any."""
    done = {run.run_id for run in catalog().runs() if run.status == "done"}
    found = {
        one.run_id: _failed_of_done(store_folder(), one.run_id, one)
        for one in sweep.experiments
        if one.run_id in done
    }
    return {run_id: rows for run_id, rows in found.items() if rows}


@st.cache_data(max_entries=2048, show_spinner=False)
def _failed_of_done(store: Path, run_id: str, _experiment: Experiment) -> list[dict[str, Any]]:
    return failed_rows(_artifacts(store), _experiment)


@st.cache_resource(max_entries=2, show_spinner=False)
def _artifacts(store: Path) -> ArtifactStore:
    return ArtifactStore(store)


def _resampled(key: str, attack: str) -> np.ndarray | None:
    """The accuracy of an attack in resamples of its records."""
    try:
        stored = read_resamples(_artifacts(store_folder()).open(key))
    except MissingArtifactError:
        return None
    return None if stored is None else stored[f"{attack}.accuracy"]


@st.cache_data(max_entries=2048, show_spinner=False)
def _rows_of_done(store: Path, run_id: str, _experiment: Experiment) -> list[dict[str, Any]]:
    return run_rows(_artifacts(store), _experiment)
