"""The checks of the selected run: a closed list, and an error for every check that failed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from prunepriv.prose import failed_checks
from prunepriv.ui.glossary import tip

Checks = Sequence[Mapping[str, Any]]
"""``Result.checks``: "label", "passed" (None: for information only) and "detail" of each."""

ICONS = {True: ":material/check_circle:", False: ":material/error:", None: ":material/info:"}


def warn(checks: Checks | None) -> None:
    """Show every failed check; call it at the top of a page."""
    for headline, meaning in failed_checks(checks or ()):
        st.error(f"**{headline}** {meaning}", icon=":material/error:")


def summary(checks: Checks) -> str:
    """How many passed, such as "5 of 5 hygiene checks passed"."""
    verdicts = [row["passed"] for row in checks if row["passed"] is not None]
    return f"{sum(verdicts)} of {len(verdicts)} hygiene checks passed"


def draw(checks: Checks | None) -> None:
    """List all checks with their details; the list is open if a check failed."""
    if checks is None:
        return
    wrong = any(row["passed"] is False for row in checks)
    with st.expander(summary(checks), expanded=wrong, icon=ICONS[not wrong], key="hygiene"):
        for row in sorted(checks, key=lambda row: (row["passed"] is None, row["passed"])):
            failed = "Failed: " if row["passed"] is False else ""
            st.markdown(f"{ICONS[row['passed']]} **{failed}{row['label']}.** {row['detail']}")
        st.caption(tip("hygiene_checks"))
