"""What changes from one model to another, attack by attack, on the same records."""

from __future__ import annotations

import streamlit as st

from prunepriv.figures import findings
from prunepriv.figures.contrasts import contrast_dots
from prunepriv.plan import contrast_name
from prunepriv.ui.charts import chart
from prunepriv.ui.frame import Frame, not_there_yet
from prunepriv.ui.glossary import tip
from prunepriv.ui.other_seeds import View, attacks_in, draw_other_seeds
from prunepriv.ui.pairs import first_of, pairs_of


def draw_changes(frame: Frame) -> None:
    """Draw the paired differences of one change; which one is in the URL."""
    pairs = pairs_of(frame.experiment)
    if not pairs:
        return
    st.subheader("What changes, attack by attack", anchor=False, help=tip("paired_difference"))
    options, start = list(pairs), first_of(pairs)
    chosen = st.segmented_control(
        "Change", options, default=start, required=True, key="change", bind="query-params"
    )
    before, after = pairs[chosen if chosen in pairs else start]
    rows = frame.result.contrast(before, after)
    if rows is None:
        not_there_yet(frame, "This comparison")
        return
    chart(
        "contrasts",
        frame.provenance(contrast_name(before, after)),
        lambda look: contrast_dots(rows, look),
        finding=findings.changes(rows, before, after),
        alt="Differences of attack accuracies with 95 % intervals and the line of no change",
        choices=(chosen,),
    )
    st.caption(
        "Both sides are attacked on the same records, so the intervals are narrower than those of "
        "the accuracies. They are over this run's records; another seed may differ by more."
    )
    what = f"change of attack accuracy: {chosen.lower()}"
    draw_other_seeds(frame, View(attacks_in((before, after)), what))
