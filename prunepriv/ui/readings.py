"""Cache what was read from artifacts for all visitors: an artifact never changes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, TypeVar

import pandas as pd

from prunepriv.experiment.command import command_line
from prunepriv.figures.leaderboard import best_attack
from prunepriv.plan import Target, evaluation_name
from prunepriv.store.artifacts import Artifact
from prunepriv.store.result import (
    Result,
    read_checks,
    read_evaluation,
    read_gaps,
    read_records,
    read_report,
    read_scores,
    read_signals,
)
from prunepriv.ui.cache import Cache

T = TypeVar("T")
Reader = Callable[[Artifact], Any]

KEPT: Mapping[Reader, Cache[Any]] = {
    read_signals: Cache(4),
    read_records: Cache(32),
    read_scores: Cache(128),
    read_gaps: Cache(64),
    read_evaluation: Cache(128),
    read_checks: Cache(64),
    read_report: Cache(128),
}
"""How many artifacts are kept as each reader gives them; that is shared and must not be modified."""

LEADERBOARDS: Cache[pd.DataFrame] = Cache(64)
BEST: Cache[Mapping[str, Any] | None] = Cache(256)


class KeptResult(Result):
    """A run's figures, each read from its artifact once for all visitors."""

    @cached_property
    def run_id(self) -> str:  # a hash of all settings
        return self.experiment.run_id

    @cached_property
    def command(self) -> str:
        """The command that makes the same figures again."""
        return command_line(self.experiment)

    def read(self, step: str, reader: Callable[[Artifact], T]) -> T | None:
        """What a reader gives for a step's artifact, which is opened the first time only."""
        made, cache = self.plan.by_name.get(step), KEPT.get(reader)
        if made is None or cache is None:
            return super().read(step, reader)

        def read_now() -> T | None:
            artifact = self.artifact_of(made)
            return None if artifact is None else reader(artifact)

        kept: T | None = cache.get(made.key, read_now)
        return kept

    def leaderboard(self) -> pd.DataFrame:
        """All finished evaluations; like all that is read, it must not be modified."""
        done = [target for target in self.targets if self.evaluation(target) is not None]
        keys = tuple(self.plan.key(evaluation_name(target)) for target in done)
        return LEADERBOARDS.get(keys, super().leaderboard)

    def best(self, target: Target) -> Mapping[str, Any] | None:
        """The leaderboard's row of the most accurate attack on a model; None before there is one."""
        if target not in self.targets or self.evaluation(target) is None:
            return None
        key = self.plan.key(evaluation_name(target))
        return BEST.get(key, lambda: best_attack(self.leaderboard(), target))
