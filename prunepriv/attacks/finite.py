"""An attack network whose loss is no longer a finite number must not go on unnoticed."""

from __future__ import annotations

import math

from prunepriv.errors import TrainingError


def check_finite(value: float, epoch: int) -> None:
    """Refuse what is no longer finite.

    Args:
        value: the loss, or the sum of all weights.
        epoch: after which it was computed, from 1.

    Raises:
        TrainingError: it is infinite or not a number.
    """
    if not math.isfinite(value):
        raise TrainingError(
            f"the attack network's loss was no longer a finite number in epoch {epoch}: choose the "
            "other recipe for attacks (fast or paper) or another seed, or leave this attack out"
        )
