"""The bars of a trace as an SVG: a lane per worker, time from left to right.

Places along the time are in per cent and heights in pixels, so that the picture is as wide as the
page while its text keeps its size. A name is drawn on its bar where there is room for it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from html import escape

from benchmarks.trace.records import Bar, Trace
from benchmarks.trace.totals import number, percent, share

AXIS, LABEL, BAR, PATH, GAP = 26, 20, 34, 5, 18
"""Heights in pixels: the axis, a lane's label, its bars, the mark of the critical path, a gap."""
LANE = LABEL + BAR + PATH + GAP
LETTER = 6.4
"""Width of a letter on a bar, in pixels."""
ROOMY = {"narrow": 330, "middle": 700, "wide": 1100}
"""By class: how wide the picture is at least where names of that class are shown."""
THIN = 4
"""Pixels in a narrow picture below which a bar has no outline, which would cover it."""
TICKS = 6


def timeline(trace: Trace, gigaflops: float) -> str:
    """The picture."""
    scale = _Scale(trace)
    height = AXIS + LANE * len(trace.workers)
    parts = [*_axis(scale, height), *_wait(trace, scale, height)]
    path = {bar.key for bar in trace.chain}
    for lane, (worker, bars) in enumerate(trace.workers.items()):
        top = AXIS + lane * LANE
        parts += [
            f'<text class="lane" x="0" y="{top + LABEL - 6}">{_lane_words(trace, worker)}</text>',
            f'<rect class="idle" x="{scale.at(0)}" y="{top + LABEL}" '
            f'width="{scale.wide(trace.wall)}" height="{BAR}"/>',
        ]
        for bar in bars:
            parts += _bar(bar, scale, top + LABEL, gigaflops, bar.key in path)
    drawn = "\n".join(parts)
    return (
        f'<svg class="timeline" width="100%" height="{height}" role="img" '
        f'aria-label="Steps of {escape(trace.run_id)} by worker">\n{drawn}\n</svg>'
    )


class _Scale:
    """Places along the time, in per cent of the picture's width."""

    def __init__(self, trace: Trace) -> None:
        self.low = min([0.0, *(bar.start for bar in trace.bars)])
        self.high = max([trace.wall, *(bar.end for bar in trace.bars)])
        self._whole = self.high - self.low or 1.0

    def at(self, seconds: float) -> str:
        return f"{100 * (seconds - self.low) / self._whole:.4f}%"

    def wide(self, seconds: float) -> str:
        return f"{100 * seconds / self._whole:.4f}%"

    def pixels(self, seconds: float, width: float) -> float:
        """How wide something is in a picture of that many pixels."""
        return width * seconds / self._whole


def ticks(low: float, high: float) -> list[float]:
    """At most TICKS + 1 round numbers from low to high: steps of 1, 2 or 5 times a power of ten."""
    rough = (high - low or 1.0) / TICKS
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(m * power for m in (1, 2, 5, 10) if m * power >= rough * (1 - 1e-9))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [place * step for place in range(first, last + 1)]


def _axis(scale: _Scale, height: int) -> Iterator[str]:
    for seconds in ticks(scale.low, scale.high):
        at = scale.at(seconds)
        near_end = scale.pixels(scale.high - seconds, 1.0) < 0.05
        near_begin = scale.pixels(seconds - scale.low, 1.0) < 0.05
        anchor = "end" if near_end else "start" if near_begin else "middle"
        yield f'<line class="grid" x1="{at}" x2="{at}" y1="{AXIS - 8}" y2="{height}"/>'
        yield f'<text class="tick" x="{at}" y="12" text-anchor="{anchor}">{seconds:g} s</text>'


def _wait(trace: Trace, scale: _Scale, height: int) -> Iterator[str]:
    """The time in which no step had begun."""
    if trace.first:
        yield (
            f'<rect class="wait" x="{scale.at(0)}" y="{AXIS}" width="{scale.wide(trace.first)}" '
            f'height="{height - AXIS}"><title>{trace.first:.2f} s until the first step began'
            "</title></rect>"
        )


def _lane_words(trace: Trace, worker: int) -> str:
    idle = trace.idle(worker)
    return f"worker {worker}: idle {idle:.2f} s, {share(idle, trace.wall)}"


def _bar(bar: Bar, scale: _Scale, top: int, gigaflops: float, on_path: bool) -> Iterator[str]:
    at, wide = scale.at(bar.start), scale.wide(bar.seconds)
    thin = " thin" if scale.pixels(bar.seconds, ROOMY["narrow"]) < THIN else ""
    yield (
        f'<svg x="{at}" y="{top}" width="{wide}" height="{BAR}">'
        f"<title>{escape(_words(bar, gigaflops, on_path))}</title>"
        f'<rect class="bar {escape(bar.kind)}{thin}" width="100%" height="100%"/>'
        f"{_name(bar, scale)}</svg>"
    )
    if on_path:
        yield f'<rect class="path" x="{at}" y="{top + BAR + 1}" width="{wide}" height="{PATH}"/>'


def _name(bar: Bar, scale: _Scale) -> str:
    """For each width of picture the name, or the name without its kind, if there is room for it."""
    texts = []
    for room, width in ROOMY.items():
        space = scale.pixels(bar.seconds, width) - 10
        name = next((n for n in (bar.name, _short(bar.name)) if LETTER * len(n) <= space), "")
        if name:
            texts.append(
                f'<text class="name {room}" x="5" y="{BAR // 2 + 4}">{escape(name)}</text>'
            )
    return "".join(texts)


def _short(name: str) -> str:
    """A name without its kind, which the colour tells."""
    return name.partition(":")[2] or name


def _words(bar: Bar, gigaflops: float, on_path: bool) -> str:
    floor = bar.floor(gigaflops)
    words = f"{bar.name}: {bar.seconds:.2f} s from {bar.start:.2f} s on, worker {bar.worker}"
    if floor is not None and bar.seconds:
        words += f"; its arithmetic takes {number(floor)} s, {percent(floor / bar.seconds)}"
    return words + ("; on the critical path" if on_path else "")
