"""A step's reports, in few messages, without the loss of any point of a curve."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from prunepriv.errors import Cancelled

EVERY = 0.2
"""Least seconds between two messages of one step."""

Send = Callable[[float, str, list[dict[str, float]]], None]


class StepReport:
    """A :class:`prunepriv.progress.Report` that collects what a step reports between two messages.

    Args:
        send: takes (fraction, message, points since the last message).
        stop: whether the step should end; called before a message is sent.
        every: least seconds between two messages.
    """

    def __init__(self, send: Send, stop: Callable[[], bool], every: float = EVERY) -> None:
        self._send = send
        self._stop = stop
        self._every = every
        self._last = -float("inf")
        self._unsent: tuple[float, str] | None = None
        self._points: list[dict[str, float]] = []

    def __call__(
        self, fraction: float, message: str = "", point: Mapping[str, float] | None = None
    ) -> None:
        self._unsent = (min(max(float(fraction), 0.0), 1.0), message)
        if point is not None:
            self._points.append({name: float(value) for name, value in point.items()})
        if time.monotonic() - self._last >= self._every:
            if self._stop():
                raise Cancelled("the run was cancelled")
            self.flush()

    def flush(self) -> None:
        """Send what has not been sent."""
        if self._unsent is not None:
            self._send(*self._unsent, self._points)
            self._unsent, self._points = None, []
            self._last = time.monotonic()
