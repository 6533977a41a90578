"""The catalogue's tables, and the type that a row of each is read as."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, Literal, cast

from sqlalchemy import Boolean, Column, Float, Integer, MetaData, RowMapping, String, Table, Text

from prunepriv.experiment import Experiment, make_experiment
from prunepriv.plan import StepKind

RunStatus = Literal["queued", "running", "done", "failed", "cancelled", "interrupted"]
"""``interrupted``: begun, but the process that worked on it has ended; it can be resumed or discarded."""

StepStatus = Literal["waiting", "running", "done", "failed"]

METADATA = MetaData()

RUNS = Table(
    "runs",
    METADATA,
    Column("run_id", String(64), primary_key=True),
    Column("experiment", Text, nullable=False),
    Column("status", String(16), nullable=False),
    Column("position", Integer, nullable=False, index=True),
    Column("created", Float, nullable=False),
    Column("started", Float),
    Column("finished", Float),
    Column("error", Text, nullable=False, default=""),
    Column("owner", String(64), nullable=False, default=""),
    Column("cancel_requested", Boolean, nullable=False, default=False),
)

RUN_STEPS = Table(
    "run_steps",
    METADATA,
    Column("run_id", String(64), primary_key=True),
    Column("key", String(64), primary_key=True),
    Column("ordinal", Integer, nullable=False),
    Column("name", String(128), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("status", String(16), nullable=False),
    Column("fraction", Float, nullable=False, default=0.0),
    Column("message", Text, nullable=False, default=""),
    Column("curve", Text, nullable=False, default="[]"),
    Column("started", Float),
    Column("seconds", Float),
    Column("cached", Boolean, nullable=False, default=False),
    Column("pid", Integer),
)


@dataclass(frozen=True)
class RunView:
    """The state of a run when the catalogue was read.

    Attributes:
        run_id: its id.
        status: see RunStatus.
        position: grows with each submission; the queue and the list are ordered by it.
        created, started, finished: times in UTC, None if it has not happened yet.
        error: one sentence if it failed, or about the workers that it waits for; else "".
        cancel_requested: the user asked it to stop, and it has not stopped yet.
        settings: the experiment as plain values.
    """

    run_id: str
    status: RunStatus
    position: int
    created: datetime
    started: datetime | None
    finished: datetime | None
    error: str
    cancel_requested: bool
    settings: dict[str, Any]

    @cached_property
    def experiment(self) -> Experiment:
        """The run's experiment.

        Raises:
            ExperimentError: a version with other settings wrote the record.
        """
        return make_experiment(self.settings)

    @property
    def active(self) -> bool:
        """Whether it waits or is worked on."""
        return self.status in ("queued", "running")


@dataclass(frozen=True)
class StepView:
    """The state of a step of a run when the catalogue was read.

    Attributes:
        name, key, kind: as in the run's plan.
        status: see StepStatus.
        fraction: how much is done, 0 to 1.
        message: what it is doing, for people.
        points: the curve as the store holds it, in JSON.
        started: time in UTC, None if not begun or if cached.
        seconds: how long the step took in the run that did it; None if it is not done yet.
        cached: the artifact was in the store when the run began.
        pid: the process that works or worked on it; of an inline run, the thread.
    """

    name: str
    key: str
    kind: StepKind
    status: StepStatus
    fraction: float
    message: str
    points: str
    started: datetime | None
    seconds: float | None
    cached: bool
    pid: int | None

    @cached_property
    def curve(self) -> tuple[dict[str, float], ...]:
        """Points that the step reported, {"epoch": 12, "loss": 0.3, ...}; empty if cached.

        Decoded when they are first read: who follows a run reads all its steps several times a
        second, and the curves of 256 models take three times as long as all the rest.
        """
        return tuple(json.loads(self.points))


def run_view(row: RowMapping, status: RunStatus) -> RunView:
    """A row of ``runs``, with ``status`` in place of the row's own status."""
    return RunView(
        run_id=row["run_id"],
        status=status,
        position=row["position"],
        created=cast(datetime, _time(row["created"])),
        started=_time(row["started"]),
        finished=_time(row["finished"]),
        error=row["error"],
        cancel_requested=row["cancel_requested"] and status in ("queued", "running"),
        settings=json.loads(row["experiment"]),
    )


STEP_COLUMNS = tuple(
    RUN_STEPS.c["curve" if name == "points" else name] for name in StepView.__dataclass_fields__
)
"""The columns that :func:`step_view` takes, in their order."""


def step_view(row: Sequence[Any]) -> StepView:
    """From a row of :data:`STEP_COLUMNS`; by position, because a run may have thousands."""
    name, key, kind, status, fraction, message, points, started, seconds, cached, pid = row
    return StepView(
        name, key, kind, status, fraction, message, points, _time(started), seconds, cached, pid
    )


def _time(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
