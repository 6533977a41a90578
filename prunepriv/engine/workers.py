"""What the engine needs of those who do steps, and how they tell it what has become of a group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from prunepriv.plan import Step


class WorkerDied(Exception):
    """A step ended the worker processes that tried it; ``str(error)`` says how."""


@dataclass(frozen=True)
class Outcome:
    """How a group of steps, given by their keys, ended: ``error`` is None if all were done."""

    keys: tuple[str, ...]
    error: BaseException | None = None
    traceback: str = ""


class Workers(Protocol):
    """What the engine needs of a :class:`prunepriv.engine.dask_workers.DaskWorkers`."""

    @property
    def capacity(self) -> int: ...
    @property
    def idle(self) -> int: ...
    @property
    def notice(self) -> str: ...
    def has(self, key: str) -> bool: ...
    def submit(self, group: Sequence[Step]) -> None: ...
    def stop(self, key: str) -> None: ...
    def want(self, key: str) -> None: ...
    def outcomes(self) -> list[Outcome]: ...
    def news(self) -> list[Mapping[str, Any]]: ...
    def wait(self, seconds: float) -> None: ...
