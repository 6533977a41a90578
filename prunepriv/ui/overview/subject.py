"""What Overview is about, and what it says where there is nothing to see yet."""

from __future__ import annotations

from prunepriv.options import ModelKind
from prunepriv.ui.frame import Frame


def subject(frame: Frame) -> ModelKind:
    """The model that the headlines are about: the pruned one, if the run has it."""
    kinds = frame.experiment.models
    return "pruned" if "pruned" in kinds else kinds[-1]


def pending(frame: Frame) -> str:
    """Why there is nothing to see yet, or ever."""
    if frame.live:
        return "Shows as soon as that step is done."
    return "This run ended before that step."
