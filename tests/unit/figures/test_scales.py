"""Axes: transformations can be reversed, and ticks are at their values."""

from __future__ import annotations

import numpy as np
import pytest

from prunepriv.figures.scales import FLOOR, SCALES, axis_ticks, limits, scale_for, tick_text


@pytest.mark.parametrize("scale", SCALES.values(), ids=SCALES)
def test_backward_undoes_forward(scale):
    values = np.array([0.001, 0.3, 0.5, 0.97])
    assert np.allclose(scale.backward(scale.forward(values)), values)


def test_curved_scales_clip_what_they_cannot_show():
    ends = np.array([0.0, 1.0])
    assert np.isfinite(SCALES["log"].forward(ends)).all()
    assert np.allclose(SCALES["logit"].backward(SCALES["logit"].forward(ends)), [FLOOR, 1 - FLOOR])


def test_sensitivity_is_always_logarithmic():
    assert {scale_for("sensitivity", name).name for name in SCALES} == {"log"}
    assert scale_for("confidence", "logit").name == "logit"


def test_limits_have_a_width_even_for_equal_values():
    for scale in SCALES.values():
        low, high = limits([np.zeros(5)], scale)
        assert high > low


def test_ticks_stand_at_their_values():
    scale = SCALES["logit"]
    ticks = axis_ticks(scale, -7.0, 7.0)
    values = [float(text) for text in ticks["ticktext"]]
    assert np.allclose(scale.forward(np.array(values)), ticks["tickvals"])
    assert 0.5 in values


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.5, "0.5"), (1e-6, "1e-6"), (0.01, "0.01"), (100.0, "100"), (1 - 1e-6, "1\u22121e-6")],
)
def test_tick_text_is_exact_and_short(value, text):
    assert tick_text(value) == text
