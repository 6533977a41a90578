"""The table of the figures of a run, with their options. Imports no plotly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from prunepriv.options import Option, table


@dataclass(frozen=True, slots=True, kw_only=True)
class FigureOption(Option):
    """A figure of a run."""

    options: tuple[str, ...] = ()
    """Names of its options."""


WHO = ("model", "adversary")
"""Options that choose the attacked model and the adversary."""

FIGURES: Mapping[str, FigureOption] = table(
    FigureOption(
        name="confidence",
        label="Confidence",
        summary="Confidence in the true label, members against non-members, a panel per model.",
        options=("scale", "label"),
    ),
    FigureOption(
        name="sensitivity",
        label="Sensitivity",
        summary="Prediction sensitivity of the true label, in the same way.",
        options=("scale", "label"),
    ),
    FigureOption(
        name="classes",
        label="Classes",
        summary="The gap between members and non-members by class, largest first.",
        options=("model", "gap", "most"),
    ),
    FigureOption(
        name="distances",
        label="Distances",
        summary="Distance between the distributions of members and non-members by class, beside what chance gives.",
        options=("model", "signal", "distance", "label", "most"),
    ),
    FigureOption(
        name="attacks",
        label="Attacks",
        summary="Accuracy of every attack on a model, with 95 % intervals.",
        options=WHO,
    ),
    FigureOption(
        name="roc",
        label="ROC",
        summary="ROC curve of one attack with its 95 % band, and thin curves of the others.",
        options=("attack", *WHO, "log"),
    ),
    FigureOption(
        name="threshold",
        label="Threshold",
        summary="Scores of one attack, members and non-members, divided at a threshold.",
        options=("attack", *WHO, "threshold"),
    ),
    FigureOption(
        name="agreement",
        label="Agreement",
        summary="For each pair of attacks, how often they give the same verdict on a record.",
        options=(*WHO, "measure"),
    ),
    FigureOption(
        name="defense",
        label="Defence",
        summary="Accuracy of every attack without and with the defence, for both adversaries.",
    ),
    FigureOption(
        name="accuracies",
        label="Accuracies",
        summary="Accuracy of each model on members and on non-members.",
    ),
    FigureOption(
        name="sparsity",
        label="Sparsity",
        summary="Share of the weights that pruning removed, by layer.",
        options=("model",),
    ),
    FigureOption(
        name="training",
        label="Training",
        summary="Loss and accuracy of the target by epoch, with a star at the best epoch.",
        options=("model",),
    ),
)
