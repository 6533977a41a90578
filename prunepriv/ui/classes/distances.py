"""The distance between the distributions of members and non-members by class, and chance."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import streamlit as st

from prunepriv.figures import findings
from prunepriv.figures.classes import (
    DISTANCE_LABELS,
    Distance,
    class_distances,
    distance_dots,
)
from prunepriv.options import ModelKind
from prunepriv.store.signals import QUANTITIES, Quantity
from prunepriv.ui.charts import chart
from prunepriv.ui.controls import class_names
from prunepriv.ui.frame import Frame
from prunepriv.ui.glossary import tip
from prunepriv.ui.provenance import Provenance


def draw_distances(
    frame: Frame,
    gaps: Mapping[ModelKind, pd.DataFrame],
    by: ModelKind,
    label: int | None,
    most: int | None,
    provenance: Provenance,
) -> None:
    """Draw each class's distance under every model, beside what chance gives."""
    st.subheader("Distance between members and non-members", anchor=False)
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
    table = class_distances(gaps, quantity, distance, class_names(frame))
    chart(
        "class_distances",
        provenance,
        lambda look: distance_dots(table, by, quantity, distance, look, label, most),
        finding=findings.distances(table, by, quantity, distance),
        alt=f"{DISTANCE_LABELS[distance]} of every class and model, beside what chance gives",
        choices=(by, quantity, distance, label, most),
    )
    st.caption(
        "The grey bands hold 95 % of the distances that chance gives: membership is permuted among "
        "the records of a class, and a class of few records is then still far apart. A filled dot "
        "is beyond chance, so that about 5 % of those named are expected to be there by chance "
        "(Benjamini-Hochberg). The classes that are furthest above chance come first."
    )
