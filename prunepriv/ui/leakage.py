"""Leakage's parts: Figure 1 of the paper with the control, and the records behind each bar."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import streamlit as st

from prunepriv.figures import findings
from prunepriv.figures.histograms import BINS, leakage_histograms, shared_bins
from prunepriv.figures.palette import KINDS
from prunepriv.figures.scales import SCALES, Scale, ScaleName, scale_for
from prunepriv.options import MODEL_KINDS, ModelKind
from prunepriv.plan import signals_name
from prunepriv.store.signals import QUANTITIES, Quantity, RecordSignals
from prunepriv.ui.charts import chart
from prunepriv.ui.controls import class_filter, class_names
from prunepriv.ui.frame import Frame, link_params, not_there_yet
from prunepriv.ui.glossary import tip
from prunepriv.ui.records import record_list

Signals = Mapping[ModelKind, RecordSignals]
MODEL, SIGNAL, BAR = "bar_model", "bar_signal", "bar"
SIGNAL_LABELS: dict[Quantity, str] = {"confidence": "Confidence", "sensitivity": "Sensitivity"}


def controls(frame: Frame) -> tuple[Scale, int | None]:
    """Axes and class, both in the URL."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name: ScaleName = st.segmented_control(
            "Axes", list(SCALES), default="linear", required=True, key="axes", bind="query-params",
            format_func=lambda one: SCALES[one].label,
            help="A logit axis spreads out confidences near 0 and 1, where most members are. "
            "Sensitivities have no upper end and get a logarithmic axis instead.",
        )  # fmt: skip
        with st.container(width=220):
            label = class_filter(frame)
    return SCALES[name], label


def records_of(frame: Frame, label: int | None = None) -> dict[ModelKind, RecordSignals]:
    """Per-record signals of every model that is there, of one class or of all."""
    found = {kind: frame.result.records(kind) for kind in frame.kinds}
    return {kind: one.of_class(label) for kind, one in found.items() if one is not None}


def missing(frame: Frame) -> dict[ModelKind, str]:
    """Which of the four panels cannot be drawn, and why."""
    reasons: dict[ModelKind, str] = {}
    for kind in MODEL_KINDS:
        if kind in frame.kinds:
            continue
        if kind in frame.experiment.models:
            reasons[kind] = "still being computed" if frame.live else "not computed"
        elif kind == "defended" and frame.experiment.defense.name == "none":
            reasons[kind] = "no defence in this run"
        else:
            reasons[kind] = "not part of this run"
    return reasons


def figure_one(frame: Frame, scale: Scale, label: int | None) -> None:
    """Both histograms, four models each; a click on a bar leads to its records."""
    signals = records_of(frame, label)
    if not signals:
        not_there_yet(frame, "Confidences and sensitivities")
        return
    if not any(len(one.record) for one in signals.values()):
        st.info("No target record belongs to this class.")
        return
    with st.grid(2, min_column_width=420, gap="medium"):
        for quantity in QUANTITIES:
            with st.container():
                _histograms(frame, signals, quantity, scale, label)
    if frame.experiment.defense.name == "none":
        st.page_link(
            "pages/run.py", label="Launch the same with PPB to fill the fourth panel",
            icon=":material/shield:", query_params=link_params(frame.run_id),
        )  # fmt: skip
    _records(frame, signals, scale)


def _histograms(
    frame: Frame, signals: Signals, quantity: Quantity, scale: Scale, label: int | None
) -> None:
    st.subheader(SIGNAL_LABELS[quantity], anchor=False, help=tip(quantity))
    only = class_names(frame)[label] if label is not None else ""
    absent = missing(frame)
    mark = chart(
        f"histograms_{quantity}",
        frame.provenance(*(signals_name(kind) for kind in signals)),
        lambda look: leakage_histograms(signals, quantity, scale, look, absent),
        finding=findings.leakage(signals, quantity, only),
        alt=f"Histograms of {quantity}, members against non-members, for each model",
        choices=(scale.name, label, *absent.items()),
        select=True,
    )
    if mark is not None:
        st.session_state[MODEL], st.session_state[SIGNAL] = mark[0], quantity
        st.session_state[BAR] = str(int(mark[1]) + 1)


def _records(frame: Frame, signals: Signals, scale: Scale) -> None:
    """The records in one bar, chosen by a click above or by the controls here."""
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
        with st.container(width=300):
            bar = st.selectbox(
                "Bar", [str(one + 1) for one in range(BINS)], index=BINS - 1, key=BAR,
                bind="query-params", required=True,
                format_func=lambda one: bins.label(int(one) - 1),
            )  # fmt: skip
    index = int(bar or BINS) - 1
    chosen = bins.holding(values, index)
    st.markdown(
        f"**{findings.records_in_bin(signals[kind], chosen, bins.label(index), quantity)}**"
    )
    order = np.argsort(-values[chosen], kind="stable")
    if chosen.any():
        record_list(frame, signals, signals[kind].record[chosen][order], key="records")
