"""The data of figures: results of a run, and the caller's choices among them."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, TypeVar

import pandas as pd

from prunepriv.errors import ExperimentError, MissingArtifactError
from prunepriv.figures.leaderboard import best_attack
from prunepriv.figures.palette import Theme
from prunepriv.options import ADVERSARIES, ModelKind
from prunepriv.plan import Target
from prunepriv.store.result import AttackScores, Result
from prunepriv.store.signals import RecordSignals

Value = TypeVar("Value")


class Drawable:
    """A run as the data of figures; an error says what is missing.

    Args:
        result: the run.
        theme: the theme of the figures.
        live: whether the run waits or is at work.
    """

    def __init__(self, result: Result, theme: Theme, live: bool) -> None:
        self.result, self.theme, self.live = result, theme, live
        self.experiment = result.experiment
        self.class_names = result.experiment.data.option.class_labels

    def need(self, value: Value | None, what: str) -> Value:
        """The value, if there is one.

        Raises:
            MissingArtifactError: the value is None or an empty dictionary.
        """
        if value is None or (isinstance(value, dict) and not value):
            raise MissingArtifactError(
                f"run {self.result.run_id} has no {what} yet: run it to its end"
            )
        return value

    def records(self) -> dict[ModelKind, RecordSignals]:
        """Signals per record of all models that have them."""
        found = {kind: self.result.records(kind) for kind in self.experiment.models}
        return {kind: one for kind, one in found.items() if one is not None}

    def gaps(self) -> dict[ModelKind, pd.DataFrame]:
        """Gaps of all models that have them."""
        found = {kind: self.result.gaps(kind) for kind in self.experiment.models}
        return self.need({k: one for k, one in found.items() if one is not None}, "gaps")

    def kind(self, model: str | None, there: Collection[ModelKind] = ()) -> ModelKind:
        """The chosen model; by default the pruned one, or else the last one."""
        kinds = [kind for kind in self.experiment.models if not there or kind in there]
        default = "pruned" if "pruned" in kinds else kinds[-1]
        return one_of("model", model or default, kinds)

    def target(self, model: str | None, adversary: str) -> Target:
        """The chosen model and its adversary."""
        target = Target(self.kind(model), one_of("adversary", adversary, ADVERSARIES))
        if target not in self.result.targets:
            raise ExperimentError(
                f"only a defended model has a non-adaptive adversary, not the {target.model} model: "
                "leave adversary out"
            )
        return target

    def board(self, target: Target) -> pd.DataFrame:
        """The leaderboard, which has rows of that target."""
        board = self.result.leaderboard()
        return self.need(
            None if best_attack(board, target) is None else board,
            f"attacks on the {target.model} model",
        )

    def label(self, label: int | None) -> int | None:
        """The number of the chosen class; None for all."""
        return None if label is None else one_of("label", label, range(len(self.class_names)))

    def scores(self, target: Target) -> dict[str, AttackScores]:
        """Scores by attack, in the order of the experiment."""
        names = self.experiment.attacks.names
        found = {name: self.result.scores(name, target) for name in names}
        there = {name: one for name, one in found.items() if one is not None}
        return self.need(there, f"attacks on the {target.model} model")

    def attack(self, attack: str | None, target: Target, scores: Collection[str]) -> str:
        """The attack to draw; by default the one that the adversary would choose beforehand."""
        headline = self.result.headline(target)
        default = next(iter(scores)) if headline is None else str(headline["attack"])
        return one_of("attack", attack or default, scores)

    def records_of(self, target: Target) -> RecordSignals:
        """Signals per record of that target."""
        records = self.result.records(target.model)
        return self.need(records, f"signals of the {target.model} model")


def one_of(what: str, value: Any, known: Collection[Value]) -> Value:
    """The known value that equals a chosen one.

    Raises:
        ExperimentError: no known value equals it.
    """
    for one in known:
        if one == value:
            return one
    listed = (
        f"{known[0]} to {known[-1]}" if isinstance(known, range) else ", ".join(map(str, known))
    )
    raise ExperimentError(f"{what} must be one of {listed}, got {value!r}")
