"""Which runs of a sweep failed a check."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from prunepriv.experiment import Experiment
from prunepriv.store.artifacts import ArtifactStore
from prunepriv.store.result import Result


def failed_rows(store: ArtifactStore, experiment: Experiment) -> list[dict[str, Any]]:
    """The failed checks of a run; none if it has not been checked yet."""
    checks = Result(store, experiment).checks() or []
    return [row for row in checks if row["passed"] is False]


def failed_in(
    store: ArtifactStore, experiments: Iterable[Experiment]
) -> dict[str, list[dict[str, Any]]]:
    """Run -> its failed checks, of those runs that have any."""
    found = {one.run_id: failed_rows(store, one) for one in experiments}
    return {run_id: rows for run_id, rows in found.items() if rows}
