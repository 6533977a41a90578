"""Sums over a trace: by kind of step, and in a few lines of text."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from benchmarks.trace.records import Bar, Trace


@dataclass(frozen=True)
class Kind:
    """All steps of a kind.

    Attributes:
        kind: of the steps.
        steps: how many the run did.
        seconds: of all together.
        floor: seconds of their arithmetic on one core; None where none of them has any.
    """

    kind: str
    steps: int
    seconds: float
    floor: float | None

    @property
    def share(self) -> float | None:
        """Share of the time that the arithmetic needs at least."""
        return self.floor / self.seconds if self.floor is not None and self.seconds else None


def kinds(trace: Trace, gigaflops: float) -> tuple[Kind, ...]:
    """The kinds of step, the one that took longest first."""
    found: dict[str, list[Bar]] = {}
    for bar in trace.bars:
        found.setdefault(bar.kind, []).append(bar)
    sums = (total(kind, bars, gigaflops) for kind, bars in found.items())
    return tuple(sorted(sums, key=lambda one: one.seconds, reverse=True))


def total(kind: str, bars: Iterable[Bar], gigaflops: float) -> Kind:
    """The sum over some steps."""
    ours = list(bars)
    floors = [floor for bar in ours if (floor := bar.floor(gigaflops)) is not None]
    seconds = sum(bar.seconds for bar in ours)
    return Kind(kind, len(ours), seconds, sum(floors) if floors else None)


def summary(trace: Trace, gigaflops: float) -> str:
    """The figures of a run in a few lines."""
    chain = trace.chain_seconds
    lines = [
        f"{trace.run_id}: {trace.wall:.2f} s from begin to end, {len(trace.bars)} steps done, "
        f"{trace.cached} in the store before",
        f"submitted {trace.waited:.2f} s before it began; its first step began {trace.first:.2f} s "
        "after that",
        f"critical path: {chain:.2f} s, {share(chain, trace.wall)} of the wall time: "
        + ", ".join(bar.name for bar in trace.chain),
    ]
    for worker, bars in trace.workers.items():
        idle = trace.idle(worker)
        lines.append(
            f"worker {worker}: {len(bars)} steps, idle {idle:.2f} s, {share(idle, trace.wall)}"
        )
    lines += [
        f"one core: {gigaflops:.1f} GFLOP/s",
        "",
        "| kind | steps | seconds | floor | share |",
    ]
    lines.append("|---|---|---|---|---|")
    for one in (*kinds(trace, gigaflops), total("all", trace.bars, gigaflops)):
        lines.append(
            f"| {one.kind} | {one.steps} | {one.seconds:.2f} | {number(one.floor)} | "
            f"{percent(one.share)} |"
        )
    return "\n".join(lines)


def number(value: float | None) -> str:
    """With two digits after the point; "-" for None."""
    return "-" if value is None else f"{value:.2f}"


def percent(value: float | None) -> str:
    """0.42 as "42 %"; "-" for None."""
    return "-" if value is None else f"{100 * value:.0f} %"


def share(part: float, whole: float) -> str:
    """What share of a whole a part is, in per cent."""
    return percent(part / whole if whole else None)
