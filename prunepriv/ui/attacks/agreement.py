"""Whether attacks find the same members."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from prunepriv.figures import findings
from prunepriv.figures.agreement import MEASURE_LABELS, Measure, agreement_heatmap, votes_chart
from prunepriv.plan import Target
from prunepriv.ui.attacks.curves import provenance_of_scores
from prunepriv.ui.charts import chart
from prunepriv.ui.frame import Frame


def draw_agreement(frame: Frame, target: Target, names: Sequence[str]) -> None:
    """Draw the agreement of each pair and of all attacks; needs two attacks."""
    st.subheader("Do attacks agree?", anchor=False)
    found = {name: frame.result.scores(name, target) for name in names}
    verdicts = {name: one.decision for name, one in found.items() if one is not None}
    records = frame.result.records(target.model)
    if len(verdicts) < 2 or records is None:
        st.caption("Agreement needs at least two attacks.")
        return
    measure: Measure = st.segmented_control(
        "Measure", list(MEASURE_LABELS), default="alike", required=True, key="agreement_by",
        bind="query-params", format_func=lambda one: MEASURE_LABELS[one],
        help="Phi does not count the agreement that two attacks would have by chance.",
    )  # fmt: skip
    provenance = provenance_of_scores(frame, target, verdicts)
    with st.grid(2, min_column_width=400, gap="medium"):
        with st.container():
            chart(
                "agreement",
                provenance,
                lambda look: agreement_heatmap(verdicts, measure, look),
                finding=lambda pairs: findings.agreement(pairs, verdicts, records.member),
                alt=f"{MEASURE_LABELS[measure]} for each pair of attacks",
                choices=(measure,),
            )
        with st.container():
            chart(
                "votes",
                provenance,
                lambda look: votes_chart(verdicts, records.member, look),
                finding=findings.votes,
                alt="How many attacks call a record a member",
            )
