"""Every page says that a run of an earlier version has to be made again, and how."""

from __future__ import annotations

import numpy as np
import pytest

from prunepriv import environment
from prunepriv.experiment import Experiment, make_experiment
from prunepriv.experiment.command import command_line
from prunepriv.plan import step as step_module
from prunepriv.store.artifacts import ArtifactStore
from prunepriv.store.catalog import Catalog
from tests.pages.conftest import Begin, Open, finish
from tests.synthetic_run import write_synthetic_run

PAGES = ("overview", "leakage", "classes", "attacks", "defenses", "run")


@pytest.fixture
def made_before(open_page: Open, monkeypatch: pytest.MonkeyPatch) -> Experiment:
    """A run in the user's own store, finished by a version that trained in another way.

    It is drawn here: ``write_run`` keeps what it drew, for tests of this version.
    """
    experiment = make_experiment({"data": {"limit": 400}, "attacks": {"names": ["conf"]}})
    store = ArtifactStore(environment.store_folder())
    with monkeypatch.context() as earlier:
        earlier.setattr(step_module, "VERSIONS", {**step_module.VERSIONS, "train": 1})
        write_synthetic_run(store, experiment, np.random.default_rng(5))
        catalog = Catalog(store.root)
        finish(catalog, experiment)
        catalog.close()
    return experiment


@pytest.mark.parametrize("page", PAGES)
def test_every_page_says_what_no_longer_counts(
    open_page: Open, made_before: Experiment, page: str
) -> None:
    at = open_page(page, run=made_before.run_id)
    assert not at.exception
    told = [one.value for one in at.warning if "An earlier version of the program" in one.value]
    assert len(told) == 1
    assert f"`{command_line(made_before)}`" in told[0]


def test_the_run_page_offers_to_make_it_again(open_page: Open, made_before: Experiment) -> None:
    at = open_page("run", run=made_before.run_id)
    assert at.button(key="resume").label == "Make it again"
    assert not any("See what it shows" in one.value for one in at.success)


def test_a_run_of_this_version_is_left_alone(open_page: Open, begin: Begin) -> None:
    result = begin(make_experiment({"data": {"limit": 400}, "attacks": {"names": ["conf"]}}))
    at = open_page("run", run=result.run_id)
    assert not any("earlier version" in one.value for one in at.warning)
    assert not any(one.key == "resume" for one in at.button)
