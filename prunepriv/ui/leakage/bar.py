"""The records in one bar, chosen by a click on it or by the controls here."""

from __future__ import annotations

import numpy as np
import streamlit as st

from prunepriv.figures import findings
from prunepriv.figures.histograms import shared_bins
from prunepriv.figures.palette import KINDS
from prunepriv.figures.scales import Scale, scale_for
from prunepriv.options import ModelKind
from prunepriv.store.signals import QUANTITIES, Quantity
from prunepriv.ui.frame import Frame
from prunepriv.ui.leakage.records import record_list
from prunepriv.ui.signals import SIGNAL_LABELS, Signals

MODEL, SIGNAL, BAR = "bar_model", "bar_signal", "bar"


def choose_bar(kind: ModelKind, quantity: Quantity, index: int) -> None:
    """Set the controls to a bar that was clicked; call it before they are drawn."""
    st.session_state[MODEL], st.session_state[SIGNAL] = kind, quantity
    st.session_state[BAR] = str(index + 1)


def records_in_bar(frame: Frame, signals: Signals, scale: Scale) -> None:
    """Draw the controls, the bar's finding, and its records."""
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
        bins = shared_bins(list(signals.values()), quantity, scale_for(quantity, scale.name))
        values = signals[kind].values(quantity)
        first, last = bins.shown
        if BAR in st.session_state:  # of another signal, whose axis has other bars
            kept = min(max(int(st.session_state[BAR] or last + 1), first + 1), last + 1)
            st.session_state[BAR] = str(kept)
        with st.container(width=300):
            bars = [str(one + 1) for one in range(first, last + 1)]
            bar = st.selectbox(
                "Bar", bars, index=len(bars) - 1, key=BAR,
                bind="query-params", required=True,
                format_func=lambda one: bins.label(int(one) - 1),
            )  # fmt: skip
    index = int(bar) - 1
    chosen = bins.holding(values, index)
    st.markdown(
        f"**{findings.records_in_bin(signals[kind], chosen, bins.label(index), quantity)}**"
    )
    order = np.argsort(-values[chosen], kind="stable")
    if chosen.any():
        record_list(frame, signals, signals[kind].record[chosen][order], key="records")
