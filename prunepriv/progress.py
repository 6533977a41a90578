"""How a long task reports its progress, and learns that it should stop."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol


class Report(Protocol):
    """Called repeatedly by a step.

    Args:
        fraction: how much of the step is done, 0 to 1.
        message: what it is doing, for people; "epoch 12 of at most 50".
        point: the next point of the step's curves, {"epoch": 12, "loss": 0.3, ...}.

    Raises:
        Cancelled: the user asked the run to stop; do not catch it.
    """

    def __call__(
        self, fraction: float, message: str = "", point: Mapping[str, float] | None = None
    ) -> None: ...


def silent(fraction: float, message: str = "", point: Mapping[str, float] | None = None) -> None:
    """A report that does nothing."""


def portion(report: Report, begin: float, end: float) -> Report:
    """The report of a part of the work: its 0 to 1 is ``begin`` to ``end`` of the whole."""

    def within(
        fraction: float, message: str = "", point: Mapping[str, float] | None = None
    ) -> None:
        report(begin + (end - begin) * fraction, message, point)

    return within
