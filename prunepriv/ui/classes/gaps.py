"""Gaps class by class: sorted bars, one class compared with all, and a table of models by classes."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import streamlit as st

from prunepriv.figures import findings
from prunepriv.figures.classes import (
    GAP_LABELS,
    MOST_CLASSES,
    Gap,
    class_means,
    gap_bars,
    gap_heatmap,
)
from prunepriv.options import ModelKind
from prunepriv.plan import Target
from prunepriv.ui.charts import chart
from prunepriv.ui.controls import class_names
from prunepriv.ui.frame import Frame, link_params
from prunepriv.ui.glossary import tip
from prunepriv.ui.provenance import Provenance

Gaps = Mapping[ModelKind, pd.DataFrame]


def draw_bars(
    table: pd.DataFrame, by: ModelKind, metric: Gap, provenance: Provenance
) -> int | None:
    """Draw a bar per class; a click on one chooses its class in the other charts.

    Returns:
        How many classes a chart shows at most; None for all.
    """
    st.subheader(GAP_LABELS[metric], anchor=False, help=tip(f"{metric}_gap"))
    classes = table["class"].nunique()
    everything = classes <= MOST_CLASSES or st.toggle(
        f"All {classes} classes", key="all_classes", bind="query-params"
    )
    most = None if everything else MOST_CLASSES
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
        "Click a bar to see its class in the other charts. The lines on the bars are 95 % intervals "
        "over records."
    )
    return most


def _option(table: pd.DataFrame, label: int) -> str:
    """The name of that class in the class filter."""
    return str(table.loc[table["class"] == label, "name"].iloc[0])


def draw_class(
    frame: Frame,
    gaps: Gaps,
    by: ModelKind,
    metric: Gap,
    label: int | None,
    provenance: Provenance,
) -> None:
    """Draw one class compared with all classes, model by model."""
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


def draw_heatmap(
    frame: Frame,
    table: pd.DataFrame,
    by: ModelKind,
    metric: Gap,
    label: int | None,
    provenance: Provenance,
) -> None:
    """Draw every model and every class in one chart."""
    rows = {
        (before, after): contrast
        for before, after, _ in findings.STEPS
        if (contrast := frame.result.contrast(Target(before), Target(after))) is not None
    }
    st.subheader("All models, all classes", anchor=False)
    chart(
        "class_heatmap",
        provenance,
        lambda look: gap_heatmap(table, by, metric, look, label),
        finding=findings.class_changes(rows, metric, class_names(frame)),
        alt=f"Heatmap of the {GAP_LABELS[metric].lower()}, models by classes",
        choices=(by, metric, label),
    )
