"""How much the defence weakens the attacks: every attack without and with it."""

from __future__ import annotations

import streamlit as st

from prunepriv.figures import findings
from prunepriv.figures.leaderboard import accuracy_dots
from prunepriv.options import Adversary
from prunepriv.plan import Target, evaluation_name
from prunepriv.ui.charts import chart
from prunepriv.ui.frame import Frame, not_there_yet
from prunepriv.ui.glossary import tip


def draw_attacks(frame: Frame, adversary: Adversary, name: str) -> None:
    """Draw all attacks without and with the defence, and both adversaries, in one chart."""
    st.subheader("Attacks without and with the defence", anchor=False, help=tip("attack_accuracy"))
    board = frame.result.leaderboard()
    everyone = [
        Target("pruned"),
        Target("defended", "adaptive"),
        Target("defended", "non_adaptive"),
    ]
    known = {one: frame.headline(one) for one in everyone}
    shown = [one for one in everyone if known[one] is not None]
    if known[everyone[0]] is None or len(shown) < 2:
        not_there_yet(frame, "Attacks on the pruned and the defended model")
        return
    _, adaptive, other = known.values()
    chart(
        "defense_attacks",
        frame.provenance(*map(evaluation_name, shown)),
        lambda look: accuracy_dots(board, shown, look),
        finding=findings.defense(
            adaptive,
            other,
            frame.result.contrast(everyone[0], everyone[1]),
            frame.result.contrast(everyone[2], everyone[1]),
            name,
            adversary,
        ),
        alt=f"Attack accuracies without and with {name}, with 95 % intervals",
    )
    st.caption(
        "The numbers on the right belong to the pruned model. "
        + findings.not_run(board["attack"].unique())
    )
