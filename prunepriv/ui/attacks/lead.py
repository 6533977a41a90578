"""How far the best attack on a target is ahead of the next."""

from __future__ import annotations

from typing import Any

import streamlit as st

from prunepriv.plan import Target, evaluation_name
from prunepriv.store.differences import lead
from prunepriv.store.result import Result
from prunepriv.ui.frame import Frame


def lead_of(frame: Frame, target: Target, metric: str = "accuracy") -> dict[str, Any] | None:
    """See :func:`prunepriv.store.differences.lead`; of an artifact it is computed once."""
    if frame.result.evaluation(target) is None:
        return None
    key = frame.result.plan.key(evaluation_name(target))
    return _lead(key, metric, frame.result, target)


@st.cache_data(max_entries=128, show_spinner=False)
def _lead(key: str, metric: str, _result: Result, _target: Target) -> dict[str, Any] | None:
    return lead(_result, _target, metric)
