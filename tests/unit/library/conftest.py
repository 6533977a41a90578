"""Runs without computing: the fake runner's, and one with made-up numbers."""

from __future__ import annotations

from contextlib import closing
from functools import partial
from typing import Any

import numpy as np
import pytest

import prunepriv
from prunepriv.engine import follow
from prunepriv.engine.inline import run_inline
from prunepriv.experiment import Experiment, make_experiment
from prunepriv.store.artifacts import ArtifactStore
from prunepriv.store.catalog import Catalog
from prunepriv.store.result import Result
from prunepriv.store.step_rows import step_rows
from tests.fake_runner import RUNNER
from tests.synthetic_run import write_synthetic_run

SMALL: dict[str, Any] = {"limit": 400, "shadows": 2, "attacks": "conf", "models": "pruned"}
"""What the fake runner can serve."""


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the fake runner do the steps of inline runs."""
    monkeypatch.setattr(follow, "run_inline", partial(run_inline, runner=RUNNER))


@pytest.fixture(scope="session")
def synthetic(tmp_path_factory: pytest.TempPathFactory) -> prunepriv.Run:
    """A finished run of all four models with made-up numbers; its store is not to be changed."""
    store = ArtifactStore(tmp_path_factory.mktemp("synthetic"))
    experiment = make_experiment(
        {"data": {"limit": 400}, "defense": {"name": "ppb"}, "shadows": 2, "models": "all"}
    )
    write_synthetic_run(store, experiment, np.random.default_rng(0))
    return enter(store, experiment)


@pytest.fixture
def result(synthetic: prunepriv.Run) -> Result:
    """The same, as the pages read it."""
    return Result(ArtifactStore(synthetic.store), synthetic.experiment)


def enter(store: ArtifactStore, experiment: Experiment) -> prunepriv.Run:
    """Enter a run in the catalogue, as one that is done."""
    with closing(Catalog(store.root)) as catalog:
        catalog.submit(experiment)
        catalog.begin(experiment.run_id, "", step_rows(store, experiment))
        catalog.end(experiment.run_id, "done")
    return prunepriv.load(experiment.run_id, store=store.root)
