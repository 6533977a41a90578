"""For how many epochs each model was fine-tuned: it stands beside comparisons of models."""

from __future__ import annotations

import streamlit as st

from prunepriv.figures import findings
from prunepriv.options import MODEL_KINDS, ModelKind
from prunepriv.ui.frame import Frame
from prunepriv.ui.glossary import tip


def tell_epochs(frame: Frame) -> None:
    """One sentence under a comparison; nothing before the first model is fine-tuned."""
    kept: dict[ModelKind, int] = {}
    for kind in MODEL_KINDS:
        epochs = frame.result.epochs_kept(kind) if kind in frame.experiment.models else None
        if epochs is not None and kind != "original":
            kept[kind] = epochs
    if kept:
        st.caption(findings.epochs_kept(kept), help=tip("epochs_kept"))
