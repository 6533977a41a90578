"""The frame of every page: which run is in view, what is known of it, where its numbers come from.

The run stands in the URL (``?run=...``), which is the only truth about it: the picker in the
sidebar writes there and reads from there, so a refresh or a shared link shows the same run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np
import pandas as pd
import streamlit as st

from prunepriv.datasets.registry import load
from prunepriv.environment import data_folder
from prunepriv.errors import StoreError, UnknownRunError
from prunepriv.experiment import Experiment
from prunepriv.experiment.command import command_line
from prunepriv.figures.records import RecordSignals, reduce_signals
from prunepriv.options import ModelKind
from prunepriv.plan import (
    CHECKS,
    DATA,
    Target,
    divergence_name,
    evaluation_name,
    models_name,
    score_name,
    signals_name,
)
from prunepriv.store.result import AttackScores, Result, TargetSignals
from prunepriv.store.schema import RunView
from prunepriv.ui import checks
from prunepriv.ui.entrance import enter_through_app
from prunepriv.ui.provenance import Provenance, provenance_of
from prunepriv.ui.runs import Entry, catalog, entries, find, result_of
from prunepriv.ui.theme_watch import watch_theme
from prunepriv.ui.words import describe

URL = "run"
PICKER = "picked_run"
LAST = "last_run"
FOLLOWED = "followed_run"
SHOWN_KINDS = ("train", "fine_tune", "signals", "divergence", "evaluation", "checks")
"""Steps after which a page has more to show."""


@dataclass(frozen=True)
class Frame:
    """The run in view, with cached readers of its artifacts.

    A reader returns None where the run has not come so far, or does not include that model.

    Attributes:
        entry: the run as the picker lists it.
        result: typed reading of its artifacts, uncached.
    """

    entry: Entry
    result: Result

    @property
    def run_id(self) -> str:
        return self.entry.run_id

    @property
    def experiment(self) -> Experiment:
        return self.entry.experiment

    @property
    def view(self) -> RunView | None:
        """What the catalogue says of the run; None for a bundled example."""
        return self.entry.view

    @property
    def example(self) -> bool:
        """Whether it is one of the runs that come with the program."""
        return self.entry.example is not None

    @property
    def live(self) -> bool:
        """Whether it is queued or running."""
        return self.view is not None and self.view.active

    @property
    def kinds(self) -> tuple[ModelKind, ...]:
        """Kinds of model that the run attacks and whose signals are there."""
        return tuple(k for k in self.experiment.models if self._key(signals_name(k)) is not None)

    def signals(self, kind: ModelKind) -> TargetSignals | None:
        """What the target of that kind says of its records; shared, so not to be written to."""
        key = self._key(signals_name(kind))
        return None if key is None else _signals(key, self.result, kind)

    def records(self, kind: ModelKind) -> RecordSignals | None:
        """The per-record part of the signals: all that most charts need, and much smaller."""
        key = self._key(signals_name(kind))
        return None if key is None else _records(key, self.result, kind)

    def gaps(self, kind: ModelKind) -> pd.DataFrame | None:
        """Gaps and distances, one row per class and one of class None over all records."""
        key = self._key(divergence_name(kind))
        return None if key is None else _gaps(key, self.result, kind)

    def scores(self, attack: str, target: Target) -> AttackScores | None:
        """Scores of one attack on one model, in the order of the signals; not to be written to."""
        key = self._key(score_name(attack, target))
        return None if key is None else _scores(key, self.result, attack, target)

    def evaluation(self, target: Target) -> list[dict[str, Any]] | None:
        """One dictionary per attack, in the experiment's order."""
        key = self._key(evaluation_name(target))
        return None if key is None else _evaluation(key, self.result, target)

    def leaderboard(self) -> pd.DataFrame:
        """All finished evaluations, one row per attack, model and adversary; empty before any."""
        return pd.DataFrame(
            [
                {**row, **target._asdict()}
                for target in self.result.targets
                for row in self.evaluation(target) or ()
            ]
        )

    def model_report(self, kind: ModelKind) -> dict[str, Any] | None:
        """Accuracy on members and non-members, sparsity, layers."""
        key = self._key(signals_name(kind))
        return None if key is None else _model_report(key, self.result, kind)

    def training_report(self, kind: ModelKind) -> dict[str, Any] | None:
        """History, best epochs and sparsity of the target (model 0) and its shadows."""
        key = self._key(models_name(kind))
        return None if key is None else _training_report(key, self.result, kind)

    def checks(self) -> list[dict[str, Any]] | None:
        """One dictionary per hygiene check: "label", "passed" (or None), "detail"."""
        key = self._key(CHECKS)
        return None if key is None else _checks(key, self.result)

    def data(self) -> tuple[Mapping[str, np.ndarray], dict[str, Any]] | None:
        """The records: arrays x and y by the data set's own index, and what is known of them."""
        key = self._key(DATA)
        return None if key is None else _data(key, self.result)

    def provenance(self, *steps: str) -> Provenance:
        """Provenance of a chart that was read from these steps, by their names."""
        return provenance_of(self.result.plan, steps)

    def _key(self, step: str) -> str | None:
        """Key of a step whose artifact is there."""
        found = self.result.artifact(step)
        return None if found is None else found.key


def page(title: str, question: str, follow: bool = True) -> Frame:
    """Draw a page's head and the picker, and return the run in view.

    Args:
        title: the page's name.
        question: what the page answers, in one line.
        follow: tell how far a live run is, and redraw the page as its figures come in.

    Stops the page, with one sentence and the way on, where there is no run to show.
    """
    enter_through_app()
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        st.title(title, anchor=False, width="content")
        st.markdown(f":gray[{question}]", width="content")
    entry = _run_in_view()
    frame = Frame(entry, result_of(entry))
    watch_theme()
    checks.warn(frame.checks())
    if follow and frame.live:
        _follow(frame)
    return frame


def look_at(run_id: str) -> None:
    """Bring a run into view; to be followed by a rerun."""
    st.session_state[LAST] = run_id
    st.query_params[URL] = run_id


def look_away() -> None:
    """Forget which run is in view, so that the first one is; to be followed by a rerun."""
    st.session_state.pop(LAST, None)
    st.query_params.pop(URL, None)


def link_params(run_id: str) -> dict[str, str]:
    """Query parameters that keep a run in view on another page."""
    return {URL: run_id}


def footer(frame: Frame) -> None:
    """The end of a page: what was checked of the run in view, how it was made and is made again."""
    made = ""
    if frame.entry.example is not None:
        about = frame.entry.example.about
        machine = about["machine"]
        made = f" · made on {about['date']} on {machine['cores']} cores of {machine['cpu']}"
    st.divider()
    checks.draw(frame.checks())
    st.caption(f"Run `{frame.run_id}` · seed {frame.experiment.seed}{made}")
    st.code(command_line(frame.experiment), language=None, wrap_lines=True)


def not_there_yet(frame: Frame, what: str) -> None:
    """Say why a part of a page is empty, and what to do."""
    if frame.live:
        st.info(f"{what} will show here as soon as that step is done.", icon=":material/hourglass:")
        return
    st.info(f"This run has no {what[0].lower()}{what[1:]}.", icon=":material/info:")
    st.page_link(
        "pages/run.py", label="Open it on the Run page", icon=":material/play_arrow:",
        query_params=link_params(frame.run_id),
    )  # fmt: skip


def _run_in_view() -> Entry:
    try:
        listed = entries()
    except StoreError as error:
        st.error(str(error), icon=":material/error:")
        st.stop()
    if not listed:
        st.info("There is no run yet, and no bundled example was found: set up a first run.")
        st.page_link("pages/run.py", label="Set up a run", icon=":material/play_arrow:")
        st.stop()
    asked = st.query_params.get(URL)
    if asked is None:
        last = st.session_state.get(LAST)
        asked = last if last in listed else next(iter(listed))
    try:
        entry = find(asked, listed)
    except UnknownRunError as error:
        _offer_example(str(error), listed)
    st.session_state[LAST] = st.session_state[PICKER] = entry.run_id
    if st.query_params.get(URL) != entry.run_id:
        st.query_params[URL] = entry.run_id
    with st.sidebar:
        st.selectbox(
            "Run in view",
            list(listed),
            format_func=lambda run_id: listed[run_id].title,
            key=PICKER,
            on_change=_picked,
        )
        st.caption(describe(entry.experiment))
    return entry


def _picked() -> None:
    st.query_params[URL] = st.session_state[PICKER]


def _offer_example(sentence: str, listed: Mapping[str, Entry]) -> NoReturn:
    """Say what is wrong with the run in the URL, and offer those that exist."""
    st.session_state.pop(LAST, None)
    st.warning(sentence, icon=":material/link_off:")
    st.markdown("These runs can be opened:")
    for entry in list(listed.values())[:8]:
        st.page_link(
            "pages/overview.py", label=entry.title, icon=":material/arrow_forward:",
            query_params=link_params(entry.run_id),
        )  # fmt: skip
    st.stop()


@st.fragment(run_every=2)
def _follow(frame: Frame) -> None:
    """Tell how far a live run is, and redraw the page when there is something new to show."""
    steps = catalog().steps(frame.run_id)
    done = sum(step.status == "done" for step in steps)
    entry = entries().get(frame.run_id)
    live = entry is not None and entry.view is not None and entry.view.active
    shown = {step.name for step in steps if step.status == "done" and step.kind in SHOWN_KINDS}
    if not live or shown != st.session_state.setdefault(FOLLOWED, shown):
        st.session_state.pop(FOLLOWED, None)
        st.rerun()
    text = f"Still running: {done} of {len(steps)} steps done" if steps else "Waiting in the queue"
    st.progress(done / len(steps) if steps else 0.0, text=text)


@st.cache_resource(max_entries=4, show_spinner=False)
def _signals(key: str, _result: Result, kind: ModelKind) -> TargetSignals | None:
    return _result.signals(kind)


@st.cache_resource(max_entries=32, show_spinner=False)
def _records(key: str, _result: Result, kind: ModelKind) -> RecordSignals | None:
    signals = _result.signals(kind)
    return None if signals is None else reduce_signals(signals)


@st.cache_data(max_entries=32, show_spinner=False)
def _gaps(key: str, _result: Result, kind: ModelKind) -> pd.DataFrame | None:
    return _result.gaps(kind)


@st.cache_resource(max_entries=128, show_spinner=False)
def _scores(key: str, _result: Result, attack: str, target: Target) -> AttackScores | None:
    return _result.scores(attack, target)


@st.cache_data(max_entries=64, show_spinner=False)
def _evaluation(key: str, _result: Result, target: Target) -> list[dict[str, Any]] | None:
    return _result.evaluation(target)


@st.cache_data(max_entries=64, show_spinner=False)
def _model_report(key: str, _result: Result, kind: ModelKind) -> dict[str, Any] | None:
    return _result.model_report(kind)


@st.cache_data(max_entries=64, show_spinner=False)
def _training_report(key: str, _result: Result, kind: ModelKind) -> dict[str, Any] | None:
    return _result.training_report(kind)


@st.cache_data(max_entries=64, show_spinner=False)
def _checks(key: str, _result: Result) -> list[dict[str, Any]] | None:
    return _result.checks()


@st.cache_resource(max_entries=2, show_spinner=False)
def _data(key: str, _result: Result) -> tuple[Mapping[str, np.ndarray], dict[str, Any]] | None:
    """The stored records; a bundled example leaves them out, and they are made again."""
    artifact = _result.artifact(DATA)
    if artifact is None:
        return None
    about = artifact.json("about")
    if artifact.has("data.safetensors"):
        return artifact.tensors("data"), about
    data = _result.experiment.data
    made = load(data.name, data.knobs, data_folder())
    return {"x": made.x, "y": made.y}, about
