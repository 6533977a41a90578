"""What was checked of the run in view: quiet where all is well, loud where something is not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from prunepriv.ui.glossary import tip

Checks = Sequence[Mapping[str, Any]]
"""``Result.checks``: "label", "passed" (None: only to know) and "detail" of each."""

ICONS = {True: ":material/check_circle:", False: ":material/error:", None: ":material/info:"}


def warn(checks: Checks | None) -> None:
    """At the top of a page: every check that failed."""
    for row in checks or ():
        if row["passed"] is False:
            st.error(
                f"**A hygiene check of this run failed, \u201c{row['label']}\u201d:** {row['detail']} "
                "Do not rely on its figures before this is explained.",
                icon=":material/error:",
            )


def summary(checks: Checks) -> str:
    """As in "5 of 5 hygiene checks passed"."""
    verdicts = [row["passed"] for row in checks if row["passed"] is not None]
    return f"{sum(verdicts)} of {len(verdicts)} hygiene checks passed"


def draw(checks: Checks | None) -> None:
    """All checks with what was found; open where one failed."""
    if checks is None:
        return
    wrong = any(row["passed"] is False for row in checks)
    with st.expander(summary(checks), expanded=wrong, icon=ICONS[not wrong], key="hygiene"):
        for row in sorted(checks, key=lambda row: (row["passed"] is None, row["passed"])):
            failed = "Failed: " if row["passed"] is False else ""
            st.markdown(f"{ICONS[row['passed']]} **{failed}{row['label']}.** {row['detail']}")
        st.caption(tip("hygiene_checks"))
