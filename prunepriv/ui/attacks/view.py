"""The attacked model and its adversary; all attacks, and then one of them in detail."""

from __future__ import annotations

import streamlit as st

from prunepriv.figures import findings
from prunepriv.options import ATTACKS
from prunepriv.plan import Target
from prunepriv.ui.attacks.agreement import draw_agreement
from prunepriv.ui.attacks.changes import draw_changes
from prunepriv.ui.attacks.curves import curves_of
from prunepriv.ui.attacks.knowledge import draw_knowledge
from prunepriv.ui.attacks.leaderboard import draw_leaderboard
from prunepriv.ui.attacks.roc import draw_low_rates, draw_rocs
from prunepriv.ui.attacks.threshold import draw_threshold
from prunepriv.ui.controls import LAST_ATTACK, adversary, model_kind
from prunepriv.ui.epochs import tell_epochs
from prunepriv.ui.frame import Frame, not_there_yet
from prunepriv.ui.glossary import tip


def controls(frame: Frame) -> Target | None:
    """Choose which model is attacked, and by which adversary."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        kind = model_kind(frame, label="Attacked model")
        if kind is None:
            return None
        if Target("defended", "non_adaptive") in frame.result.targets and kind == "defended":
            return Target(kind, adversary())
    return Target(kind)


def attacks(frame: Frame, target: Target | None) -> None:
    """Draw everything below the controls."""
    board = frame.result.leaderboard()
    if target is None:
        not_there_yet(frame, "Attacks")
        return
    curves = curves_of(frame, target)
    if not curves:
        not_there_yet(frame, f"Attacks on the {target.model} model")
        return
    draw_leaderboard(frame, board, target)
    tell_epochs(frame)
    draw_changes(frame)
    headline = frame.result.headline(target)
    names = list(curves)
    fixed = st.session_state.get(LAST_ATTACK)
    first = fixed if fixed in names else headline["attack"] if headline else names[0]
    start = names.index(first) if first in names else 0
    st.subheader("One attack in detail", anchor=False)
    with st.container(width=260):
        chosen = st.selectbox(
            "Attack", names, index=start, key="attack", bind="query-params", required=True,
            format_func=lambda name: ATTACKS[name].label,
        )  # fmt: skip
    chosen = chosen if chosen in curves else names[start]
    option = ATTACKS[chosen]
    st.caption(
        f"{option.summary} Score: `{option.score}` ({option.source}). "
        f"{findings.what_is_fitted(chosen)} {findings.sampled_fit(frame.result.fit_of(chosen))}"
    )
    row = frame.result.attack_row(chosen, target)
    if row is not None:
        st.markdown(findings.precision_at(row), help=tip("precision_at_prior"))
    draw_rocs(frame, curves, chosen, target)
    draw_low_rates(frame, curves, target)
    draw_threshold(frame, target, chosen)
    draw_agreement(frame, target, names)
    draw_knowledge(frame, target, chosen)
