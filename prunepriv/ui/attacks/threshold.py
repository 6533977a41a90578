"""The slider of an attack's threshold, and the charts that it changes."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from prunepriv.figures import findings
from prunepriv.figures.palette import Theme
from prunepriv.figures.roc import Curve
from prunepriv.figures.threshold import (
    Spacing,
    confusion_tiles,
    roc_point,
    slider_stops,
    start_threshold,
    threshold_histogram,
)
from prunepriv.plan import Target
from prunepriv.ui.attacks.curves import curve_of, provenance_of_scores
from prunepriv.ui.charts import Drawing, chart
from prunepriv.ui.frame import Frame
from prunepriv.ui.glossary import tip
from prunepriv.ui.provenance import Provenance

SPACINGS: dict[Spacing, str] = {"even": "Spread out", "linear": "Linear"}


@st.fragment
def draw_threshold(frame: Frame, target: Target, attack: str) -> None:
    """Draw the slider and its charts; a fragment, so that a move of it redraws nothing else."""
    curve, scores = curve_of(frame, target, attack), frame.result.scores(attack, target)
    records = frame.result.records(target.model)
    if curve is None or scores is None or records is None:
        return
    st.subheader("Move the threshold", anchor=False, help=tip("threshold"))
    start = start_threshold(scores.thresholds, records.label)
    stops = slider_stops(curve.points, start)
    text = next(name for name, value in stops.items() if value == start)
    picked = st.select_slider(
        f"Lowest score that {curve.label} calls \u201cmember\u201d", list(stops), value=text,
        key=f"threshold_{attack}", bind="query-params",
    )  # fmt: skip
    st.caption(findings.own_threshold(curve, scores.thresholds, text))
    spacing: Spacing = st.segmented_control(
        "Score axis", list(SPACINGS), default="even", required=True, key="score_axis",
        bind="query-params", format_func=lambda one: SPACINGS[one],
        help="Spread out: the width of a bar is its share of the records, so you can read the parts "
        "of the axis with many records. Linear: the score itself.",
    )  # fmt: skip
    _cut(
        curve,
        stops.get(picked, start),
        picked,
        spacing,
        provenance_of_scores(frame, target, [attack]),
    )


def _cut(
    curve: Curve, threshold: float, text: str, spacing: Spacing, provenance: Provenance
) -> None:
    counts = curve.points.confusion(threshold)
    pictures: tuple[tuple[str, str, str, Callable[[Theme], Drawing]], ...] = (
        ("cut", "Histogram cut at the threshold", findings.cut(counts, text),
         lambda look: threshold_histogram(curve, threshold, spacing, look)),
        ("cut_roc", "ROC with the threshold's point", findings.cut_rates(counts),
         lambda look: roc_point(curve, threshold, look)),
        ("cut_confusion", "Confusion matrix", findings.cut_verdicts(counts),
         lambda look: confusion_tiles(counts, look)),
    )  # fmt: skip
    with st.grid(3, min_column_width=290, gap="medium"):
        for key, what, finding, draw in pictures:
            with st.container():
                chart(
                    key, provenance, draw, finding=finding, alt=what,
                    choices=(threshold, spacing), passing=True,
                )  # fmt: skip
