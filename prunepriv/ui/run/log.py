"""The logs of the steps that failed, beside the failed run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from prunepriv.plan import step_words
from prunepriv.store.schema import StepView
from prunepriv.store.step_logs import read_log

SHOWN = 40
"""Lines that are shown; the file to download has more."""


def draw(store: Path, steps: Sequence[StepView]) -> None:
    """Draw the last lines of each failed step's log, and a button that downloads it.

    Args:
        store: the store's folder.
        steps: of the run.
    """
    for step in steps:
        text = read_log(store, step.key) if step.status == "failed" else ""
        if text:
            _draw_one(step, text)


def _draw_one(step: StepView, text: str) -> None:
    lines = text.rstrip("\n").split("\n")
    left = len(lines) - SHOWN
    with st.expander(f"Log of step {step_words(step.name)}", icon=":material/description:"):
        if left > 0:
            st.caption(f"The last {SHOWN} lines; {left:,} more are in the file.")
        st.code("\n".join(lines[-SHOWN:]), language=None, wrap_lines=True)
        st.download_button(
            "Download the log", text, file_name=f"{step.name.replace(':', '_')}.log.txt",
            mime="text/plain", icon=":material/download:", key=f"log_{step.key}", on_click="ignore",
        )  # fmt: skip
