"""The records in one bar, chosen by a click on it or by the controls here."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from prunepriv.figures import findings
from prunepriv.figures.histograms import BINS, Bins, shared_bins
from prunepriv.figures.palette import KINDS
from prunepriv.figures.scales import Scale, scale_for
from prunepriv.options import ModelKind
from prunepriv.plan import signals_name
from prunepriv.store.signals import QUANTITIES, Quantity
from prunepriv.ui.cache import Cache
from prunepriv.ui.controls import class_names
from prunepriv.ui.frame import Frame
from prunepriv.ui.leakage.records import record_list, record_table
from prunepriv.ui.signals import SIGNAL_LABELS, Signals

MODEL, SIGNAL, BAR = "bar_model", "bar_signal", "bar"

LABELS: Cache[tuple[Bins, list[str]]] = Cache(64)
ROWS: Cache[tuple[str, pd.DataFrame]] = Cache(64)


def choose_bar(kind: ModelKind, quantity: Quantity, index: int) -> None:
    """Set the controls to a bar that was clicked; call it before they are drawn."""
    st.session_state[MODEL], st.session_state[SIGNAL] = kind, quantity
    st.session_state[BAR] = str(index + 1)


def records_in_bar(frame: Frame, signals: Signals, scale: Scale, label: int | None) -> None:
    """Draw the controls, the bar's finding, and its records.

    Args:
        signals: per kind of model; of the records of the class `label`, if one is given.
        scale: of the histograms.
    """
    st.subheader("Records in a bar", anchor=False)
    st.caption("Click a bar above, or choose one here.")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        kinds = list(signals)
        kind: ModelKind = st.segmented_control(
            "Model", kinds, default="pruned" if "pruned" in kinds else kinds[-1], required=True,
            key=MODEL, bind="query-params", format_func=lambda one: KINDS[one].label,
        )  # fmt: skip
        quantity: Quantity = st.segmented_control(
            "Signal", list(QUANTITIES), default="confidence", required=True, key=SIGNAL,
            bind="query-params", format_func=lambda one: SIGNAL_LABELS[one],
        )  # fmt: skip
        axis = scale_for(quantity, scale.name)
        read = frame.provenance(*(signals_name(one) for one in signals)).keys
        shown = (*read, label, quantity, axis.name)
        bins, names = LABELS.get(shown, lambda: _labels(signals, quantity, axis))
        with st.container(width=300):
            bar = st.selectbox(
                "Bar", [str(one + 1) for one in range(BINS)], index=BINS - 1, key=BAR,
                bind="query-params", required=True,
                format_func=lambda one: names[int(one) - 1],
            )  # fmt: skip
    index = int(bar or BINS) - 1
    told, rows = ROWS.get(
        (*shown, kind, index),
        lambda: _rows(signals, kind, quantity, bins, index, class_names(frame)),
    )
    st.markdown(f"**{told}**")
    if len(rows):
        record_list(frame, signals, rows, key="records")


def _labels(signals: Signals, quantity: Quantity, scale: Scale) -> tuple[Bins, list[str]]:
    """The bins that all panels share, and what each is called."""
    bins = shared_bins(list(signals.values()), quantity, scale)
    return bins, [bins.label(index) for index in range(BINS)]


def _rows(
    signals: Signals,
    kind: ModelKind,
    quantity: Quantity,
    bins: Bins,
    index: int,
    class_names: tuple[str, ...],
) -> tuple[str, pd.DataFrame]:
    """What is told of a bar, and a row per record, those with the highest values first."""
    ours = signals[kind]
    values = ours.values(quantity)
    chosen = bins.holding(values, index)
    order = np.argsort(-values[chosen], kind="stable")
    table = record_table(signals, ours.record[chosen][order], class_names)
    return findings.records_in_bin(ours, chosen, bins.label(index), quantity), table
