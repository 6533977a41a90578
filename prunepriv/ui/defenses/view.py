"""Whether there is a defence, which adversary attacks it, and what it guarantees."""

from __future__ import annotations

import streamlit as st

from prunepriv.figures import findings
from prunepriv.options import Adversary
from prunepriv.prose import privacy_statement
from prunepriv.ui.controls import fix_attack
from prunepriv.ui.defenses.attacks import draw_attacks
from prunepriv.ui.defenses.models import draw_accuracies, draw_classes, draw_signals
from prunepriv.ui.defenses.trade_off import draw_trade_off
from prunepriv.ui.epochs import tell_epochs
from prunepriv.ui.frame import Frame, link_params
from prunepriv.ui.glossary import tip
from prunepriv.ui.other_seeds import View, attacks_in, draw_other_seeds
from prunepriv.ui.pairs import PAIRS
from prunepriv.ui.words import defense_of


def defended(frame: Frame) -> bool:
    """Whether the run has a defence; if not, say so and link to the next step."""
    if "defended" in frame.experiment.models:
        return True
    st.info(
        "This run has no defence, so there is nothing to compare. Launch the same run with PPB or "
        "another defence: the original, control and pruned models are reused, and only the defended "
        "model is new.",
        icon=":material/shield:",
    )
    st.page_link(
        "pages/run.py", label="Launch the same run with PPB", icon=":material/play_arrow:",
        query_params=link_params(frame.run_id),
    )  # fmt: skip
    return False


def controls(frame: Frame) -> tuple[Adversary, Frame]:
    """The adversary, adaptive by default, because the other one underestimates; and the attack."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        adapts = st.toggle(
            "Adaptive adversary",
            value=True,
            key="adaptive",
            bind="query-params",
            help=tip("adaptive"),
        )
        frame = fix_attack(frame)
    if not adapts:
        st.caption(
            "This adversary does not know that there is a defence, so the figures underestimate the "
            "leakage."
        )
    return "adaptive" if adapts else "non_adaptive", frame


def defenses(frame: Frame, adversary: Adversary) -> None:
    """Everything below the switch."""
    _privacy(frame)
    name = defense_of(frame.experiment)
    left, right = st.columns(2, gap="medium")
    with left:
        draw_attacks(frame, adversary, name)
    with right:
        draw_trade_off(frame, adversary, name)
    tell_epochs(frame)
    what = f"change of attack accuracy by {name}"
    draw_other_seeds(frame, View(attacks_in(PAIRS["The defence"]), what))
    draw_accuracies(frame, name)
    draw_signals(frame, name)
    draw_classes(frame, name)


def _privacy(frame: Frame) -> None:
    """Show what the defence guarantees, if it guarantees anything."""
    privacy = frame.result.privacy("defended")
    if privacy is None:
        return
    st.markdown(f":material/lock: **{privacy_statement(privacy)}**", help=tip("dp_sgd"))
    st.caption(findings.noise(privacy))
