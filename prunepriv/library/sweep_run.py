"""A sweep that was run: its tables and its runs."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from prunepriv.experiment.sweep import Sweep
from prunepriv.library.run import Run
from prunepriv.prose import failed_runs
from prunepriv.store.artifacts import ArtifactStore
from prunepriv.store.sweep_checks import failed_in
from prunepriv.store.sweep_table import summary, sweep_table


class SweepRun:
    """A sweep that was run, from :func:`prunepriv.sweep`. Its tables may be changed.

    Args:
        store: the store's folder.
        sweep: its grid.
        failures: a sentence for each run that failed, by its id.

    Attributes:
        store, sweep, failures: as given.
    """

    def __init__(self, store: Path, sweep: Sweep, failures: Mapping[str, str]) -> None:
        self.store = store
        self.sweep = sweep
        self.failures = dict(failures)

    @property
    def id(self) -> str:
        """Its name in the store, for ``prunepriv.sweep`` and for the command line."""
        return self.sweep.sweep_id

    @property
    def definition(self) -> dict[str, Any]:
        """The content of a YAML file of the same sweep: name, base, grid or grids."""
        return self.sweep.definition

    @property
    def impossible(self) -> tuple[str, ...]:
        """A sentence for each cell that was skipped because it cannot be run."""
        return self.sweep.impossible

    @property
    def table(self) -> pd.DataFrame:
        """A row per run, model, adversary and attack, as in the file of ``sweep --table``."""
        return self._table.copy()

    @property
    def summary(self) -> pd.DataFrame:
        """Means over seeds with 95 % t-intervals: a row per cell, model, adversary and attack."""
        return summary(self._table, self.sweep)

    @cached_property
    def runs(self) -> tuple[Run, ...]:
        """Its runs, in the order of the grid."""
        return tuple(Run(self.store, experiment) for experiment in self.sweep.experiments)

    def __repr__(self) -> str:
        count = len(self.sweep.experiments)
        failed = f", {len(self.failures)} of them failed" if self.failures else ""
        told = f"Sweep {self.id}: {count} runs over {', '.join(self.sweep.axes)}{failed}"
        checks = failed_in(ArtifactStore(self.store), self.sweep.experiments)
        return "\n".join([told, *failed_runs(checks, count)])

    @cached_property
    def _table(self) -> pd.DataFrame:
        return sweep_table(ArtifactStore(self.store), self.sweep)
