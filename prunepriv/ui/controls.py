"""Controls whose values are in the URL, so that a shared link shows the same page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from prunepriv.evaluation import CHOSEN
from prunepriv.figures.palette import KINDS
from prunepriv.options import ATTACKS, MODEL_KIND_SUMMARIES, Adversary, ModelKind
from prunepriv.ui.frame import Frame
from prunepriv.ui.glossary import tip

LAST_ATTACK = "last_attack"
ADVERSARY_LABELS: dict[Adversary, str] = {"adaptive": "Adaptive", "non_adaptive": "Non-adaptive"}


def model_kind(
    frame: Frame,
    key: str = "model",
    label: str = "Model",
    default: ModelKind = "pruned",
    only: Sequence[ModelKind] = (),
) -> ModelKind | None:
    """Choose one of the run's models; None if none has been scored yet."""
    there = [kind for kind in frame.kinds if not only or kind in only]
    if not there:
        return None
    chosen = st.segmented_control(
        label, there, required=True, default=default if default in there else there[-1],
        key=key, bind="query-params", format_func=lambda kind: KINDS[kind].label,
        help=_kinds_help(there),
    )  # fmt: skip
    return chosen if chosen in there else there[-1]


def adversary(key: str = "adversary", label: str = "Adversary") -> Adversary:
    """Choose the adversary of a defended model.

    The default is the adaptive one: the other one underestimates the leakage.
    """
    chosen: Adversary | None = st.segmented_control(
        label, list(ADVERSARY_LABELS), required=True, default="adaptive", key=key,
        bind="query-params", format_func=lambda name: ADVERSARY_LABELS[name], help=tip("adaptive"),
    )  # fmt: skip
    return chosen or "adaptive"


def fix_attack(frame: Frame) -> Frame:
    """Choose one attack for all models, or what each adversary would choose; other pages keep it."""
    options = [CHOSEN, *frame.experiment.attacks.names]
    last = st.session_state.get(LAST_ATTACK, CHOSEN)
    with st.container(width=260):
        chosen = st.selectbox(
            "Attack", options, index=options.index(last) if last in options else 0, key="by",
            bind="query-params", help=tip("fixed_attack"),
            format_func=lambda name: ATTACKS[name].label if name in ATTACKS else "Chosen beforehand",
        )  # fmt: skip
    st.session_state[LAST_ATTACK] = chosen
    return replace(frame, attack=chosen if chosen in options[1:] else None)


def class_names(frame: Frame) -> tuple[str, ...]:
    """Names of the classes, by number."""
    return frame.experiment.data.option.class_labels


def class_filter(frame: Frame, key: str = "class", label: str = "Class") -> int | None:
    """Choose one class, or all records: None."""
    names = class_names(frame)
    chosen = st.selectbox(label, ["all", *names], key=key, bind="query-params")
    return names.index(chosen) if chosen in names else None


def _kinds_help(kinds: Sequence[ModelKind]) -> str:
    return "\n".join(f"- **{KINDS[kind].label}**: {MODEL_KIND_SUMMARIES[kind]}" for kind in kinds)
