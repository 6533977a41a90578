from __future__ import annotations

import io

import pandas as pd

from prunepriv.experiment import make_experiment
from prunepriv.plan import plan
from prunepriv.ui.provenance import provenance_of


def test_a_file_shows_where_each_of_its_rows_comes_from() -> None:
    the_plan = plan(make_experiment({"seed": 3}))
    source = provenance_of(the_plan, ("signals:pruned:0", "signals:original:0"))
    table = pd.DataFrame({"x": [1.5, 2.5], "y": ["a", "b"]})
    back = pd.read_csv(io.BytesIO(source.csv(table)))
    assert back[["x", "y"]].equals(table)
    assert set(back["run"]) == {the_plan.experiment.run_id}
    assert set(back["seed"]) == {3}
    assert back["key"][0].split() == [
        the_plan.key("signals:pruned:0"),
        the_plan.key("signals:original:0"),
    ]
    assert back["command"][0].startswith("python -m prunepriv run --dataset checkins")


def test_the_plotted_table_itself_is_not_changed() -> None:
    table = pd.DataFrame({"x": [1.0]})
    provenance_of(plan(make_experiment({})), ("train:0",)).csv(table)
    assert list(table.columns) == ["x"]
