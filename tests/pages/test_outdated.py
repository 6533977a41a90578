"""Every page says that a run of an earlier version has to be made again, and how."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from prunepriv.experiment import Experiment, make_experiment
from prunepriv.experiment.command import command_line
from prunepriv.plan import step as step_module
from tests.pages.conftest import Begin, Open

PAGES = ("overview", "leakage", "classes", "attacks", "defenses", "run")


@pytest.fixture
def made_before(begin: Begin, monkeypatch: pytest.MonkeyPatch) -> Callable[[], Experiment]:
    """Finishes a run as a version did that trained in another way."""

    def made() -> Experiment:
        experiment = make_experiment({"data": {"limit": 400}, "attacks": {"names": ["conf"]}})
        with monkeypatch.context() as earlier:
            earlier.setattr(step_module, "VERSIONS", {**step_module.VERSIONS, "train": 1})
            begin(experiment)
        return experiment

    return made


@pytest.mark.parametrize("page", PAGES)
def test_every_page_says_what_no_longer_counts(
    open_page: Open, made_before: Callable[[], Experiment], page: str
) -> None:
    experiment = made_before()
    at = open_page(page, run=experiment.run_id)
    assert not at.exception
    told = [one.value for one in at.warning if "An earlier version of the program" in one.value]
    assert len(told) == 1
    assert f"`{command_line(experiment)}`" in told[0]


def test_the_run_page_offers_to_make_it_again(
    open_page: Open, made_before: Callable[[], Experiment]
) -> None:
    at = open_page("run", run=made_before().run_id)
    assert at.button(key="resume").label == "Make it again"
    assert not any("See what it shows" in one.value for one in at.success)


def test_a_run_of_this_version_is_left_alone(open_page: Open, begin: Begin) -> None:
    result = begin(make_experiment({"data": {"limit": 400}, "attacks": {"names": ["conf"]}}))
    at = open_page("run", run=result.run_id)
    assert not any("earlier version" in one.value for one in at.warning)
    assert not any(one.key == "resume" for one in at.button)
