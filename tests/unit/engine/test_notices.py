"""What is told of the workers and of the store; the engine that tells it: test_service."""

from __future__ import annotations

from unittest import mock

import pytest

from prunepriv.engine import notices as module
from prunepriv.engine.notices import Notices
from prunepriv.errors import StoreError
from prunepriv.experiment import Experiment
from prunepriv.store.catalog import Catalog

OWNER = "engine.lock"


@pytest.fixture
def notices(catalog: Catalog) -> Notices:
    return Notices(catalog, OWNER)


def error(catalog: Catalog, experiment: Experiment) -> str:
    return catalog.run(experiment.run_id).error


def test_what_an_engine_before_has_told_is_taken_back(
    notices: Notices, catalog: Catalog, experiment: Experiment
) -> None:
    catalog.submit(experiment)
    catalog.tell(OWNER, "its scheduler is lost")
    notices.tell("")
    assert error(catalog, experiment) == ""


def test_a_run_that_comes_later_is_told_as_well(
    notices: Notices, catalog: Catalog, experiment: Experiment, monkeypatch: pytest.MonkeyPatch
) -> None:
    notices.tell("no worker has joined")
    catalog.submit(experiment)
    notices.tell("no worker has joined")
    assert error(catalog, experiment) == "", "not on every turn"
    monkeypatch.setattr(module, "TELL_EVERY", 0.0)
    notices.tell("no worker has joined")
    assert error(catalog, experiment) == "no worker has joined"


def test_what_the_catalogue_refuses_is_told_later(
    notices: Notices, catalog: Catalog, experiment: Experiment, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalog.submit(experiment)
    with monkeypatch.context() as patch:
        patch.setattr(catalog, "tell", mock.Mock(side_effect=StoreError("locked")))
        with pytest.raises(StoreError):
            notices.tell("the scheduler is lost")
    notices.tell("the scheduler is lost")
    assert error(catalog, experiment) == "the scheduler is lost"


def test_each_trouble_and_its_end_are_logged_once(
    notices: Notices, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO"):
        for trouble in ("", "locked", "locked", "full", "full", "", ""):
            notices.log_trouble(trouble)
    assert [record.message for record in caplog.records] == [
        "locked (the engine tries again)",
        "full (the engine tries again)",
        "the store can be used again",
    ]
