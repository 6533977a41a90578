"""The pruned and the defended model side by side: accuracies, signals, classes."""

from __future__ import annotations

from typing import Any

import streamlit as st

from prunepriv.figures import findings
from prunepriv.figures.classes import GAP_LABELS, MOST_CLASSES, Gap, class_gaps, gap_bars
from prunepriv.figures.defenses import model_accuracies
from prunepriv.figures.histograms import leakage_histograms
from prunepriv.figures.scales import SCALES
from prunepriv.options import ModelKind
from prunepriv.plan import Target, divergence_name, signals_name
from prunepriv.store.signals import QUANTITIES, Quantity
from prunepriv.ui.charts import chart
from prunepriv.ui.controls import class_names
from prunepriv.ui.frame import Frame, link_params, not_there_yet
from prunepriv.ui.glossary import tip
from prunepriv.ui.signals import SIGNAL_LABELS, Signals, records_of

BOTH: tuple[ModelKind, ...] = ("pruned", "defended")


def draw_accuracies(frame: Frame, name: str) -> None:
    """Draw how much accuracy the defence costs."""
    st.subheader("What the defence costs", anchor=False, help=tip("accuracy_kept"))
    found = {kind: frame.result.model_report(kind) for kind in frame.kinds}
    reports = {kind: report for kind, report in found.items() if report is not None}
    if not set(BOTH) <= reports.keys():
        not_there_yet(frame, "Accuracies of the pruned and the defended model")
        return
    chart(
        "model_accuracies",
        frame.provenance(*(signals_name(kind) for kind in reports)),
        lambda look: model_accuracies(reports, look),
        finding=findings.price(reports, _contrast(frame), name),
        alt="Accuracy of each model on members and non-members",
    )


def draw_signals(frame: Frame, name: str) -> None:
    """Histograms without and with the defence."""
    signals = {k: one for k, one in records_of(frame).items() if k in BOTH}
    if len(signals) < len(BOTH):
        return
    with st.grid(2, min_column_width=420, gap="medium"):
        for quantity in QUANTITIES:
            with st.container():
                _histograms(frame, signals, quantity, name)


def _histograms(frame: Frame, signals: Signals, quantity: Quantity, name: str) -> None:
    st.subheader(SIGNAL_LABELS[quantity], anchor=False, help=tip(quantity))
    chart(
        f"defended_{quantity}",
        frame.provenance(*(signals_name(kind) for kind in signals)),
        lambda look: leakage_histograms(signals, quantity, SCALES["linear"], look),
        finding=findings.defended_signals(
            signals, quantity, name, findings.pick(_contrast(frame), quantity, None)
        ),
        alt=f"Histograms of {quantity}, pruned and defended",
    )


def draw_classes(frame: Frame, name: str) -> None:
    """Gaps by class without and with the defence."""
    gaps = {kind: table for kind in BOTH if (table := frame.result.gaps(kind)) is not None}
    if len(gaps) < len(BOTH):
        return
    st.subheader("Class by class", anchor=False)
    metric: Gap = st.segmented_control(
        "Gap", list(GAP_LABELS), default="confidence", required=True, key="gap",
        bind="query-params", format_func=lambda one: GAP_LABELS[one].removesuffix(" gap"),
    )  # fmt: skip
    table = class_gaps(gaps, metric, class_names(frame), records_of(frame))
    chart(
        "defended_classes",
        frame.provenance(*(divergence_name(kind) for kind in gaps)),
        lambda look: gap_bars(table, "pruned", metric, look, MOST_CLASSES),
        finding=findings.defended_classes(
            table, metric, name, _contrast(frame), class_names(frame)
        ),
        alt=f"{GAP_LABELS[metric]} by class without and with {name}",
        choices=(metric,),
    )
    st.page_link(
        "pages/classes.py", label="All classes and models", icon=":material/arrow_forward:",
        query_params=link_params(frame.run_id),
    )  # fmt: skip


def _contrast(frame: Frame) -> list[dict[str, Any]] | None:
    """What the defence changes."""
    return frame.result.contrast(Target("pruned"), Target("defended"))
