"""Axes of the signals: linear, logarithmic and logit, all drawn on a linear plotly axis.

Bars of a histogram are equally wide only on a linear axis, so values are transformed here and the
ticks show the original numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.special import expit, logit

from prunepriv.store.signals import Quantity

ScaleName = Literal["linear", "log", "logit"]

QUANTITY_LABELS: dict[Quantity, str] = {
    "confidence": "confidence in the true label",
    "sensitivity": "prediction sensitivity of the true label",
}
FLOOR = 1e-6
"""Values nearer to 0 or 1 are counted in the outermost bar of a logit axis."""
LOG_FLOOR = 10**-6.25
"""On a log axis smaller values stand here: below FLOOR, in sensitivity's bar for all that is."""
TAIL = 0.995
"""Curved axes of confidence run from 1 - TAIL to this quantile; the outer bars hold the rest."""


@dataclass(frozen=True, slots=True)
class Scale:
    """A monotone map from a signal's values to positions on the axis.

    Attributes:
        forward: values to positions; clips values that the axis cannot show.
        backward: positions to values.
        ticks: values that may have a tick; if empty, plotly chooses.
    """

    name: ScaleName
    label: str
    forward: Callable[[np.ndarray], np.ndarray]
    backward: Callable[[np.ndarray], np.ndarray]
    ticks: tuple[float, ...] = ()


def _log(values: np.ndarray) -> np.ndarray:
    return np.asarray(np.log10(np.maximum(values, LOG_FLOOR)))


def _power(positions: np.ndarray) -> np.ndarray:
    return np.asarray(np.power(10.0, positions))


def _logit(values: np.ndarray) -> np.ndarray:
    return np.asarray(logit(np.clip(values, FLOOR, 1 - FLOOR)))


def _expit(positions: np.ndarray) -> np.ndarray:
    return np.asarray(expit(positions))


SCALES: dict[ScaleName, Scale] = {
    "linear": Scale("linear", "Linear", np.asarray, np.asarray),
    "log": Scale("log", "Log", _log, _power, tuple(10.0**power for power in range(-6, 7))),
    "logit": Scale(
        "logit",
        "Logit",
        _logit,
        _expit,
        (1e-6, 1e-4, 1e-2, 0.1, 0.5, 0.9, 0.99, 0.9999, 1 - 1e-6),
    ),
}


def scale_for(quantity: Quantity, name: ScaleName) -> Scale:
    """The scale of that name; always log for sensitivity, which has no upper bound.

    On a linear axis its largest values would decide the bins, and most members share the first.
    """
    return SCALES["log" if quantity == "sensitivity" else name]


def limits(values: Sequence[np.ndarray], scale: Scale) -> tuple[float, float]:
    """First and last position of an axis that all these confidences share.

    Args:
        values: arrays of any length, together not empty.
    """
    if scale.name == "linear":
        return 0.0, 1.0
    pooled = np.concatenate([np.asarray(array, dtype=np.float64) for array in values])
    ends = np.quantile(pooled, [1 - TAIL, TAIL])
    low, high = (float(end) for end in scale.forward(ends))
    return (low, high) if high > low else (low - 0.5, high + 0.5)


def tick_text(value: float) -> str:
    """0.0001 as "0.0001", 1e-6 as "1e-6", 0.999999 as "1-1e-6": exact and short."""
    if value in (0.0, 1.0):
        return f"{value:g}"
    if 0.999 < value < 1:
        return f"1\N{MINUS SIGN}{tick_text(1 - value)}" if value > 0.99995 else f"{value:.4g}"
    if value < 1e-4:
        return f"1e{round(np.log10(value))}"
    return f"{value:.6g}"


def axis_ticks(scale: Scale, low: float, high: float) -> dict[str, object]:
    """Plotly's tick settings for an axis from position ``low`` to ``high``."""
    if not scale.ticks:
        return {}
    values = np.array(scale.ticks)
    places = scale.forward(values)
    inside = (places >= low - 1e-9) & (places <= high + 1e-9)
    if inside.sum() > (5 if scale.name == "log" else 7):  # else they are drawn aslant
        inside[1::2] = False
    return {
        "tickmode": "array",
        "tickvals": places[inside].tolist(),
        "ticktext": [tick_text(float(value)) for value in values[inside]],
    }
