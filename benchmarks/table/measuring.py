"""What a row of the table measures: amounts in their units, a goal, and yardsticks beside seconds."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal, TypeVar

from benchmarks.running import stop_engine
from benchmarks.yardstick import yardstick
from prunepriv.engine.client import engine_is_alive

Unit = Literal["s", "yardsticks", "%", "GB"]
"""Of a measurement. Per cent: how far an estimate was from what it took, without its sign."""

Result = TypeVar("Result")


@dataclass(frozen=True)
class Line:
    """One measurement.

    Attributes:
        what: was measured.
        amounts: by unit.
        goal: the most that it should be, in one of the units; None if there is no goal.
        note: more about it, a few words.
    """

    what: str
    amounts: Mapping[Unit, float]
    goal: tuple[float, Unit] | None = None
    note: str = ""


@dataclass(frozen=True)
class Timed:
    """How long something took, and how fast the machine was then.

    Attributes:
        seconds: wall time.
        yard: seconds of a yardstick: the mean of one timed just before and one just after.
    """

    seconds: float
    yard: float

    def line(
        self, what: str, goal: tuple[float, Unit] | None = None, seconds: float | None = None
    ) -> Line:
        """The measurement; of a part of it that took `seconds`, if they are given."""
        part = self.seconds if seconds is None else seconds
        return Line(what, {"s": part, "yardsticks": part / self.yard}, goal)


class Bench:
    """Where rows are measured.

    Args:
        products: matrix products of each yardstick (see :func:`benchmarks.yardstick.yardstick`).
    """

    def __init__(self, products: int) -> None:
        self._products = products

    def time(self, work: Callable[[], Result]) -> tuple[Result, Timed]:
        """Do some work between two yardsticks."""
        before = yardstick(self._products)
        started = time.perf_counter()
        result = work()
        seconds = time.perf_counter() - started
        return result, Timed(seconds, (before + yardstick(self._products)) / 2)

    @contextmanager
    def store(self) -> Iterator[Path]:
        """An empty store, which is removed afterwards; its engine is stopped."""
        with TemporaryDirectory(prefix="prunepriv-") as folder:
            store = Path(folder) / "store"
            try:
                yield store
            finally:
                if engine_is_alive(store):
                    stop_engine(store)


def merged(lines: Sequence[Line]) -> Line:
    """The medians of several measurements of the same thing."""
    units = lines[0].amounts
    amounts = {unit: statistics.median(line.amounts[unit] for line in lines) for unit in units}
    return Line(lines[0].what, amounts, lines[0].goal, lines[0].note)


def markdown(lines: Sequence[Line]) -> str:
    """The row of the table for one thing that was measured once or several times."""
    middle = merged(lines)
    cells = [middle.what]
    units: tuple[Unit, ...] = ("s", "yardsticks", "%", "GB")
    cells += [_amount(unit, [line.amounts.get(unit) for line in lines]) for unit in units]
    cells += [_goal(middle), middle.note]
    return f"| {' | '.join(cells)} |"


HEAD = (
    "| what | s | yardsticks | off by, % | GB | goal | note |\n"
    "|---|---|---|---|---|---|---|"
)  # fmt: skip


def _amount(unit: Unit, values: Sequence[float | None]) -> str:
    """The median, and with several values the smallest and the largest."""
    known = [value for value in values if value is not None]
    if not known:
        return "-"
    digits = 0 if unit == "%" else 2
    middle = f"{statistics.median(known):.{digits}f}"
    if len(known) == 1:
        return middle
    return f"{middle} ({min(known):.{digits}f}-{max(known):.{digits}f})"


def _goal(line: Line) -> str:
    if line.goal is None:
        return "-"
    most, unit = line.goal
    met = "met" if line.amounts[unit] <= most else f"{line.amounts[unit] / most:.1f} times it"
    return f"{most:g} {unit}: {met}"
