"""Classes' parts: who pays for pruning."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import streamlit as st

from prunepriv.figures import findings
from prunepriv.figures.classes import (
    DISTANCE_LABELS,
    GAP_LABELS,
    Distance,
    Gap,
    class_gaps,
    class_means,
    distance_scatter,
    gap_bars,
    gap_heatmap,
)
from prunepriv.figures.palette import KINDS
from prunepriv.options import ModelKind
from prunepriv.plan import divergence_name
from prunepriv.store.signals import QUANTITIES, Quantity
from prunepriv.ui.charts import chart
from prunepriv.ui.controls import class_filter, class_names, model_kind
from prunepriv.ui.frame import Frame, link_params, not_there_yet
from prunepriv.ui.glossary import tip
from prunepriv.ui.leakage import records_of
from prunepriv.ui.provenance import Provenance

MOST = 15
"""Classes that are shown at first: as many as fit on a screen."""
Gaps = Mapping[ModelKind, pd.DataFrame]


def who_pays(frame: Frame) -> None:
    """Everything below the page's head."""
    gaps = {kind: table for kind in frame.kinds if (table := frame.result.gaps(kind)) is not None}
    if not gaps:
        not_there_yet(frame, "Gaps by class")
        return
    late = [KINDS[k].label.lower() for k in frame.experiment.models if k not in gaps]
    if late and frame.live:
        st.caption(f"Still being computed: {', '.join(late)}.")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        metric: Gap = st.segmented_control(
            "Gap", list(GAP_LABELS), default="confidence", required=True, key="gap",
            bind="query-params", format_func=lambda one: GAP_LABELS[one].removesuffix(" gap"),
        )  # fmt: skip
        chosen = model_kind(frame, label="Sorted by")
        place = st.container(width=220)
    by = chosen if chosen is not None and chosen in gaps else next(iter(gaps))
    table = class_gaps(gaps, metric, class_names(frame), records_of(frame))
    provenance = frame.provenance(*(divergence_name(kind) for kind in gaps))
    left, right = st.columns([3, 2], gap="medium")
    with left:
        _bars(table, by, metric, provenance)
    with place:  # drawn after the bars: a click on one of them sets it
        label = class_filter(frame)
    with right:
        _detail(frame, gaps, by, metric, label, provenance)
    _heatmap(table, by, metric, label, provenance)
    _distances(frame, gaps, label, provenance)


def _bars(table: pd.DataFrame, by: ModelKind, metric: Gap, provenance: Provenance) -> None:
    st.subheader(GAP_LABELS[metric], anchor=False, help=tip(f"{metric}_gap"))
    classes = table["class"].nunique()
    everything = classes <= MOST or st.toggle(
        f"All {classes} classes", key="all_classes", bind="query-params"
    )
    most = None if everything else MOST
    mark = chart(
        "class_bars",
        provenance,
        lambda look: gap_bars(table, by, metric, look, most),
        finding=findings.class_bars(table, by, metric),
        alt=f"Bars of the {GAP_LABELS[metric].lower()} by class, largest first",
        choices=(by, metric, most),
        select=True,
    )
    if mark is not None:
        st.session_state["class"] = _option(table, int(mark[0]))
    st.caption(
        "Click a bar to see its class in the other charts. Bars carry 95 % intervals over records."
    )


def _option(table: pd.DataFrame, label: int) -> str:
    """What the class filter calls that class."""
    return str(table.loc[table["class"] == label, "name"].iloc[0])


def _detail(
    frame: Frame,
    gaps: Gaps,
    by: ModelKind,
    metric: Gap,
    label: int | None,
    provenance: Provenance,
) -> None:
    name = class_names(frame)[label] if label is not None else None
    st.subheader(name or "All classes", anchor=False)
    chart(
        "class_means",
        provenance,
        lambda look: class_means(gaps, metric, label, name or "", look),
        finding=lambda means: findings.class_detail(means, by, name),
        alt="Means of members and non-members under each model",
        choices=(metric, label),
    )
    if name is not None:
        st.page_link(
            "pages/leakage.py", label=f"Histograms and records of {name}",
            icon=":material/arrow_forward:",
            query_params={**link_params(frame.run_id), "class": name},
        )  # fmt: skip


def _heatmap(
    table: pd.DataFrame, by: ModelKind, metric: Gap, label: int | None, provenance: Provenance
) -> None:
    st.subheader("All models, all classes", anchor=False)
    chart(
        "class_heatmap",
        provenance,
        lambda look: gap_heatmap(table, by, metric, look, label),
        finding=findings.class_changes(table, metric),
        alt=f"Heatmap of the {GAP_LABELS[metric].lower()}, models by classes",
        choices=(by, metric, label),
    )


def _distances(frame: Frame, gaps: Gaps, label: int | None, provenance: Provenance) -> None:
    """How far the groups' distributions lie apart, before and after; needs two models."""
    st.subheader("Distance between members and non-members", anchor=False)
    if len(gaps) < 2:
        not_there_yet(frame, "A second model to compare with")
        return
    with st.container(horizontal=True):
        quantity: Quantity = st.segmented_control(
            "Signal", list(QUANTITIES), default="confidence", required=True, key="distance_of",
            bind="query-params", format_func=str.capitalize,
        )  # fmt: skip
        distance: Distance = st.segmented_control(
            "Distance", list(DISTANCE_LABELS), default="js", required=True, key="distance",
            bind="query-params", format_func=lambda one: DISTANCE_LABELS[one].split(" ")[0], wrap=True,
            help="\n\n".join(tip(one) for one in DISTANCE_LABELS),
        )  # fmt: skip
    names, before = class_names(frame), next(iter(gaps))
    chart(
        "class_distances",
        provenance,
        lambda look: distance_scatter(gaps, quantity, distance, names, look, label),
        finding=lambda table: findings.distances(table, before),
        alt=f"{DISTANCE_LABELS[distance]} of every class, before and after",
        choices=(quantity, distance, label),
    )
    st.caption(
        "Each point is a class. Above the dotted line: easier to tell apart than in the "
        f"{KINDS[before].label.lower()} model."
    )
