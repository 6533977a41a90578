"""The Run page beside a run of which a step failed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from prunepriv.engine.inline import run_inline
from prunepriv.environment import store_folder
from prunepriv.errors import DataError
from prunepriv.experiment import Experiment, make_experiment
from prunepriv.plan import plan
from prunepriv.store.step_logs import add_to_log, log_path
from tests.fake_runner import RUNNER, make_steering
from tests.pages.conftest import Open


@pytest.fixture
def failed(
    open_page: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[Experiment, Path]:
    """A run whose training failed, and the log of that step."""
    folder = tmp_path / "steering"
    make_steering(folder)
    monkeypatch.setenv("FAKE_RUNNER", str(folder))
    (folder / "fail" / "train+0").touch()
    experiment = make_experiment({"models": ["pruned"], "attacks": {"names": ["conf"]}})
    with pytest.raises(DataError):
        run_inline(experiment, store_folder(), runner=RUNNER)
    return experiment, log_path(store_folder(), plan(experiment).key("train:0"))


def block(at: AppTest) -> Any:
    """The expander with the log, if it is there."""
    return next((one for one in at.expander if one.label == "Log of step train target"), None)


def test_the_log_of_a_failed_step_is_shown_and_can_be_downloaded(
    open_page: Open, failed: tuple[Experiment, Path]
) -> None:
    experiment, log = failed
    at = open_page("run", run=experiment.run_id)
    assert not at.exception
    shown = block(at)
    assert shown.proto.expanded is False
    assert shown.code[0].value == log.read_text().rstrip("\n")
    assert shown.code[0].value.endswith("DataError: train+0 was told to fail")
    (download,) = shown.get("download_button")
    assert download.proto.label == "Download the log"


def test_of_a_long_log_the_last_lines_are_shown(
    open_page: Open, failed: tuple[Experiment, Path]
) -> None:
    experiment, log = failed
    add_to_log(store_folder(), log.stem, "\n".join(f"line {number}" for number in range(100)))
    shown = block(open_page("run", run=experiment.run_id))
    lines = shown.code[0].value.split("\n")
    assert lines == [f"line {number}" for number in range(60, 100)]
    more = len(log.read_text().splitlines()) - 40
    assert shown.caption[0].value == f"The last 40 lines; {more} more are in the file."


def test_a_failed_step_without_a_log_has_no_block(
    open_page: Open, failed: tuple[Experiment, Path]
) -> None:
    experiment, log = failed
    log.unlink()
    at = open_page("run", run=experiment.run_id)
    assert not at.exception
    assert any("It failed: train+0 was told to fail" in one.value for one in at.error)
    assert block(at) is None


def test_a_log_of_a_step_that_did_not_fail_is_not_shown(
    open_page: Open, failed: tuple[Experiment, Path]
) -> None:
    experiment, log = failed
    log.rename(log_path(store_folder(), plan(experiment).key("data")))
    at = open_page("run", run=experiment.run_id)
    assert not [one for one in at.expander if one.label.startswith("Log of step")]
