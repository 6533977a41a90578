"""The failed checks of several runs."""

from __future__ import annotations

from prunepriv.experiment import make_experiment
from prunepriv.store.result import Result
from prunepriv.store.sweep_checks import failed_in, failed_rows
from tests.blank_run import learn_nothing


def test_only_runs_that_failed_a_check_are_listed(finished: Result) -> None:
    unfinished = make_experiment({"seed": 99})
    both = (finished.experiment, unfinished)
    assert failed_in(finished.store, both) == {}
    detail = learn_nothing(finished)
    assert [row["detail"] for row in failed_rows(finished.store, both[0])] == [detail]
    assert list(failed_in(finished.store, both)) == [finished.run_id]
