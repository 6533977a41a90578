"""The model that Overview describes, and the text for figures that are missing."""

from __future__ import annotations

from prunepriv.options import ModelKind
from prunepriv.ui.frame import Frame


def subject(frame: Frame) -> ModelKind:
    """The model that the headlines describe: the pruned one, if the run has it."""
    kinds = frame.experiment.models
    return "pruned" if "pruned" in kinds else kinds[-1]


def pending(frame: Frame) -> str:
    """Why a figure is missing."""
    if frame.live:
        return "Will appear here as soon as that step is done."
    return "This run ended before that step."
