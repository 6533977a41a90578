"""The distance between the distributions of members and non-members, class by class."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import streamlit as st

from prunepriv.figures import findings
from prunepriv.figures.classes import DISTANCE_LABELS, Distance, distance_scatter
from prunepriv.figures.palette import KINDS
from prunepriv.options import ModelKind
from prunepriv.store.signals import QUANTITIES, Quantity
from prunepriv.ui.charts import chart
from prunepriv.ui.controls import class_names
from prunepriv.ui.frame import Frame, not_there_yet
from prunepriv.ui.glossary import tip
from prunepriv.ui.provenance import Provenance


def draw_distances(
    frame: Frame, gaps: Mapping[ModelKind, pd.DataFrame], label: int | None, provenance: Provenance
) -> None:
    """Draw each class's distance before and after pruning; needs two models."""
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
        "Each point is a class. Above the dotted line, members and non-members are easier to "
        f"distinguish than in the {KINDS[before].words} model."
    )
