"""A run of the store: its tables, signals and figures."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from functools import cached_property
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import pandas as pd

from prunepriv.errors import ExperimentError, MissingArtifactError, PruneprivError
from prunepriv.evaluation import is_guessing
from prunepriv.experiment import Experiment
from prunepriv.experiment.command import command_line
from prunepriv.options import ATTACKS
from prunepriv.plan import Target
from prunepriv.prose import failed_checks, join, percent
from prunepriv.store.artifacts import ArtifactStore
from prunepriv.store.catalog import Catalog
from prunepriv.store.report import (
    attack_rows,
    check_rows,
    flat_row,
    gap_rows,
    model_row,
    report_json,
)
from prunepriv.store.result import Result
from prunepriv.store.schema import RunStatus, RunView, StepView
from prunepriv.store.signals import TargetSignals

if TYPE_CHECKING:  # importing plotly is slow, and only figures need it
    from prunepriv.figures.figure import Figure

Item = TypeVar("Item")
Rows = Sequence[dict[str, Any]]

COLUMNS = {
    "models": ("model", "member_accuracy", "non_member_accuracy", "sparsity"),
    "gaps": ("model", "class", "confidence", "sensitivity", "generalization"),
    "attacks": ("attack", "model", "adversary", "accuracy"),
    "checks": ("check", "label", "passed", "detail"),
    "steps": ("step", "status", "seconds", "cached", "key"),
}
"""Columns of each table if it has no rows yet; fractions lie in 0 to 1."""


class Run:
    """A run of the store, from :func:`prunepriv.run` or :func:`prunepriv.load`.

    Every access reads the store, so a run that is not finished shows its finished steps. Tables and
    figures are copies that may be changed.

    Args:
        store: the store's folder.
        experiment: all its settings.

    Attributes:
        store, experiment: as given.
    """

    def __init__(self, store: Path, experiment: Experiment) -> None:
        self.store = store
        self.experiment = experiment

    @property
    def id(self) -> str:
        """Its name in the store; equal experiments have the same id."""
        return self.experiment.run_id

    @property
    def command(self) -> str:
        """The command line that makes the same run."""
        return command_line(self.experiment)

    @property
    def status(self) -> RunStatus:
        """One of queued, running, done, failed, cancelled, interrupted."""
        return self._view().status

    @property
    def error(self) -> str:
        """Why it failed, in one sentence; empty if it did not fail."""
        return self._view().error

    @property
    def models(self) -> pd.DataFrame:
        """A row per attacked model: accuracy on members and non-members, sparsity, size.

        ``multiplications`` are counted for one record; ``parameters_left`` and
        ``multiplications_left`` are the shares that are left once everything dead is cut out.
        ``kept_epochs`` is how many epochs the kept weights were trained for, ``trained_epochs`` how
        many there were. If a model was fine-tuned with DP-SGD, there
        are also columns ``privacy_epsilon``, ``privacy_delta`` and so on.
        """
        rows = self._rows(lambda result, kind: [model_row(result, kind)], self.experiment.models)
        return _frame("models", [_without_privacy(row) for row in rows])

    @property
    def gaps(self) -> pd.DataFrame:
        """Gaps between members and non-members: for each model a row per class and one over all.

        ``class`` is missing in the row over all records. A gap is members minus non-members.
        ``..._null``, ``..._null95_low``, ``..._null95_high`` and ``..._p`` are what chance gives a
        distance.
        """
        frame = _frame("gaps", self._rows(gap_rows, self.experiment.models))
        return frame.astype({"class": "Int64"})

    @property
    def attacks(self) -> pd.DataFrame:
        """A row per attack, model and adversary: accuracy, AUC, TPR at low FPR, and intervals.

        ``..._ci95_low`` and ``..._ci95_high`` are 95 % bootstrap intervals over records.
        """
        return _frame("attacks", self._rows(attack_rows, self._result.targets))

    @property
    def checks(self) -> pd.DataFrame:
        """A row per check of the run; ``passed`` is None if a check only informs."""
        return _frame("checks", self._check_rows())

    @property
    def steps(self) -> pd.DataFrame:
        """A row per step; ``seconds`` is the time of its work, in this run or an earlier one."""
        rows = [
            {
                "step": step.name,
                "status": step.status,
                "seconds": step.seconds,
                "cached": step.cached,
                "key": step.key,
            }
            for step in self._steps()
        ]
        return pd.DataFrame(rows, columns=list(COLUMNS["steps"]))

    @property
    def seconds(self) -> float:
        """The time of all its finished steps, in this run or an earlier one, in seconds."""
        return sum(step.seconds or 0.0 for step in self._steps())

    def signals(self, model: str = "pruned") -> TargetSignals:
        """Answers of the target model of one kind on its records: numpy arrays, a row per record.

        Args:
            model: "original", "control", "control_matched", "pruned" or "defended".

        Raises:
            ExperimentError: the run has no such model.
            MissingArtifactError: they have not been measured yet, or their artifact was damaged.
        """
        for kind in self.experiment.models:
            if kind == model:
                found = self._result.signals(kind)
                if found is None:
                    raise MissingArtifactError(
                        f"run {self.id} has no signals of the {kind} model yet: it is {self.status}"
                    )
                return found
        known = ", ".join(self.experiment.models)
        raise ExperimentError(f"run {self.id} has no model {model!r}: choose one of {known}")

    def figure(self, name: str, *, theme: str = "light", **options: Any) -> Figure:
        """A figure as the pages draw it.

        Args:
            name: one of ``prunepriv.FIGURES``.
            theme: "light" or "dark".
            options: options of that figure, see ``prunepriv.FIGURES``.

        Raises:
            ExperimentError: no such figure, option or choice.
            MissingArtifactError: its data have not been computed yet.
        """
        from prunepriv.library.drawings import draw

        live = self.status in ("queued", "running")
        return draw(self._result, name, theme, options, live)

    def json(self) -> dict[str, Any]:
        """All figures of the run, as in the file of ``run --json``.

        Raises:
            MissingArtifactError: a step has not finished, or its artifact was damaged.
        """
        return report_json(self._result, self._steps())

    def cancel(self) -> None:
        """Cancel it. Its finished steps are kept.

        Raises:
            StoreError: it has already ended.
        """
        with closing(Catalog(self.store)) as catalog:
            catalog.request_cancel(self.id)

    def __repr__(self) -> str:
        try:
            lines = [f"Run {self.id}, {self.status}", self._attacked(), *self._warnings()]
            return "\n".join(filter(None, lines))
        except PruneprivError as error:
            return f"Run {self.id}: {error}"

    def _repr_html_(self) -> str:
        return f"<p>{escape(repr(self))}</p>".replace("\n", "<br>")

    @cached_property
    def _result(self) -> Result:
        return Result(ArtifactStore(self.store), self.experiment)

    def _view(self) -> RunView:
        with closing(Catalog(self.store)) as catalog:
            return catalog.run(self.id)

    def _steps(self) -> list[StepView]:
        with closing(Catalog(self.store)) as catalog:
            return catalog.steps(self.id)

    def _rows(self, read: Callable[[Result, Item], Rows], items: Iterable[Item]) -> Rows:
        """The rows that are finished; a run that is done must have all."""
        rows: list[dict[str, Any]] = []
        for item in items:
            try:
                rows += read(self._result, item)
            except MissingArtifactError:
                if self.status == "done":
                    raise
        return rows

    def _warnings(self) -> list[str]:
        """What its failed checks mean."""
        return [" ".join(sentences) for sentences in failed_checks(self._check_rows())]

    def _check_rows(self) -> Rows:
        return self._rows(lambda result, _: check_rows(result), [None])

    def _attacked(self) -> str:
        """The attack chosen beforehand, on the pruned model if it was attacked, in one line.

        Empty if no attack was evaluated yet.
        """
        self._rows(attack_rows, self._result.targets)  # all are there, if it is done
        kinds = sorted(self.experiment.models, key=lambda kind: kind == "pruned")
        for kind in reversed(kinds):
            row = self._result.headline(Target(kind))
            if row is not None:
                how = "attack chosen beforehand" if row["chosen"] else "best attack after the fact"
                ends = join([percent(end) for end in row["accuracy_ci95"]], "to")
                word = ", guessing" if is_guessing(row["p"]) else ""
                return (
                    f"{how}: {ATTACKS[row['attack']].label} on the {kind} model, "
                    f"{percent(row['accuracy'])} ({ends}; guessing: 50 %){word}"
                )
        return ""


def _frame(table: str, rows: Rows) -> pd.DataFrame:
    if not rows:
        return pd.DataFrame(columns=list(COLUMNS[table]))
    return pd.DataFrame([flat_row(row) for row in rows])


def _without_privacy(row: dict[str, Any]) -> dict[str, Any]:
    """A row without ``privacy`` if nothing is guaranteed."""
    return {name: one for name, one in row.items() if name != "privacy" or one is not None}
