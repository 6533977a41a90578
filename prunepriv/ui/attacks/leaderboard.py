"""All attacks on one model, best first."""

from __future__ import annotations

import streamlit as st

from prunepriv.figures import findings
from prunepriv.figures.leaderboard import accuracy_dots
from prunepriv.plan import Target, evaluation_name
from prunepriv.ui.charts import chart
from prunepriv.ui.frame import Frame, not_there_yet
from prunepriv.ui.glossary import tip


def draw_leaderboard(frame: Frame, target: Target) -> None:
    """Draw accuracies with their intervals, next to those on the original model."""
    st.subheader("All attacks", anchor=False, help=tip("attack_accuracy"))
    best = frame.result.best(target)
    if best is None:
        not_there_yet(frame, "The comparison of attacks")
        return
    original = Target("original")
    reference = frame.result.best(original) if target != original else None
    shown = [target, original] if reference is not None else [target]
    chart(
        "leaderboard",
        frame.provenance(*map(evaluation_name, shown)),
        lambda look: accuracy_dots(frame.result.leaderboard(), shown, look),
        finding=findings.best_attack(best, target, reference),
        alt="Attack accuracies with 95 % intervals and the line of random guessing",
    )
    st.caption(
        "Intervals: 95 % bootstrap over this run's records; another seed may differ by more. "
        + findings.not_run(frame.experiment.attacks.names)
    )
