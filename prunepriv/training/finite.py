"""A loss, or an answer, that is no longer a finite number ends the training."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from prunepriv.errors import TrainingError
from prunepriv.training.settings import Settings

STAGES = {"train": "training", "fine_tune": "fine-tuning"}


def refuse_non_finite(
    points: Sequence[Mapping[str, float]],
    models: Sequence[int],
    stage: str,
    settings: Settings,
    defended: bool,
) -> None:
    """Check an epoch's points: numbers that are on the processor already, so it costs nothing.

    Args:
        points: one per model; an accuracy is NaN if a logit was not finite.
        models: their numbers; 0 is the target.
        stage: "train" or "fine_tune".
        settings: what could be changed.
        defended: whether a defence could be weakened.

    Raises:
        TrainingError: one of them is not finite.
    """
    for point, number in zip(points, models, strict=True):
        if all(map(math.isfinite, point.values())):
            continue
        whose = "the target's" if number == 0 else f"shadow {number}'s"
        when = f"epoch {point['epoch']} of {STAGES[stage]}"
        if math.isfinite(point["loss"]):
            fault = f"{whose} answers were no longer finite numbers after {when}"
        else:
            value = "not a number" if math.isnan(point["loss"]) else f"{point['loss']:g}"
            fault = f"{whose} loss became {value} in {when}"
        raise TrainingError(f"{fault}: {_remedy(settings, defended)}")


def _remedy(settings: Settings, defended: bool) -> str:
    """What can be changed, the most promising first."""
    words = f"lower the learning rate (now {settings.learning_rate:g})"
    if settings.scale_penalty:
        words += f" or the slimming penalty (now {settings.scale_penalty:g})"
    if defended:
        words += ", or weaken the defence"
    return words
