"""What a run will cost, and its launch."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from prunepriv.engine.client import default_workers, launch
from prunepriv.environment import store_folder
from prunepriv.errors import ExperimentError, PruneprivError
from prunepriv.estimates.cost import Cost, cost_of
from prunepriv.experiment import Experiment, make_experiment
from prunepriv.experiment.command import command_line
from prunepriv.ui.frame import look_at
from prunepriv.ui.runs import catalog, entries
from prunepriv.ui.words import STEP_WORDS, describe, duration


def draw(chosen: Experiment | ExperimentError) -> None:
    """The chosen experiment in one line, its cost, and the button; or why it cannot be run."""
    with st.container(border=True, key="launch"):
        if isinstance(chosen, ExperimentError):
            st.warning(f"This cannot be run: {chosen}", icon=":material/block:")
            st.button(
                "Launch", type="primary", icon=":material/play_arrow:", disabled=True,
                key="launch_button",
            )  # fmt: skip
            return
        st.markdown(f"**{describe(chosen)}**")
        known = entries().get(chosen.run_id)
        cost = _cost(chosen.key, store_folder(), chosen)
        st.markdown(_cost_sentence(cost))
        with st.container(horizontal=True, vertical_alignment="center"):
            if known is not None and (known.view is None or known.view.status == "done"):
                label, icon = "Open its results", ":material/visibility:"
            elif known is not None and known.view is not None and known.view.active:
                label, icon = "Watch it run", ":material/visibility:"
            else:
                label, icon = "Launch", ":material/play_arrow:"
            if st.button(label, type="primary", icon=icon, key="launch_button"):
                start(chosen, fresh=label == "Launch")
            if known is not None and known.example is not None:
                st.caption("This is one of the bundled examples.")
                if st.button("Run it here", icon=":material/play_arrow:"):
                    start(chosen)
        _draw_steps(cost)
        st.code(command_line(chosen), language=None, wrap_lines=True)


def start(chosen: Experiment, fresh: bool = True) -> None:
    """Launch a run (or only look at it) and show it; a mistake is told where the cursor stands.

    The experiment is checked once more: a browser's limits bind nobody.
    """
    if fresh:
        try:
            checked = make_experiment(chosen.model_dump(mode="json"))
            with st.spinner("Starting the engine"):
                launch(checked, store_folder())
        except PruneprivError as error:
            st.error(str(error), icon=":material/error:")
            return
    look_at(chosen.run_id)
    st.rerun()


@st.cache_data(max_entries=16, ttl=10, show_spinner=False)
def _cost(key: str, store: Path, _chosen: Experiment) -> Cost:
    return cost_of([_chosen], catalog(), default_workers())


def _cost_sentence(cost: Cost) -> str:
    steps, cached = cost.steps, cost.cached_steps
    if cached == steps:
        return "All its steps are in the store: the results are there at once."
    kept = f"; {cached} of its {steps} steps are in the store already" if cached else ""
    if cost.unmeasured:
        return f"Nothing like it has run on this computer yet, so its time cannot be told{kept}."
    workers = default_workers()
    processes = "one process" if workers == 1 else f"{workers} processes"
    return (
        f":material/timer: About **{duration(cost.seconds)}** with {processes}, "
        f"going by runs measured before{kept}."
    )


def _draw_steps(cost: Cost) -> None:
    """What the estimate consists of, kind by kind."""
    with st.expander("What it consists of", icon=":material/checklist:"):
        lines = []
        for kinds, words in STEP_WORDS:
            ours = [cost.kinds[kind] for kind in kinds if kind in cost.kinds]
            steps, cached = sum(one.steps for one in ours), sum(one.cached for one in ours)
            seconds = [one.seconds for one in ours]
            told = "cached" if cached == steps else "not measured yet"
            if cached < steps and None not in seconds:
                told = duration(sum(second or 0.0 for second in seconds)) + " of work"
            some = f", {cached} cached" if 0 < cached < steps else ""
            count = f"{steps} step" + ("s" if steps != 1 else "")
            lines.append(f"- **{words}**: {count}{some}; {told}")
        st.markdown("\n".join(lines))
