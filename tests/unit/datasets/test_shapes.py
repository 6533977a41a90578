from __future__ import annotations

import numpy as np
import pytest

from prunepriv.datasets import shapes
from prunepriv.options import SHAPE_NAMES


def dense(figure: str, cells: int = 400) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(u, v, distance) on a fine grid from -1.2 to 1.2, flattened."""
    line = ((np.arange(cells) + 0.5) * 2.4 / cells - 1.2).astype(np.float32)
    u, v = (grid.ravel() for grid in np.meshgrid(line, line))
    return u, v, shapes.FIGURES[figure](u, v)


def inside_polygon(u: np.ndarray, v: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """Even-odd rule, corner by corner: an independent oracle."""
    inside = np.zeros(len(u), dtype=bool)
    for (x1, y1), (x2, y2) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        with np.errstate(divide="ignore", invalid="ignore"):
            crosses = ((y1 > v) != (y2 > v)) & (u < (x2 - x1) * (v - y1) / (y2 - y1) + x1)
        inside ^= crosses
    return inside


def polar(radius: float, turns: float) -> tuple[float, float]:
    return radius * np.cos(2 * np.pi * turns), radius * np.sin(2 * np.pi * turns)


STAR = np.array([polar(0.4 if k % 2 else 1.1, k / 10) for k in range(10)])
TRIANGLE = np.array([polar(1.1, k / 3 - 1 / 4) for k in range(3)])
INSIDE = {
    "disc": lambda u, v: u**2 + v**2 < 0.95**2,
    "ring": lambda u, v: (u**2 + v**2 < 0.97**2) & (u**2 + v**2 > 0.53**2),
    "square": lambda u, v: np.maximum(abs(u), abs(v)) < 0.8,
    "frame": lambda u, v: (np.maximum(abs(u), abs(v)) < 0.86) & (np.maximum(abs(u), abs(v)) > 0.46),
    "triangle": lambda u, v: inside_polygon(u, v, TRIANGLE),
    "cross": lambda u, v: ((abs(u) < 0.3) & (abs(v) < 1)) | ((abs(u) < 1) & (abs(v) < 0.3)),
    "star": lambda u, v: inside_polygon(u, v, STAR),
    "crescent": lambda u, v: (np.hypot(u, v) < 0.95) & (np.hypot(u - 0.5, v) > 0.8),
    "stripes": lambda u, v: (
        (np.maximum(abs(u), abs(v)) < 0.85) & (np.floor(v / 0.34 + 0.5) % 2 == 0)
    ),
    "checkers": lambda u, v: (
        (np.maximum(abs(u), abs(v)) < 0.85)
        & ((np.floor(u / 0.57 + 0.5) + np.floor(v / 0.57 + 0.5)) % 2 == 0)
    ),
}


def test_figures_are_the_classes_in_their_order():
    assert tuple(shapes.FIGURES) == SHAPE_NAMES


@pytest.mark.parametrize("figure", SHAPE_NAMES)
def test_a_figure_is_where_its_distance_is_negative(figure: str):
    u, v, distance = dense(figure)
    clear = abs(distance) > 1e-3  # a point on the edge may be rounded to either side
    assert clear.mean() > 0.98
    np.testing.assert_array_equal(distance[clear] < 0, INSIDE[figure](u, v)[clear])


@pytest.mark.parametrize("figure", SHAPE_NAMES)
def test_the_difference_of_two_distances_is_at_most_the_step(figure: str):
    _, _, distance = dense(figure)
    grid, step = distance.reshape(400, 400), 2.4 / 400
    for axis in (0, 1):
        assert abs(np.diff(grid, axis=axis)).max() <= step * 1.001


def test_coverage_adds_up_to_the_area():
    """A disc of radius 0.5 on 16 x 16 pixels covers 0.95^2 pi 0.25 / 4 of them."""
    line = ((np.arange(16) + 0.5) / 8 - 1).astype(np.float32)
    u, v = np.meshgrid(line / 0.5, line / 0.5)
    covered = shapes.coverage(shapes.FIGURES["disc"](u, v), np.float32(0.5))
    assert abs(covered.mean() - np.pi * 0.475**2 / 4) < 0.003
    assert covered.min() == 0
    assert covered.max() == 1


def test_kinds_come_equally_often():
    _, y = shapes.generate(0.0, pictures=200)
    np.testing.assert_array_equal(np.bincount(y), [20] * 10)


def test_the_knob_is_the_standard_deviation_of_the_noise():
    clean, noisy = (shapes.generate(noise)[0].astype(float) / 255 for noise in (0, 0.1))
    middle = abs(clean - 0.5) < 0.15  # where no value is clipped
    added = (noisy - clean)[middle]
    assert abs(added.mean()) < 0.002
    assert abs(added.std() - 0.1) < 0.002


def test_a_figure_stands_out():
    """Its mean brightness differs from the background's by at least a fifth of the range."""
    ground, ink = shapes.colors(np.random.default_rng(0), 5000)
    assert abs(ground.mean(axis=1) - ink.mean(axis=1)).min() > 0.2
    darker = (ink.mean(axis=1) < ground.mean(axis=1)).mean()
    assert 0.45 < darker < 0.55
