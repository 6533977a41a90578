"""The controls of the page, for class, gap and model, and the charts that depend on them."""

from __future__ import annotations

import streamlit as st

from prunepriv.figures.classes import GAP_LABELS, Gap, class_gaps
from prunepriv.figures.palette import KINDS
from prunepriv.plan import divergence_name
from prunepriv.ui.classes.distances import draw_distances
from prunepriv.ui.classes.gaps import draw_bars, draw_class, draw_heatmap
from prunepriv.ui.controls import class_filter, class_names, model_kind
from prunepriv.ui.epochs import tell_epochs
from prunepriv.ui.frame import Frame, not_there_yet
from prunepriv.ui.other_seeds import View, classes_in, draw_other_seeds
from prunepriv.ui.pairs import first_of, pairs_of
from prunepriv.ui.signals import records_of


def classes(frame: Frame) -> None:
    """Draw everything below the page's head."""
    gaps = {kind: table for kind in frame.kinds if (table := frame.result.gaps(kind)) is not None}
    if not gaps:
        not_there_yet(frame, "Gaps by class")
        return
    late = [KINDS[k].words for k in frame.experiment.models if k not in gaps]
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
        most = draw_bars(table, by, metric, provenance)
    with place:  # drawn after the bars: a click on one of them sets it
        label = class_filter(frame)
    with right:
        draw_class(frame, gaps, by, metric, label, provenance)
    tell_epochs(frame)
    draw_heatmap(frame, table, by, metric, label, provenance)
    draw_distances(frame, gaps, by, label, most, provenance)
    _draw_other_seeds(frame, metric)


def _draw_other_seeds(frame: Frame, metric: Gap) -> None:
    """How removing weights changes the gap class by class, or the first change that there is."""
    pairs = pairs_of(frame.experiment)
    if not pairs:
        return
    name = first_of(pairs)
    choose = classes_in(pairs[name], metric, class_names(frame))
    what = f"change of the {GAP_LABELS[metric].lower()}: {name.lower()}"
    few = "no class has 10 members and 10 non-members in every seed"
    draw_other_seeds(frame, View(choose, what, fractions=False, nothing=few))
