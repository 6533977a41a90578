"""Small colour pictures of ten kinds of figure, generated when they are needed.

A picture consists of

1. a background of one colour that gets brighter towards one side,
2. clutter: short strokes of other colours, behind the figure,
3. one figure near the middle, clearly darker or brighter than the background, of 55 to 85 % of the
   picture's size, turned by at most 34 degrees to either side,
4. Gaussian noise on every pixel and channel, the knob *noise*.

Edges are anti-aliased: each figure is a signed distance function (below 0 inside, above 0 outside;
the figure's radius is 1), and a pixel's coverage follows from its distance to the edge. See
I. Quilez, 2D distance functions, https://iquilezles.org/articles/distfunctions2d.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from prunepriv.datasets.base import Records

PICTURES, SIZE = 6000, 16
STROKES = 2
REACH, TURN, SMALLEST, LARGEST = 0.25, 0.6, 0.55, 0.85
"""Of a figure: largest distance of its centre from the middle across and down, largest turn to
either side (radians), smallest and largest radius. The picture reaches from -1 to 1."""
SEED = 19_890_214

Floats = npt.NDArray[np.floating]


def generate(noise: float, pictures: int = PICTURES) -> Records:
    """Equally many pictures of each kind; the same knob always gives the same pictures.

    Args:
        noise: standard deviation of the pixel noise, where pixels lie in 0 to 1.
        pictures: how many; a multiple of ten.

    Returns:
        x uint8 (pictures, 3, 16, 16) and y int64 (pictures,), indices into ``FIGURES``.
    """
    rng = np.random.default_rng(SEED)
    y = np.tile(np.arange(len(FIGURES)), pictures // len(FIGURES))
    ground, ink = colors(rng, pictures)
    picture = ground[:, :, None, None] * _shading(rng, pictures)[:, None]
    for _ in range(STROKES):
        _paint(picture, _strokes(rng, pictures), rng.random((pictures, 3), dtype=np.float32))
    _paint(picture, _figures(rng, y), ink)
    picture += np.float32(noise) * rng.standard_normal(picture.shape, dtype=np.float32)
    return np.rint(255 * picture.clip(0, 1)).astype(np.uint8), y.astype(np.int64)


def _paint(picture: Floats, coverage: Floats, color: Floats) -> None:
    """Paint a colour (n, 3) over pictures (n, 3, h, w), in proportion to the coverage (n, h, w)."""
    picture += coverage[:, None] * (color[:, :, None, None] - picture)


def colors(rng: np.random.Generator, count: int) -> tuple[Floats, Floats]:
    """Random colours of background and figure (n, 3): one is dark, the other bright."""
    dark = _tint(rng, count, 0.1, 0.35)
    bright = _tint(rng, count, 0.65, 0.92)
    swap = rng.random((count, 1)) < 0.5
    return np.where(swap, bright, dark), np.where(swap, dark, bright)


def _tint(rng: np.random.Generator, count: int, low: float, high: float) -> Floats:
    """Random colours (n, 3) with a mean brightness between the two bounds."""
    brightness = rng.uniform(low, high, (count, 1))
    hue = rng.uniform(-0.4, 0.4, (count, 3))
    hue -= hue.mean(axis=1, keepdims=True)
    return (brightness + hue).clip(0, 1).astype(np.float32)


def _shading(rng: np.random.Generator, count: int) -> Floats:
    """Brightness (n, h, w) around 1, which rises along a random direction."""
    u, v = _grid()
    angle = rng.uniform(0, 2 * np.pi, (count, 1, 1)).astype(np.float32)
    return 1 + np.float32(0.2) * (np.cos(angle) * u + np.sin(angle) * v)


def _strokes(rng: np.random.Generator, count: int) -> Floats:
    """Coverage (n, h, w) of one short stroke per picture, anywhere."""
    u, v, radius = _frame(rng, count, 0.9, np.pi, 0.2, 0.4)
    return coverage(_box(u, v, 1.0, 0.28), radius)


def _figures(rng: np.random.Generator, y: np.ndarray) -> Floats:
    """Coverage (n, h, w) of each picture's figure."""
    u, v, radius = _frame(rng, len(y), REACH, TURN, SMALLEST, LARGEST)
    distance = np.empty_like(u)
    for kind, figure in enumerate(FIGURES.values()):
        distance[y == kind] = figure(u[y == kind], v[y == kind])
    return coverage(distance, radius)


def _grid() -> tuple[Floats, Floats]:
    """Pixel centres (1, h, w) across and down, from -1 to 1."""
    line = ((np.arange(SIZE, dtype=np.float32) + 0.5) * 2 / SIZE - 1).astype(np.float32)
    return line[None, None, :], line[None, :, None]


def _frame(
    rng: np.random.Generator, count: int, reach: float, turn: float, low: float, high: float
) -> tuple[Floats, Floats, Floats]:
    """Pixel centres in the coordinates of each figure (n, h, w), and its radius (n, 1, 1).

    Its centre is at most ``reach`` from the middle across and down, it is turned by at most
    ``turn`` radians to either side, and its radius is between ``low`` and ``high``.
    """
    across, down = (rng.uniform(-reach, reach, (count, 1, 1)).astype(np.float32) for _ in "xy")
    angle = rng.uniform(-turn, turn, (count, 1, 1)).astype(np.float32)
    radius = rng.uniform(low, high, (count, 1, 1)).astype(np.float32)
    u, v = _grid()
    u, v = (u - across) / radius, (v - down) / radius
    return u * np.cos(angle) - v * np.sin(angle), u * np.sin(angle) + v * np.cos(angle), radius


def coverage(distance: Floats, radius: Floats) -> Floats:
    """Share of a pixel that is inside, from its distance to the edge in units of the radius."""
    return np.clip(0.5 - distance * radius * (SIZE / 2), 0, 1)


def _box(u: Floats, v: Floats, width: float, height: float) -> Floats:
    return np.maximum(np.abs(u) - np.float32(width), np.abs(v) - np.float32(height))


def _disc(u: Floats, v: Floats) -> Floats:
    return np.hypot(u, v) - np.float32(0.95)


def _ring(u: Floats, v: Floats) -> Floats:
    return np.abs(np.hypot(u, v) - np.float32(0.75)) - np.float32(0.22)


def _square(u: Floats, v: Floats) -> Floats:
    return _box(u, v, 0.8, 0.8)


def _hollow_square(u: Floats, v: Floats) -> Floats:
    return np.abs(_box(u, v, 0.66, 0.66)) - np.float32(0.2)


def _triangle(u: Floats, v: Floats) -> Floats:
    slant = np.float32(np.sqrt(3) / 2) * np.abs(u) - v / 2
    return np.maximum(slant, v) - np.float32(0.55)


def _cross(u: Floats, v: Floats) -> Floats:
    return np.minimum(_box(u, v, 1.0, 0.3), _box(u, v, 0.3, 1.0))


def _star(u: Floats, v: Floats, inner: float = 0.4) -> Floats:
    """Five points: in each sector of 36 degrees the edge is the line from a tip to a notch."""
    half = np.pi / 5
    angle = np.abs((np.arctan2(v, u) % (2 * half)) - half)  # 0 at a notch, half at a tip
    length = np.hypot(u, v)
    x, y = length * np.cos(angle), length * np.sin(angle)
    tip_x, tip_y = 1.1 * np.cos(half), 1.1 * np.sin(half)
    edge = np.hypot(tip_x - inner, tip_y)
    across = (x - inner) * (tip_y / edge) - y * ((tip_x - inner) / edge)
    return np.asarray(across, dtype=np.float32)


def _crescent(u: Floats, v: Floats) -> Floats:
    bite: Floats = np.float32(0.8) - np.hypot(u - np.float32(0.5), v)
    return np.maximum(_disc(u, v), bite)


def _stripes(u: Floats, v: Floats) -> Floats:
    """Three bars: stripes of width 0.34, cut to a square."""
    return np.maximum(_box(u, v, 0.85, 0.85), _wave(v, 0.34))


def _checkers(u: Floats, v: Floats) -> Floats:
    """Three by three fields; the centre and the four corners are inked."""
    across, down = _wave(u, 0.57), _wave(v, 0.57)
    inked = np.maximum(across, down)
    return np.maximum(_box(u, v, 0.85, 0.85), np.minimum(inked, -np.minimum(across, down)))


def _wave(t: Floats, field: float) -> Floats:
    """Distance to the nearest edge of fields of this width; below 0 in every second field."""
    position = np.abs(t / np.float32(field)) % 2
    return np.asarray(np.float32(field) * (np.float32(0.5) - np.abs(position - 1)))


FIGURES: dict[str, Callable[[Floats, Floats], Floats]] = {
    "disc": _disc,
    "ring": _ring,
    "square": _square,
    "frame": _hollow_square,
    "triangle": _triangle,
    "cross": _cross,
    "star": _star,
    "crescent": _crescent,
    "stripes": _stripes,
    "checkers": _checkers,
}
"""Signed distance functions in the order of the classes, ``options.SHAPE_NAMES``."""
