"""All runs and their progress, shared by the pages, the command line and the engine.

The catalogue may be lost: each run is also written as ``runs/<run id>.json``, and
:meth:`Catalog.rebuild` restores the catalogue from these files and the artifacts.
"""

from __future__ import annotations

import re
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import (
    Connection,
    RowMapping,
    Select,
    and_,
    bindparam,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)

from prunepriv.errors import ExperimentError, StoreError, UnknownRunError
from prunepriv.experiment import Experiment, canonical_json, make_experiment
from prunepriv.store.artifacts import ArtifactStore
from prunepriv.store.database import PATIENCE, Database
from prunepriv.store.locks import is_held
from prunepriv.store.run_files import read_records, remove_record, write_record
from prunepriv.store.schema import (
    RUN_STEPS,
    RUNS,
    RunStatus,
    RunView,
    StepView,
    run_view,
    step_view,
)
from prunepriv.store.step_rows import step_rows

RUN_ID = re.compile(r"[0-9a-z_-]{8,64}")


def check_run_id(run_id: str) -> str:
    """The id itself, if it has the form of one.

    Raises:
        UnknownRunError: it has not. Text from outside therefore never becomes a path.
    """
    if not RUN_ID.fullmatch(run_id):
        raise UnknownRunError(
            f"{run_id[:80]!r} is not a run: an id is 8 to 64 of the characters 0-9 a-z _ -"
        )
    return run_id


class Catalog:
    """The runs of one store.

    Args:
        store: the store's folder; made if it is missing.
        patience: seconds for which a writer waits for another.

    Raises:
        StoreError: the folder or its database cannot be used.
    """

    def __init__(self, store: Path, patience: float = PATIENCE) -> None:
        self.store = store
        self._database = Database(store, patience)
        if self._database.fresh:
            self.rebuild()

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    # --- for the pages and the command line ---

    def submit(self, experiment: Experiment) -> str:
        """Put a run in the queue and return its id.

        A run that waits or is worked on is not queued twice. A run that ended is queued again and
        takes its finished steps from the store.
        """
        run_id = experiment.run_id
        write_record(self.store, run_id, experiment.model_dump(mode="json"), "queued")
        with self._database.write() as connection:
            self._enqueue(connection, experiment)
        return run_id

    def runs(self, only: Collection[str] | None = None) -> list[RunView]:
        """All runs, or those whose ids are in ``only``; the latest submission first."""
        query = select(RUNS) if only is None else select(RUNS).where(RUNS.c.run_id.in_(only))
        with self._database.read() as connection:
            rows = connection.execute(query.order_by(RUNS.c.position.desc())).mappings()
            return [self._view(row) for row in rows]

    def run(self, run_id: str) -> RunView:
        """The run with that id.

        Raises:
            UnknownRunError: no run has that id.
        """
        check_run_id(run_id)
        with self._database.read() as connection:
            row = self._row(connection, run_id)
        if row is None:
            raise UnknownRunError(
                f"no run {run_id} in {self.store}: `python -m prunepriv list` lists all runs"
            )
        return self._view(row)

    def steps(self, run_id: str) -> list[StepView]:
        """The run's steps in the plan's order; empty before the run begins."""
        check_run_id(run_id)
        query = select(RUN_STEPS).where(RUN_STEPS.c.run_id == run_id)
        with self._database.read() as connection:
            rows = connection.execute(query.order_by(RUN_STEPS.c.ordinal)).mappings()
            return [step_view(row) for row in rows]

    def queue_position(self, run_id: str) -> int | None:
        """1 for the run that is next, None for a run that does not wait."""
        run = self.run(run_id)
        if run.status != "queued":
            return None
        earlier = and_(RUNS.c.status == "queued", RUNS.c.position <= run.position)
        with self._database.read() as connection:
            return connection.execute(
                select(func.count()).select_from(RUNS).where(earlier)
            ).scalar_one()

    def request_cancel(self, run_id: str) -> None:
        """Cancel a run: at once if it waits or was interrupted, else at its next report.

        Raises:
            UnknownRunError: no run has that id.
            StoreError: it has ended already.
        """
        status = self.run(run_id).status
        if status not in ("queued", "running", "interrupted"):
            raise StoreError(
                f"run {run_id} is {status}: only a run that waits or runs can be cancelled"
            )
        with self._database.write() as connection:
            change = update(RUNS).where(RUNS.c.run_id == run_id)
            connection.execute(change.values(cancel_requested=True))
            idle = RUNS.c.status.in_(("queued", "interrupted"))
            if status == "interrupted":
                idle = RUNS.c.status.in_(("queued", "interrupted", "running"))
            connection.execute(change.where(idle).values(status="cancelled", finished=time.time()))

    def delete(self, run_id: str) -> None:
        """Delete a run. Its artifacts stay, because other runs may share them.

        Raises:
            UnknownRunError: no run has that id.
            StoreError: it waits or is worked on.
        """
        if self.run(run_id).active:
            raise StoreError(f"run {run_id} is not finished: cancel it first")
        with self._database.write() as connection:
            connection.execute(delete(RUN_STEPS).where(RUN_STEPS.c.run_id == run_id))
            connection.execute(delete(RUNS).where(RUNS.c.run_id == run_id))
        remove_record(self.store, run_id)

    def rebuild(self) -> int:
        """Add the runs that have a file and are not in the catalogue; return how many."""
        known = {run.run_id for run in self.runs()}
        added = 0
        for record in read_records(self.store):
            if record.get("run") in known:
                continue
            try:
                experiment = make_experiment(record["experiment"])
            except (ExperimentError, KeyError):
                continue  # a version with other settings wrote it
            added += self._restore(experiment, record)
        return added

    # --- for the engine and inline runs ---

    def queued(self) -> list[RunView]:
        """Runs that wait, the next first."""
        return self._select(select(RUNS).where(RUNS.c.status == "queued"))

    def begin(self, run_id: str, owner: str, steps: Sequence[Mapping[str, Any]]) -> bool:
        """Begin a waiting run; return False if it was cancelled or deleted meanwhile.

        Args:
            run_id: the run.
            owner: the lock file, relative to the store, that the caller holds while it works.
            steps: rows of the table ``run_steps`` without the run id.
        """
        with self._database.write() as connection:
            taken = connection.execute(
                update(RUNS)
                .where(RUNS.c.run_id == run_id, RUNS.c.status == "queued")
                .values(status="running", owner=owner, started=time.time(), finished=None)
            )
            if taken.rowcount == 0:
                return False
            connection.execute(delete(RUN_STEPS).where(RUN_STEPS.c.run_id == run_id))
            connection.execute(insert(RUN_STEPS), [{**s, "run_id": run_id} for s in steps])
        return True

    def update_steps(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Write the present state of steps.

        Args:
            rows: ``run_id``, ``key`` and all of status, fraction, message, curve, started,
                seconds and pid.
        """
        columns = ("status", "fraction", "message", "curve", "started", "seconds", "pid")
        values = [{f"_{name}": value for name, value in row.items()} for row in rows]
        if not values:
            return
        change = (
            update(RUN_STEPS)
            .where(RUN_STEPS.c.run_id == bindparam("_run_id"), RUN_STEPS.c.key == bindparam("_key"))
            .values({name: bindparam(f"_{name}") for name in columns})
        )
        with self._database.write() as connection:
            connection.execute(change, values)

    def end(self, run_id: str, status: RunStatus, error: str = "") -> None:
        """Write how a run ended."""
        with self._database.write() as connection:
            connection.execute(
                update(RUNS)
                .where(RUNS.c.run_id == run_id)
                .values(status=status, error=error, finished=time.time(), cancel_requested=False)
            )
        write_record(self.store, run_id, self.run(run_id).settings, status, error)

    def cancel_requests(self) -> set[str]:
        """Ids of the runs that were asked to stop."""
        query = select(RUNS.c.run_id).where(RUNS.c.cancel_requested)
        with self._database.read() as connection:
            return set(connection.execute(query).scalars())

    def requeue_abandoned(self, owner: str) -> int:
        """Put runs whose worker has ended back in the queue; return how many.

        Args:
            owner: the lock file that the caller has just taken: its previous holder has ended
                without finishing the runs marked with it.
        """
        running = self._select(select(RUNS).where(RUNS.c.status == "running"))
        abandoned = [run.run_id for run in running if run.status == "interrupted"]
        left = or_(RUNS.c.run_id.in_(abandoned), RUNS.c.owner == owner)
        with self._database.write() as connection:
            changed = connection.execute(
                update(RUNS).where(RUNS.c.status == "running", left).values(status="queued")
            )
        return int(changed.rowcount)

    # --- internal ---

    def _select(self, query: Select[Any]) -> list[RunView]:
        with self._database.read() as connection:
            rows = connection.execute(query.order_by(RUNS.c.position)).mappings()
            return [self._view(row) for row in rows]

    def _view(self, row: RowMapping) -> RunView:
        """A run's row; "running" becomes "interrupted" if no process works on it any more."""
        status: RunStatus = row["status"]
        if status == "running" and not is_held(self.store / row["owner"]):
            status = "interrupted"
        return run_view(row, status)

    def _enqueue(self, connection: Connection, experiment: Experiment) -> None:
        run_id = experiment.run_id
        row = self._row(connection, run_id)
        if row is not None and self._view(row).active:
            values: dict[str, Any] = {"cancel_requested": False}
        else:
            values = {
                "status": "queued",
                "position": self._next_position(connection),
                "error": "",
                "started": None,
                "finished": None,
                "cancel_requested": False,
            }
        if row is not None:
            connection.execute(update(RUNS).where(RUNS.c.run_id == run_id).values(**values))
        else:
            values |= {"run_id": run_id, "experiment": _settings(experiment)}
            connection.execute(insert(RUNS).values(created=time.time(), **values))

    def _row(self, connection: Connection, run_id: str) -> RowMapping | None:
        return connection.execute(select(RUNS).where(RUNS.c.run_id == run_id)).mappings().first()

    def _next_position(self, connection: Connection) -> int:
        last = connection.execute(select(func.max(RUNS.c.position))).scalar_one()
        return (last or 0) + 1

    def _restore(self, experiment: Experiment, record: Mapping[str, Any]) -> bool:
        """Add a run from its record; a run that had not ended becomes interrupted."""
        run_id = experiment.run_id
        ended = record.get("status") in ("done", "failed", "cancelled")
        written = float(record.get("written", 0.0))
        steps = step_rows(ArtifactStore(self.store), experiment)
        with self._database.write() as connection:
            if self._row(connection, run_id) is not None:
                return False  # another process was first
            connection.execute(
                insert(RUNS).values(
                    run_id=run_id,
                    experiment=_settings(experiment),
                    status=record["status"] if ended else "interrupted",
                    position=self._next_position(connection),
                    created=written,
                    finished=written if ended else None,
                    error=str(record.get("error", "")),
                )
            )
            connection.execute(insert(RUN_STEPS), [{**step, "run_id": run_id} for step in steps])
        return True


def _settings(experiment: Experiment) -> str:
    return canonical_json(experiment.model_dump(mode="json"))
