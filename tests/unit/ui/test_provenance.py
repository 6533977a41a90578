from __future__ import annotations

import io

import pandas as pd

from prunepriv.experiment import make_experiment
from prunepriv.store.artifacts import ArtifactStore
from prunepriv.ui.provenance import provenance_of
from prunepriv.ui.readings import KeptResult


def test_a_file_shows_where_each_of_its_rows_comes_from(store: ArtifactStore) -> None:
    result = KeptResult(store, make_experiment({"seed": 3}))
    source = provenance_of(result, ("signals:pruned", "signals:original"))
    table = pd.DataFrame({"x": [1.5, 2.5], "y": ["a", "b"]})
    back = pd.read_csv(io.BytesIO(source.csv(table)))
    assert back[["x", "y"]].equals(table)
    assert set(back["run"]) == {result.experiment.run_id}
    assert set(back["seed"]) == {3}
    assert back["key"][0].split() == [
        result.plan.key("signals:pruned"),
        result.plan.key("signals:original"),
    ]
    assert back["command"][0].startswith("python -m prunepriv run --dataset checkins")


def test_the_plotted_table_itself_is_not_changed(store: ArtifactStore) -> None:
    table = pd.DataFrame({"x": [1.0]})
    provenance_of(KeptResult(store, make_experiment({})), ("train",)).csv(table)
    assert list(table.columns) == ["x"]
