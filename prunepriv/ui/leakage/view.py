"""Figure 1 of the paper with the control: two signals of each model."""

from __future__ import annotations

import streamlit as st

from prunepriv.figures import findings
from prunepriv.figures.histograms import absent_models, leakage_histograms
from prunepriv.figures.scales import SCALES, Scale, ScaleName
from prunepriv.options import ModelKind
from prunepriv.plan import Target, signals_name
from prunepriv.store.signals import QUANTITIES, Quantity
from prunepriv.ui.charts import chart
from prunepriv.ui.controls import class_filter, class_names
from prunepriv.ui.epochs import tell_epochs
from prunepriv.ui.frame import Frame, link_params, not_there_yet
from prunepriv.ui.glossary import tip
from prunepriv.ui.leakage.bar import choose_bar, records_in_bar
from prunepriv.ui.other_seeds import View, draw_other_seeds, gap_changes
from prunepriv.ui.signals import SIGNAL_LABELS, Signals, records_of

CONTROLS: tuple[ModelKind, ...] = ("control", "control_matched")


def controls(frame: Frame) -> tuple[Scale, int | None]:
    """Choose axes and class; both are in the URL."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name: ScaleName = st.segmented_control(
            "Axes", list(SCALES), default="linear", required=True, key="axes", bind="query-params",
            format_func=lambda one: SCALES[one].label,
            help="A logit axis spreads out confidences near 0 and 1, where most members are. "
            "Sensitivities have no upper limit: their axis is always logarithmic, with the same bars in "
            "every run.",
        )  # fmt: skip
        with st.container(width=220):
            label = class_filter(frame)
    return SCALES[name], label


def missing(frame: Frame) -> dict[ModelKind, str]:
    """Which panels cannot be drawn, and why."""
    return absent_models(frame.experiment, frame.kinds, frame.live)


def figure_one(frame: Frame, scale: Scale, label: int | None) -> None:
    """Draw both histograms with a panel for each model; a click on a bar shows its records."""
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
    tell_epochs(frame)
    only = "" if label is None else f", {class_names(frame)[label]}"
    views = [View(gap_changes(q, label), f"change of the {q} gap{only}", False) for q in QUANTITIES]
    draw_other_seeds(frame, *views)
    if frame.experiment.defense.name == "none":
        st.page_link(
            "pages/run.py", label="Launch the same run with PPB to fill the fourth panel",
            icon=":material/shield:", query_params=link_params(frame.run_id),
        )  # fmt: skip
    records_in_bar(frame, signals, scale)


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
        finding=findings.leakage(signals, quantity, only, *_causes(frame, quantity, label)),
        alt=f"Histograms of {quantity}, members against non-members, for each model",
        choices=(scale.name, label, *absent.items()),
        select=True,
    )
    if mark is not None:
        choose_bar(mark[0], quantity, int(mark[1]))


def _causes(
    frame: Frame, quantity: Quantity, label: int | None
) -> tuple[
    findings.Row | None,
    findings.Row | None,
    findings.Row | None,
    tuple[findings.Row | None, findings.Row | None],
]:
    """What retraining, removing weights and both change in the gap; then by the longer control."""
    start, end = Target("original"), Target("pruned")

    def row(before: Target, after: Target) -> findings.Row | None:
        return findings.pick(frame.result.contrast(before, after), quantity, None, label)

    (first, second), equally_long = (
        (row(start, control), row(control, end)) for control in map(Target, CONTROLS)
    )
    return first, second, row(start, end), equally_long
