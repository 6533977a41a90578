"""The tables that ``run`` and ``show`` print."""

from __future__ import annotations

import pytest

from prunepriv.cli.tables import print_run
from prunepriv.store.report import report_json
from prunepriv.store.result import Result


@pytest.mark.parametrize("clear", [True, False])
def test_each_end_of_a_range_has_its_word(
    finished: Result, capsys: pytest.CaptureFixture[str], clear: bool
) -> None:
    report = report_json(finished, [])
    report["contrasts"] = [
        {**row, "difference": value, "clear": clear}
        for row, value in zip(report["contrasts"], (0.03, 0.0, 0.0), strict=False)
        if row["metric"] == "accuracy" and row["class"] is None
    ]
    print_run(report)
    label = "Corr" if clear else "Corr, undecided"
    assert f"+3.0 ({label})" in capsys.readouterr().out
