"""All attacks on one model, best first."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from prunepriv.figures import findings
from prunepriv.figures.leaderboard import accuracy_dots
from prunepriv.plan import Target, evaluation_name
from prunepriv.ui.attacks.lead import lead_of
from prunepriv.ui.charts import chart
from prunepriv.ui.frame import Frame, not_there_yet
from prunepriv.ui.glossary import tip


def draw_leaderboard(frame: Frame, board: pd.DataFrame, target: Target) -> None:
    """Draw accuracies with their intervals, next to those on the original model."""
    st.subheader(
        "All attacks", anchor=False, help=tip("attack_accuracy", "chosen_attack", "guessing")
    )
    headline, rows = frame.result.headline(target), frame.result.evaluation(target)
    chance = frame.result.chance(target)
    if headline is None or rows is None or chance is None:
        not_there_yet(frame, "The comparison of attacks")
        return
    original = Target("original")
    has_original = target != original and frame.result.evaluation(original) is not None
    shown = [target, original] if has_original else [target]
    chart(
        "leaderboard",
        frame.provenance(*map(evaluation_name, shown)),
        lambda look: accuracy_dots(board, shown, look),
        finding=findings.best_attack(headline, rows, chance, target, lead_of(frame, target)),
        alt="Attack accuracies with 95 % intervals and the line of random guessing",
    )
    st.caption(
        "Intervals: 95 % bootstrap over this run's records; another seed may differ by more. "
        + f"{findings.not_run(frame.experiment.attacks.names)} "
        + findings.sampled_fit(frame.result.fit_of(headline["attack"]))
    )
