"""The dashboard without a browser, on runs with made-up numbers."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from prunepriv import environment
from prunepriv.datasets import load
from prunepriv.experiment import Experiment, make_experiment
from prunepriv.options import MODEL_KINDS, ModelKind
from prunepriv.plan import plan
from prunepriv.store.artifacts import ArtifactStore
from prunepriv.store.bundle import write_bundle
from prunepriv.store.catalog import Catalog
from prunepriv.store.result import Result
from prunepriv.store.step_rows import step_rows
from tests.conftest import WriteRun

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 60

Open = Callable[..., AppTest]
Begin = Callable[..., Result]


@pytest.fixture(scope="session")
def example_folder(tmp_path_factory: pytest.TempPathFactory, write_run: WriteRun) -> Path:
    """A folder with two bundled examples, as ``example`` makes them."""
    folder = tmp_path_factory.mktemp("examples")
    source = tmp_path_factory.mktemp("source")
    for order, sparsity in enumerate((0.6, 0.7)):
        experiment = _experiment(sparsity)
        store = ArtifactStore(source)
        write_run(store, experiment, order)
        about = {"label": f"example {order}", "order": order, "command": "python -m prunepriv run"}
        catalog = Catalog(source)
        finish(catalog, experiment)
        steps = catalog.steps(experiment.run_id)
        catalog.close()
        write_bundle(Result(store, experiment), steps, folder / f"example_{order}", about)
    return folder


@pytest.fixture
def open_page(example_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Open:
    """Opens a page, as ``open_page("run", run="...")``; the user's own store is empty."""
    monkeypatch.setattr(environment, "EXAMPLES", example_folder)
    monkeypatch.setenv("PRUNEPRIV_STORE", str(tmp_path / "store"))
    st.cache_data.clear()
    st.cache_resource.clear()

    def open_(page: str = "overview", **query: str) -> AppTest:
        at = AppTest.from_file(str(ROOT / "app.py"), default_timeout=PATIENCE)
        at.query_params.update(query)
        at.run()
        if page != "overview":
            at.switch_page(f"pages/{page}.py").run()
        return at

    return open_


@pytest.fixture
def begin(open_page: Open, write_run: WriteRun) -> Begin:
    """Enters a run in the user's own store, as ``begin(experiment, only=("original",))``."""

    def begin_(
        experiment: Experiment,
        only: tuple[ModelKind, ...] | None = None,
        status: str | None = "done",
        real_data: bool = False,
    ) -> Result:
        """Only: models that have been scored so far; status None leaves the run in the queue."""
        store = ArtifactStore(environment.store_folder())
        if real_data:
            made = load(experiment.data.name, experiment.data.knobs, environment.data_folder())
            with store.write(plan(experiment).key("data"), {"step": "data"}) as draft:
                draft.tensors("data", {"x": made.x, "y": made.y})
                draft.json("about", {"class_names": list(made.class_names)})
        write_run(store, experiment, 5)
        for step in plan(experiment).steps:
            kinds = set(step.name.split(":")) & set(MODEL_KINDS)
            if only is not None and kinds - set(only):
                shutil.rmtree(store.path(step.key))
        catalog = Catalog(store.root)
        if status is None:
            catalog.submit(experiment)
        else:
            finish(catalog, experiment, status)
        catalog.close()
        return Result(store, experiment)

    return begin_


def finish(catalog: Catalog, experiment: Experiment, status: str = "done") -> None:
    """Enter a run in the catalogue as ended."""
    catalog.submit(experiment)
    catalog.begin(experiment.run_id, "", step_rows(ArtifactStore(catalog.store), experiment))
    catalog.end(experiment.run_id, status, "the disk is full" if status == "failed" else "")  # type: ignore[arg-type]


def figures(at: AppTest) -> dict[str, dict[str, Any]]:
    """The charts of a page, by key, in the order in which they are drawn."""
    # streamlit's id of an element ends in its key: $$ID-<digest>-<key>
    return {
        chart.proto.id.split("-", maxsplit=2)[2]: json.loads(chart.proto.spec)
        for chart in at.get("plotly_chart")
    }


def figure(at: AppTest, key: str) -> dict[str, Any]:
    """The chart that a page draws under a key, as plotly reads it."""
    return figures(at)[key]


def _experiment(sparsity: float) -> Experiment:
    return make_experiment(
        {
            "data": {"name": "checkins", "limit": 400},
            "defense": {"name": "ppb"},
            "pruning": {"sparsity": sparsity},
            "models": "all",
        }
    )
