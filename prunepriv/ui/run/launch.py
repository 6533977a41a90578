"""The expected cost of a run, and its launch."""

from __future__ import annotations

import streamlit as st

from prunepriv.engine.client import default_workers, launch
from prunepriv.environment import store_folder
from prunepriv.errors import ExperimentError, PruneprivError
from prunepriv.estimates.cost import Cost
from prunepriv.experiment import Experiment, make_experiment
from prunepriv.experiment.command import command_line
from prunepriv.store.outdated import outdated
from prunepriv.ui.frame import look_at
from prunepriv.ui.launching import known_cost, submit_sweep
from prunepriv.ui.other_seeds import seeds_sweep
from prunepriv.ui.runs import Entry, catalog, entries, result_of
from prunepriv.ui.words import STEP_WORDS, describe, duration


def draw(form: tuple[Experiment, ...] | ExperimentError) -> None:
    """Draw the chosen experiment in one line, its cost, and the button; or why it cannot be run.

    Args:
        form: the experiment, and the same under other seeds.
    """
    with st.container(border=True, key="launch"):
        if isinstance(form, ExperimentError):
            st.warning(f"This cannot be run: {form}", icon=":material/block:")
            st.button(
                "Launch", type="primary", icon=":material/play_arrow:", disabled=True,
                key="launch_button",
            )  # fmt: skip
            return
        if len(form) > 1:
            _draw_several(form)
            return
        (chosen,) = form
        st.markdown(f"**{describe(chosen)}**")
        known = entries().get(chosen.run_id)
        cost = known_cost(chosen.key, form)
        st.markdown(_cost_sentence(cost))
        with st.container(horizontal=True, vertical_alignment="center"):
            if known is not None and _has_results(known):
                label, icon = "Open its results", ":material/visibility:"
            elif known is not None and known.view is not None and known.view.active:
                label, icon = "Show its progress", ":material/visibility:"
            else:
                label, icon = "Launch", ":material/play_arrow:"
            if st.button(label, type="primary", icon=icon, key="launch_button"):
                start(chosen, fresh=label == "Launch")
            if known is not None and known.example is not None:
                st.caption("This is one of the bundled examples.")
                if st.button("Run it on this computer", icon=":material/play_arrow:"):
                    start(chosen)
        _draw_steps(cost)
        st.code(command_line(chosen), language=None, wrap_lines=True)


def _draw_several(form: tuple[Experiment, ...]) -> None:
    """One experiment under several seeds: the same, with one button for all of them."""
    seeds = [one.seed for one in form]
    st.markdown(f"**{describe(form[0])}**, and {len(form) - 1} other seeds")
    cost = known_cost(" ".join(one.key for one in form), form)
    st.markdown(_cost_sentence(cost))
    if st.button(
        f"Launch {len(form)} runs", type="primary", icon=":material/play_arrow:",
        key="launch_button",
    ):  # fmt: skip
        submit_sweep(seeds_sweep(form[0], seeds), select=form[0].run_id)
    _draw_steps(cost)
    st.code(command_line(form[0], seeds), language=None, wrap_lines=True)


def start(chosen: Experiment, fresh: bool = True) -> None:
    """Launch a run and select it; an error is shown at the current place of the page.

    The experiment is checked again, because limits in the browser can be bypassed.

    Args:
        chosen: the experiment of the run.
        fresh: launch it; else only select it.
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


def _has_results(entry: Entry) -> bool:
    """Whether a run's figures can be opened: a bundled example's, or those of a finished run."""
    if entry.view is None:
        return True
    return entry.view.status == "done" and not outdated(
        entry.view, catalog(), result_of(entry).plan
    )


def _cost_sentence(cost: Cost) -> str:
    steps, cached = cost.steps, cost.cached_steps
    if cached == steps:
        return "All its steps are in the store, so the results are available immediately."
    kept = f"; {cached} of its {steps} steps are already in the store" if cached else ""
    if cost.unmeasured:
        return f"No similar run has been measured on this computer yet, so its time is not known{kept}."
    workers = default_workers()
    by = "one worker" if workers == 1 else f"{workers} workers"
    return (
        f":material/timer: About **{duration(cost.seconds)}** with {by}, "
        f"estimated from earlier runs{kept}."
    )


def _draw_steps(cost: Cost) -> None:
    """The steps of the estimate, stage by stage."""
    with st.expander("Steps and their times", icon=":material/checklist:"):
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
