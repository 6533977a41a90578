"""The records of a bar: their contents, and their scores under every model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from prunepriv.datasets.registry import load
from prunepriv.environment import data_folder
from prunepriv.experiment.parts import Data
from prunepriv.figures.palette import KINDS, group
from prunepriv.figures.pictures import features, thumbnail
from prunepriv.options import ModelKind
from prunepriv.plan import DATA, signals_name
from prunepriv.store.artifacts import Artifact
from prunepriv.store.signals import QUANTITIES, RecordSignals
from prunepriv.ui.charts import show_data
from prunepriv.ui.controls import class_names
from prunepriv.ui.frame import Frame

MOST_ROWS = 100


def contents(frame: Frame) -> tuple[np.ndarray, np.ndarray, Sequence[str] | None] | None:
    """All records x and labels y by the data set's own index, and the features' names.

    None if they are not on this machine: a page never downloads.
    """
    artifact = frame.result.artifact(DATA)
    data = frame.experiment.data
    if artifact is None:
        return None
    if not artifact.has("data.safetensors") and (data.own is not None or not data.option.bundled):
        return None
    arrays = _arrays(artifact.key, artifact, data)
    return arrays["x"], arrays["y"], artifact.json("about").get("feature_names")


@st.cache_resource(max_entries=2, show_spinner=False)
def _arrays(key: str, _artifact: Artifact, _data: Data) -> Mapping[str, np.ndarray]:
    """The stored records; a bundled example does not store them, so they are generated again."""
    if _artifact.has("data.safetensors"):
        return _artifact.tensors("data")
    made = load(_data.name, _data.knobs, data_folder())
    return {"x": made.x, "y": made.y}


def record_list(
    frame: Frame,
    signals: Mapping[ModelKind, RecordSignals],
    chosen: np.ndarray,
    key: str,
) -> None:
    """Draw a row per record: its contents, class, membership, and scores under every model.

    Args:
        signals: per kind of model.
        chosen: indices of records in the data set, in the order of the rows.
    """
    table = record_table(signals, chosen, class_names(frame))
    shown = table.head(MOST_ROWS)
    seen = _seen(frame, signals, chosen[:MOST_ROWS])
    if seen is not None:
        shown = pd.concat([seen, shown], axis=1)
    columns: dict[str, Any] = {
        "picture": st.column_config.ImageColumn("picture", width="small"),
        "features": st.column_config.TextColumn("features", width="medium"),
        "record": st.column_config.NumberColumn("record", help="Its index in the data set."),
    }
    for name in table.columns:
        if name.startswith("confidence"):
            columns[name] = st.column_config.ProgressColumn(
                name, min_value=0.0, max_value=1.0, format="%.3f", color="gray"
            )
        elif name.startswith("sensitivity"):
            columns[name] = st.column_config.NumberColumn(name, format="%.4f")
    st.dataframe(
        shown, hide_index=True, column_config=columns, key=key,
        row_height=48 if "picture" in shown else None, height=420 if len(shown) > 8 else "auto",
        alt="Records in the chosen bar with their scores under every model",
    )  # fmt: skip
    if len(table) > MOST_ROWS:
        st.caption(
            f"The first {MOST_ROWS} of {len(table):,} records; the CSV file has all of them."
        )
    steps = [signals_name(kind) for kind in signals]
    show_data(table, key, frame.provenance(*steps))


def record_table(
    signals: Mapping[ModelKind, RecordSignals],
    chosen: np.ndarray,
    class_names: tuple[str, ...],
) -> pd.DataFrame:
    """One row per record: class, membership and its scores under every model.

    Args:
        signals: per kind of model; all hold the same records, in any order.
        chosen: (m,) indices of records in the data set.
        class_names: names of the classes, by number.

    Returns:
        Columns ``record``, ``class``, ``membership`` and, for each kind of model,
        ``confidence: <kind>`` and ``sensitivity: <kind>``; one row per chosen record, in order.
    """
    places = {kind: _rows(one.record, chosen) for kind, one in signals.items()}
    kind, first = next(iter(signals.items()))
    label, member = first.label[places[kind]], first.member[places[kind]]
    table = pd.DataFrame(
        {
            "record": chosen,
            "class": [class_names[one] for one in label],
            "membership": [group(bool(one)).label.rstrip("s") for one in member],
        }
    )
    for quantity in QUANTITIES:
        for kind, one in signals.items():
            name = f"{quantity}: {KINDS[kind].words}"
            table[name] = one.values(quantity)[places[kind]]
    return table


def _rows(records: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """Positions of the chosen records among ``records``, which are distinct."""
    order = np.argsort(records, kind="stable")
    return np.asarray(order[np.searchsorted(records, chosen, sorter=order)])


def _seen(
    frame: Frame, signals: Mapping[ModelKind, RecordSignals], chosen: np.ndarray
) -> pd.DataFrame | None:
    """Pictures or features of these records; None if they may not be the records that were scored."""
    found = contents(frame)
    if found is None or not len(chosen):
        return None
    x, y, names = found
    first = next(iter(signals.values()))
    if first.record.max() >= len(y) or not np.array_equal(y[first.record], first.label):
        st.caption("The data set has changed since this run, so its records cannot be shown.")
        return None
    key = frame.result.plan.key(DATA)
    name = "picture" if x.ndim == 4 else "features"
    return pd.DataFrame({name: _looks(key, tuple(chosen.tolist()), x, names)})


@st.cache_data(max_entries=16, show_spinner=False)
def _looks(
    key: str, chosen: tuple[int, ...], _x: np.ndarray, _names: Sequence[str] | None
) -> list[str]:
    """What these records look like: a hundred pictures take longer than all else on the page."""
    if _x.ndim == 4:
        return [thumbnail(_x[one]) for one in chosen]
    return [features(_x[one], _names) for one in chosen]
