"""The selected run: its progress, how it ended, and what can be done next.

The status comes from the catalogue, so it is correct after a reload and for runs of the command line.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from prunepriv.engine.client import default_workers, engine_is_alive, ensure_engine
from prunepriv.environment import store_folder
from prunepriv.errors import PruneprivError
from prunepriv.estimates.progress import Watch
from prunepriv.experiment import Experiment
from prunepriv.figures import findings
from prunepriv.figures.live import best_epoch, curves_chart
from prunepriv.figures.palette import KINDS
from prunepriv.figures.sparsity import sparsity_chart
from prunepriv.options import MODEL_KINDS, ModelKind
from prunepriv.plan import models_name, signals_name, size_name, step_words
from prunepriv.prose import percent
from prunepriv.store.schema import RunView, StepView
from prunepriv.ui import checks
from prunepriv.ui.charts import chart
from prunepriv.ui.frame import Frame, link_params, look_away
from prunepriv.ui.glossary import tip
from prunepriv.ui.run import log
from prunepriv.ui.run.launch import start
from prunepriv.ui.runs import catalog
from prunepriv.ui.words import STEP_WORDS, describe, duration, pruning_of, size_of

EVERY = 1.0
"""Seconds between two updates of a live run."""

RESULTS = (
    ("overview", "Overview", ":material/dashboard:"),
    ("leakage", "Leakage", ":material/water_drop:"),
    ("classes", "Classes", ":material/groups:"),
    ("attacks", "Attacks", ":material/target:"),
    ("defenses", "Defences", ":material/shield:"),
)

TRAINED: Mapping[str, ModelKind] = {models_name(kind): kind for kind in MODEL_KINDS}
"""Steps whose training curves are drawn, those of the targets, and the kind of model of each."""

ORIGINAL = models_name("original")


def draw(frame: Frame) -> None:
    """Draw the selected run: its progress, its end, its curves."""
    with st.container(border=True, key="run_in_view"):
        st.markdown(f"**{describe(frame.experiment)}**")
        if frame.view is None:
            st.success("A finished example that comes with the program.", icon=":material/school:")
            _draw_links(frame)
            _draw_curves(frame, [])
            _draw_made(frame)
        elif frame.live:
            _watch(frame)
        else:
            _draw_end(frame, frame.view)


@st.fragment(run_every=EVERY)
def _watch(frame: Frame) -> None:
    """Show a live run's progress every second; redraw the whole page once when it has ended."""
    view = catalog().run(frame.run_id)
    if not view.active:
        st.rerun()
    steps = catalog().steps(frame.run_id)
    if view.error:
        st.warning(view.error, icon=":material/hub:")
    if view.status == "queued":
        _draw_waiting(frame)
    else:
        _draw_progress(frame, steps)
    st.button(
        "Stopping" if view.cancel_requested else "Cancel", icon=":material/stop:", key="cancel",
        disabled=view.cancel_requested, on_click=_cancel, args=(frame.run_id,),
        help="Finished steps are kept: you can resume the run later.",
    )  # fmt: skip
    _draw_curves(frame, steps)


def _draw_waiting(frame: Frame) -> None:
    position = catalog().queue_position(frame.run_id)
    if not engine_is_alive(store_folder()):
        st.warning("The run is waiting, and no engine is running.", icon=":material/power_off:")
        if st.button("Start the engine", key="start_engine", icon=":material/power:"):
            _start_engine()
        return
    ahead = (position or 1) - 1
    runs = "1 run" if ahead == 1 else f"{ahead} runs"
    told = "next in the queue" if not ahead else f"{runs} before this one in the queue"
    st.progress(0.0, text=f":material/hourglass: Waiting: {told}")


def _start_engine() -> None:
    try:
        ensure_engine(store_folder())
    except PruneprivError as error:
        st.error(str(error), icon=":material/error:")


def _draw_progress(frame: Frame, steps: Sequence[StepView]) -> None:
    standing = _watch_of(store_folder(), frame.run_id, frame.experiment).look()
    told = f"{standing.steps_done} of {standing.steps} steps done"
    if standing.time_left:
        told += f" · {standing.time_left}"
    st.progress(standing.fraction, text=f":material/play_circle: **Running** · {told}")
    with st.grid(2, min_column_width=300, gap="xsmall"):
        for kinds, words in STEP_WORDS:
            _draw_stage(words, [step for step in steps if step.kind in kinds])


def _draw_stage(words: str, steps: Sequence[StepView]) -> None:
    """A stage's bar: its current step, or that it is done or was in the store."""
    if not steps:
        return
    fraction = sum(step.fraction for step in steps) / len(steps)
    at_work = next((step for step in steps if step.status == "running"), None)
    if all(step.cached for step in steps):
        told = "from the store"
    elif all(step.status == "done" for step in steps):
        told = "done in " + duration(sum(s.seconds or 0.0 for s in steps if not s.cached))
    elif at_work is not None:
        told = at_work.message or step_words(at_work.name)
    else:
        told = "waiting" if fraction == 0 else f"{percent(fraction, 0)}"
    st.progress(fraction, text=f":small[**{words}** · {told}]")


def _draw_end(frame: Frame, view: RunView) -> None:
    """Draw how the run ended, and what can be done next."""
    steps = catalog().steps(frame.run_id)
    if frame.outdated:
        st.info("It was done by an earlier version of the program.", icon=":material/history:")
    elif view.status == "done":
        st.success(f"Done{_took(view)}. See what it shows:", icon=":material/check:")
        _draw_links(frame)
    elif view.status == "failed":
        st.error(f"It failed: {view.error}", icon=":material/error:")
        log.draw(store_folder(), steps)
    elif view.status == "cancelled":
        st.info("Cancelled. Its finished steps are kept.", icon=":material/stop:")
    else:
        st.warning(
            "Interrupted: the engine stopped before the run was done. Its finished steps are kept.",
            icon=":material/power_off:",
        )
    with st.container(horizontal=True):
        again = "Make it again" if frame.outdated else "Resume"
        if (view.status != "done" or frame.outdated) and st.button(
            again, type="primary", icon=":material/resume:", key="resume"
        ):
            start(frame.experiment)
        if st.button(
            "Discard" if view.status != "done" else "Delete from the list",
            icon=":material/delete:", key="discard", type="tertiary",
            help="Removes the run from the list. Its finished steps stay in the store for other runs.",
        ):  # fmt: skip
            _discard(frame.run_id)
    _draw_curves(frame, steps)
    _draw_made(frame)
    _draw_step_table(steps)


def _took(view: RunView) -> str:
    if view.started is None or view.finished is None:
        return ""
    return f" in {duration((view.finished - view.started).total_seconds())}"


def _draw_links(frame: Frame) -> None:
    with st.container(horizontal=True, gap="small"):
        for name, label, icon in RESULTS:
            st.page_link(
                f"pages/{name}.py",
                label=label,
                icon=icon,
                query_params=link_params(frame.run_id),
            )


def _cancel(run_id: str) -> None:
    try:
        catalog().request_cancel(run_id)
    except PruneprivError as error:
        st.toast(str(error), icon=":material/info:")


def _discard(run_id: str) -> None:
    try:
        catalog().delete(run_id)
    except PruneprivError as error:
        st.error(str(error), icon=":material/error:")
        return
    look_away()
    st.rerun()


# --- curves ---


def _draw_curves(frame: Frame, steps: Sequence[StepView]) -> None:
    """Draw loss and accuracy of one of the models, during the run or after it."""
    curves = {}
    for name in TRAINED:
        found = _curve(frame, name, steps)
        if found is not None:
            curves[name] = found
    if not curves:
        return
    at_work = [step.name for step in steps if step.status == "running" and step.name in curves]
    shown = at_work[0] if at_work else list(curves)[-1] if frame.live else ORIGINAL
    if len(curves) > 1:
        picked = st.segmented_control(
            "Training curves of", list(curves), format_func=lambda name: KINDS[TRAINED[name]].label, key="curves",
            bind="query-params",
        )  # fmt: skip
        shown = picked if picked in curves else shown
    points, best = curves[shown]
    epochs = frame.experiment.training
    most = epochs.epochs if shown == ORIGINAL else epochs.fine_tune_epochs
    top = next(point for point in points if point["epoch"] == best)
    chart(
        "curves_chart",
        frame.provenance(shown),
        lambda look: curves_chart(points, best, most, look),
        finding=findings.curves(
            f"{KINDS[TRAINED[shown]].label}, target model", top, most, frame.live
        ),
        alt=f"Training loss and accuracy by epoch of the {TRAINED[shown]} model",
        alt_alone=True,
        choices=None,  # there may be no artifact yet
    )


Curve = tuple[Sequence[Mapping[str, float]], int]


def _curve(frame: Frame, name: str, steps: Sequence[StepView]) -> Curve | None:
    """Points of the target's curve, and the epoch with the star."""
    report = (
        frame.result.training_report(TRAINED[name]) if name in frame.result.plan.by_name else None
    )
    if report is not None:
        return report["history"], int(report["best_epoch"])
    step = next((step for step in steps if step.name == name), None)
    if step is None or not step.curve:
        return None
    return step.curve, best_epoch(step.curve)


def _draw_made(frame: Frame) -> None:
    """Draw the result: the network's size, the weights that pruning removed, and the checks."""
    trained = frame.result.training_report("original")
    if trained is not None:
        st.caption(f"Every model: {size_of(trained['architecture'])}.", help=tip("multiplications"))
    kind = next((kind for kind in ("pruned", "defended") if kind in frame.kinds), None)
    report = None if kind is None else frame.result.model_report(kind)
    if kind is not None and report is not None:
        _draw_sparsity(frame, kind, report)
    checks.draw(frame.result.checks())


def _draw_sparsity(frame: Frame, kind: ModelKind, report: Mapping[str, Any]) -> None:
    layers, requested = report["layers"], frame.experiment.pruning.sparsity
    size = frame.result.size(kind)
    read = [signals_name(kind), *([size_name(kind)] if size else [])]
    if size:
        st.caption("What pruning removed, and what it leaves", help=tip("left"))
    chart(
        "sparsity",
        frame.provenance(*read),
        lambda look: sparsity_chart(layers, requested, look),
        finding=findings.sparsity(layers, report["sparsity"], pruning_of(frame.experiment), size),
        alt="Share of each layer's weights that was removed, compared with the requested share",
        choices=(requested,),
    )


def _draw_step_table(steps: Sequence[StepView]) -> None:
    with st.expander("Steps of this run", icon=":material/list:"):
        rows: list[dict[str, Any]] = [
            {
                "step": step.name,
                "status": step.status,
                "seconds": step.seconds,
                "cached": step.cached,
                "key": step.key,
            }
            for step in steps
        ]
        st.dataframe(pd.DataFrame(rows), hide_index=True, alt="The run's steps and their times")


@st.cache_resource(max_entries=8, ttl=30, show_spinner=False)
def _watch_of(store: Path, run_id: str, _experiment: Experiment) -> Watch:
    return Watch([_experiment], catalog(), default_workers())
