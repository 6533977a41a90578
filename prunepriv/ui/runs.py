"""The runs that a visitor can open: the bundled examples and those of the catalogue."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import streamlit as st

from prunepriv import environment
from prunepriv.errors import ExperimentError, UnknownRunError
from prunepriv.experiment import Experiment, make_experiment
from prunepriv.store.artifacts import ArtifactStore
from prunepriv.store.catalog import Catalog, check_run_id
from prunepriv.store.schema import RunStatus, RunView
from prunepriv.ui.readings import KeptResult
from prunepriv.ui.words import describe

STATUS_MARKS: Mapping[RunStatus, str] = {
    "queued": "Waiting: ",
    "running": "Running: ",
    "done": "",
    "failed": "Failed: ",
    "cancelled": "Cancelled: ",
    "interrupted": "Interrupted: ",
}
"""Words before a run's name in the picker."""


@dataclass(frozen=True)
class Example:
    """A finished run that comes with the program.

    Attributes:
        title: what it shows, in a few words.
        folder: holds run.json and the artifacts.
        about: run.json: experiment, command, date, machine, versions, steps.
    """

    title: str
    experiment: Experiment
    folder: Path
    about: Mapping[str, Any]


@dataclass(frozen=True)
class Entry:
    """A run in the picker: an example, or one of the catalogue."""

    run_id: str
    title: str
    experiment: Experiment
    example: Example | None = None
    view: RunView | None = None


def catalog() -> Catalog:
    """The catalogue of the user's store."""
    return _catalog(environment.store_folder())


def entries() -> dict[str, Entry]:
    """Every run that can be picked, by id: examples first, then the user's, newest first."""
    listed = {
        example.experiment.run_id: Entry(
            example.experiment.run_id, f"Example: {example.title}", example.experiment, example
        )
        for example in examples()
    }
    for view in catalog().runs():
        experiment = _experiment(view.run_id, view)
        if experiment is not None:  # an example that was run here is listed as the user's run
            title = STATUS_MARKS[view.status] + describe(experiment)
            listed[view.run_id] = Entry(view.run_id, title, experiment, view=view)
    return listed


def examples() -> tuple[Example, ...]:
    """The bundled runs, in the order in which they are listed."""
    return _examples(environment.EXAMPLES)


def find(run_id: str, listed: Mapping[str, Entry]) -> Entry:
    """The run of that id, which may come from a URL.

    Raises:
        UnknownRunError: no such run, or not a valid id; the message can be shown on the page.
    """
    check_run_id(run_id)
    if run_id not in listed:
        raise UnknownRunError(
            f"There is no run {run_id} on this computer: it was deleted, or made on another computer."
        )
    return listed[run_id]


def result_of(entry: Entry) -> KeptResult:
    """A run's figures."""
    store = entry.example.folder if entry.example else environment.store_folder()
    return _result(store, entry.run_id, entry.experiment)


@st.cache_resource(max_entries=4, show_spinner=False)
def _examples(folder: Path) -> tuple[Example, ...]:
    """The bundled runs in a folder, sorted by the ``order`` in their run.json."""
    found = [_read_example(file.parent) for file in sorted(folder.glob("*/run.json"))]
    return tuple(sorted(found, key=lambda example: int(example.about.get("order", 99))))


def _read_example(folder: Path) -> Example:
    about = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    experiment = make_experiment(about["experiment"])
    return Example(about.get("label") or describe(experiment), experiment, folder, about)


@st.cache_resource(max_entries=4, show_spinner=False)
def _catalog(store: Path) -> Catalog:
    return Catalog(store)


@st.cache_resource(max_entries=512, show_spinner=False)
def _experiment(run_id: str, _view: RunView) -> Experiment | None:
    """A run's experiment; None if a version with other settings made the run."""
    try:
        return _view.experiment
    except ExperimentError:
        return None


@st.cache_resource(max_entries=32, show_spinner=False)
def _result(store: Path, run_id: str, _experiment: Experiment) -> KeptResult:
    return KeptResult(ArtifactStore(store), _experiment)
