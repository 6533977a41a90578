"""The table of speed goals, in seconds and in yardsticks of the machine that it is measured on."""

from __future__ import annotations

import sys
from collections.abc import Iterable

from benchmarks.machine import describe
from benchmarks.table.measuring import HEAD, Bench, Line, markdown
from benchmarks.table.rows import ROWS


def report(names: Iterable[str], repeats: int, products: int) -> None:
    """Measure rows and print them, each when all its repeats are done.

    Args:
        names: of rows; empty: all.
        repeats: of every row; the median is printed, with the smallest and the largest.
        products: matrix products of each yardstick.
    """
    bench = Bench(products)
    chosen = list(names) or list(ROWS)
    print(describe())
    print(HEAD, flush=True)
    for name in chosen:
        found: dict[str, list[Line]] = {}
        for number in range(repeats):
            print(f"{name}, {number + 1} of {repeats}", file=sys.stderr, flush=True)
            for line in ROWS[name](bench):
                found.setdefault(line.what, []).append(line)
        for lines in found.values():
            print(markdown(lines), flush=True)
    print(describe())
