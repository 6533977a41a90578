"""ROC curves on linear and logarithmic axes, and the TPR at low FPR."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import streamlit as st

from prunepriv.figures import findings
from prunepriv.figures.roc import Curve, low_fpr_table, low_fpr_words, roc_chart
from prunepriv.plan import Target
from prunepriv.ui.attacks.curves import provenance_of_scores
from prunepriv.ui.attacks.lead import lead_of
from prunepriv.ui.charts import chart, show_data, theme
from prunepriv.ui.frame import Frame
from prunepriv.ui.glossary import tip
from prunepriv.ui.provenance import Provenance


def draw_rocs(frame: Frame, curves: Mapping[str, Curve], chosen: str, target: Target) -> None:
    """Draw every attack's curve, the chosen one in front."""
    provenance = provenance_of_scores(frame, target, curves)
    with st.grid(2, min_column_width=400, gap="medium"):
        for log in (False, True):
            with st.container():
                _roc(curves, chosen, provenance, log)
    st.caption(
        "Star: the attack's own thresholds, fitted on shadow models. Band: 95 % interval of the "
        "TPR (Wilson). On logarithmic axes, rates of less than one record are not drawn. "
        "An attack with few distinct scores, such as Corr, has few steps."
    )


def _roc(curves: Mapping[str, Curve], chosen: str, provenance: Provenance, log: bool) -> None:
    chart(
        "roc_log" if log else "roc_linear",
        provenance,
        lambda look: roc_chart(curves, chosen, look, log),
        finding=(findings.roc_log if log else findings.roc_linear)(curves[chosen]),
        alt=f"ROC on {'logarithmic' if log else 'linear'} axes",
        choices=(chosen,),
    )


@st.cache_data(max_entries=32, show_spinner=False)
def _low_rates_table(keys: tuple[str, ...], _curves: Mapping[str, Curve]) -> pd.DataFrame:
    return low_fpr_table(_curves)


def draw_low_rates(frame: Frame, curves: Mapping[str, Curve], target: Target) -> None:
    """Draw a table of exact values, because a curve cannot be read exactly at low FPR."""
    provenance = provenance_of_scores(frame, target, curves)
    table = _low_rates_table(provenance.keys, curves)
    words, meant = low_fpr_words(table)
    gray = f"color: {theme().muted}; opacity: 0.55; font-style: italic"
    lead = lead_of(frame, target, "tpr_at_fpr_0.01")
    st.markdown(f"**{findings.low_rates(table, lead)}**", help=tip("tpr_at_fpr"))
    st.dataframe(
        words.style.apply(lambda _: np.where(meant, "", gray), axis=None),
        height="content",
        alt="True positive rate of every attack at 10, 1, 0.1 and 0 % false positives",
    )
    st.caption(
        "FP: number of false positives at that rate. Grey: too few non-members for a reliable value; "
        "0.1 % and less need at least 5,000."
    )
    show_data(table, "low_fpr", provenance)
