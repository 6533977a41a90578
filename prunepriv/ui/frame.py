"""The frame of every page: the selected run, its checks, and where its numbers come from.

The URL (``?run=...``) alone decides which run is selected: the picker in the sidebar reads and
writes it, so a refresh or a shared link shows the same run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NoReturn

import streamlit as st

from prunepriv.errors import StoreError, UnknownRunError
from prunepriv.experiment import Experiment
from prunepriv.experiment.command import command_line
from prunepriv.options import ModelKind
from prunepriv.plan import Target, read_name, signals_name
from prunepriv.store.outdated import outdated
from prunepriv.store.result import Result
from prunepriv.store.schema import RunView, StepView
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
SHOWN_KINDS = (
    *("train", "fine_tune", "signals", "divergence", "size", "evaluation", "contrast", "privacy"),
    "checks",
)
"""Steps after which a page has more to show."""


@dataclass(frozen=True)
class Frame:
    """The selected run.

    Attributes:
        entry: the run as the picker lists it.
        result: its figures. They are cached and shared, so arrays must not be modified.
        attack: the one that the reader fixed for all models; None: what each adversary would choose.
    """

    entry: Entry
    result: Result
    attack: str | None = None

    @property
    def run_id(self) -> str:
        return self.entry.run_id

    @property
    def experiment(self) -> Experiment:
        return self.entry.experiment

    @property
    def view(self) -> RunView | None:
        """The run in the catalogue; None for a bundled example."""
        return self.entry.view

    @property
    def example(self) -> bool:
        """Whether it is one of the runs that come with the program."""
        return self.entry.example is not None

    @property
    def live(self) -> bool:
        """Whether it is queued or running."""
        return self.view is not None and self.view.active

    @cached_property
    def outdated(self) -> str:
        """Why the figures of a run of an earlier version are gone; "" if they are not."""
        return "" if self.view is None else outdated(self.view, catalog(), self.result.plan)

    @cached_property
    def kinds(self) -> tuple[ModelKind, ...]:
        """Kinds of model that the run attacks and whose signals are in the store."""
        there = (k for k in self.experiment.models if self.result.artifact(signals_name(k)))
        return tuple(there)

    def headline(self, target: Target) -> dict[str, Any] | None:
        """The figures on a target of the attack in view, see ``Result.headline``."""
        return self.result.headline(target, self.attack)

    def provenance(self, *steps: str) -> Provenance:
        """Provenance of a chart that was read from these steps, by their names."""
        return provenance_of(self.result.plan, steps)


def page(title: str, question: str, follow: bool = True) -> Frame:
    """Draw a page's head and the picker, and return the selected run.

    Args:
        title: the page's name.
        question: the question that the page answers, in one line.
        follow: show the progress of a live run, and redraw the page when it has new figures.

    If there is no run to show, the page stops with one sentence and a link.
    """
    enter_through_app()
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        st.title(title, anchor=False, width="content")
        st.markdown(f":gray[{question}]", width="content")
    entry = _run_in_view()
    frame = Frame(entry, result_of(entry))
    watch_theme()
    if frame.outdated:
        st.warning(frame.outdated, icon=":material/history:")
    checks.warn(frame.result.checks())
    if follow and frame.live:
        _follow(frame)
    return frame


def look_at(run_id: str) -> None:
    """Select a run; a rerun must follow."""
    st.session_state[LAST] = run_id
    st.query_params[URL] = run_id


def look_away() -> None:
    """Clear the selection, so that the first run is selected; a rerun must follow."""
    st.session_state.pop(LAST, None)
    st.query_params.pop(URL, None)


def link_params(run_id: str) -> dict[str, str]:
    """Query parameters that keep a run selected on another page."""
    return {URL: run_id}


def footer(frame: Frame) -> None:
    """The end of a page: the run's checks, its origin, and the command that makes it again."""
    made = ""
    if frame.entry.example is not None:
        about = frame.entry.example.about
        machine = about["machine"]
        made = f" · made on {about['date']} with {machine['cores']} cores of {machine['cpu']}"
    st.divider()
    checks.draw(frame.result.checks())
    st.caption(f"Run `{frame.run_id}` · seed {frame.experiment.seed}{made}")
    st.code(command_line(frame.experiment), language=None, wrap_lines=True)


def not_there_yet(frame: Frame, what: str) -> None:
    """Say why a part of a page is empty, and what to do."""
    if frame.live:
        st.info(
            f"{what} will appear here as soon as that step is done.", icon=":material/hourglass:"
        )
        return
    st.info(f"Not available in this run: {what[0].lower()}{what[1:]}.", icon=":material/info:")
    st.page_link(
        "pages/run.py", label="Open this run on the Run page", icon=":material/play_arrow:",
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
    requested = st.query_params.get(URL)
    if requested is None:
        last = st.session_state.get(LAST)
        requested = last if last in listed else next(iter(listed))
    try:
        entry = find(requested, listed)
    except UnknownRunError as error:
        _offer_example(str(error), listed)
    st.session_state[LAST] = st.session_state[PICKER] = entry.run_id
    if st.query_params.get(URL) != entry.run_id:
        st.query_params[URL] = entry.run_id
    with st.sidebar:
        st.selectbox(
            "Selected run",
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


def _is_shown(step: StepView) -> bool:
    """Whether a page draws the step's artifact: of models, it draws the target's only."""
    return step.kind in SHOWN_KINDS and not read_name(step.name).of_shadow


@st.fragment(run_every=2)
def _follow(frame: Frame) -> None:
    """Show the progress of a live run, and redraw the page when there are new figures."""
    steps = catalog().steps(frame.run_id)
    done = sum(step.status == "done" for step in steps)
    entry = entries().get(frame.run_id)
    live = entry is not None and entry.view is not None and entry.view.active
    shown = {step.name for step in steps if step.status == "done" and _is_shown(step)}
    if not live or shown != st.session_state.setdefault(FOLLOWED, shown):
        st.session_state.pop(FOLLOWED, None)
        st.rerun()
    text = f"Still running: {done} of {len(steps)} steps done" if steps else "Waiting in the queue"
    st.progress(done / len(steps) if steps else 0.0, text=text)
