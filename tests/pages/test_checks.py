"""Every page shows the checks of a run: in a closed list, and as an error if one failed."""

from __future__ import annotations

from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from prunepriv.experiment import Experiment, make_experiment
from prunepriv.store.result import Result
from tests.blank_run import SENTENCE, learn_nothing, store_checks
from tests.pages.conftest import Begin, Open

PAGES = ("overview", "leakage", "classes", "attacks", "defenses", "run")


def _experiment() -> Experiment:
    return make_experiment(
        {
            "data": {"limit": 400},
            "defense": {"name": "ppb"},
            "models": "all",
            "attacks": {"names": ["conf", "samia"]},
        }
    )


def _block(at: AppTest) -> Any:
    return next(box for box in at.expander if "hygiene checks" in box.label)


def _fail_one(result: Result) -> str:
    """Rewrite a run's checks so that one failed; return its detail."""
    rows = result.checks()
    assert rows is not None
    rows[1] = {**rows[1], "passed": False, "detail": "32 records differ by 0.3."}
    store_checks(result, rows)
    return "32 records differ by 0.3."


@pytest.mark.parametrize("page", PAGES)
def test_every_page_lists_the_checks(open_page: Open, begin: Begin, page: str) -> None:
    result = begin(_experiment())
    at = open_page(page, run=result.run_id)
    assert not at.exception
    block = _block(at)
    assert block.label == "6 of 6 hygiene checks passed"
    assert block.proto.expanded is False
    told = " ".join(one.value for one in block.markdown)
    assert "Splits are disjoint" in told
    assert "10 of 12 attacks were not run" in told
    assert not at.error


@pytest.mark.parametrize("page", PAGES)
def test_a_failed_check_comes_first_on_every_page(open_page: Open, begin: Begin, page: str) -> None:
    result = begin(_experiment())
    detail = _fail_one(result)
    at = open_page(page, run=result.run_id)
    assert not at.exception
    assert detail in at.error[0].value
    assert "Do not rely" in at.error[0].value
    block = _block(at)
    assert block.label == "5 of 6 hygiene checks passed"
    assert block.proto.expanded is True
    assert detail in block.markdown[0].value, "the failed check comes first"


@pytest.mark.parametrize("page", PAGES)
def test_models_that_learnt_nothing_are_called_that_on_every_page(
    open_page: Open, begin: Begin, page: str
) -> None:
    result = begin(_experiment())
    detail = learn_nothing(result)
    at = open_page(page, run=result.run_id)
    assert not at.exception
    assert detail in at.error[0].value
    assert SENTENCE in at.error[0].value


@pytest.mark.parametrize("page", PAGES)
def test_a_run_of_before_a_check_existed_is_read_as_it_is(
    open_page: Open, begin: Begin, page: str
) -> None:
    result = begin(_experiment())
    rows = result.checks()
    assert rows is not None
    store_checks(result, [row for row in rows if row["check"] != "models_learned"])
    at = open_page(page, run=result.run_id)
    assert not at.exception
    assert not at.error
    assert _block(at).label == "5 of 5 hygiene checks passed"


def test_a_running_run_has_no_checks_yet(open_page: Open, begin: Begin) -> None:
    result = begin(_experiment(), only=("original",), status=None)
    folder = result.store.path(result.plan.key("checks"))
    for file in folder.iterdir():
        file.unlink()
    folder.rmdir()
    at = open_page("overview", run=result.run_id)
    assert not at.exception
    assert not [box for box in at.expander if "hygiene checks" in box.label]
