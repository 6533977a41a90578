"""Typed reading of the artifacts of a run, finished or not; numpy and pandas only.

A reader converts one artifact; :class:`Result` knows which step's artifact it needs. Every method
returns None where that step has not finished yet, so a page shows the finished part. The arrays keep
the order of the target's records; ``record`` is the data set's own index.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from prunepriv.datasets.held_out import rows_for_fits
from prunepriv.errors import MissingArtifactError
from prunepriv.evaluation import Draws, resample
from prunepriv.experiment import Experiment
from prunepriv.options import ATTACKS, ModelKind, records_of_fit
from prunepriv.plan import (
    CHECKS,
    Plan,
    Step,
    Target,
    contrast_name,
    divergence_name,
    evaluation_name,
    models_name,
    plan,
    privacy_name,
    score_name,
    signals_name,
    size_name,
    targets,
)
from prunepriv.store.artifacts import Artifact, ArtifactStore
from prunepriv.store.signals import RecordSignals, TargetSignals, reduce_signals

if TYPE_CHECKING:  # its import takes a third of a second, and the commands need no frame
    import pandas as pd

T = TypeVar("T")


@dataclass(frozen=True)
class AttackScores:
    """One attack on one model: high scores say "member".

    Attributes:
        score: (n,) float64.
        decision: (n,) bool, the attack's own verdict (thresholds fitted on shadows).
        thresholds: scores from which on the verdict is "member": one, or one per class.
    """

    score: np.ndarray
    decision: np.ndarray
    thresholds: tuple[float, ...]


# --- readers, each for one artifact ---


def read_signals(artifact: Artifact) -> TargetSignals:
    """Of a signals artifact: the model's answers on all its records."""
    return TargetSignals.from_arrays(artifact.tensors("signals"))


def read_records(artifact: Artifact) -> RecordSignals:
    """Of a signals artifact: its per-record part."""
    return reduce_signals(read_signals(artifact))


def read_report(artifact: Artifact) -> dict[str, Any]:
    """Of a signals artifact or of one with a model: its report."""
    return dict(artifact.json("report"))


def frame(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """A row for each dictionary, a column for each of its names."""
    import pandas as pd  # noqa: PLC0415 - see above

    return pd.DataFrame(rows)


def read_gaps(artifact: Artifact) -> pd.DataFrame:
    """Of a divergence artifact, see divergence.py."""
    return frame(artifact.json("gaps"))


def read_size(artifact: Artifact) -> dict[str, float | None]:
    """Of a size artifact, see pruning/remaining.py."""
    return dict(artifact.json("size"))


def read_scores(artifact: Artifact) -> AttackScores:
    """Of a score artifact."""
    arrays = artifact.tensors("score")
    thresholds = tuple(artifact.json("thresholds"))
    return AttackScores(arrays["score"], arrays["decision"].astype(bool), thresholds)


def read_evaluation(artifact: Artifact) -> list[dict[str, Any]]:
    """Of an evaluation artifact, see evaluation.py."""
    return list(artifact.json("evaluation"))


def read_resamples(artifact: Artifact) -> dict[str, np.ndarray] | None:
    """Of an evaluation artifact: (resamples,) by "attack.metric"; a bundled example has none."""
    return artifact.tensors("resamples") if artifact.has("resamples.safetensors") else None


def read_choice(artifact: Artifact) -> dict[str, Any]:
    """Of an evaluation artifact: the attack that its adversary would choose beforehand.

    {"attack": None if there is none, "estimate", "standard_error", "p", "why"}.
    """
    return dict(artifact.json("choice"))


def read_chance(artifact: Artifact) -> dict[str, Any]:
    """Of an evaluation artifact: {"attacks", "best", "null95", "p"}."""
    return dict(artifact.json("chance"))


def read_contrast(artifact: Artifact) -> list[dict[str, Any]]:
    """Of a contrast artifact: {"attack", "metric", "class", "difference", "ci95", "clear"}."""
    return list(artifact.json("contrast"))


def read_privacy(artifact: Artifact) -> dict[str, Any]:
    """Of a privacy artifact: what private training guarantees."""
    return dict(artifact.json("privacy"))


def read_checks(artifact: Artifact) -> list[dict[str, Any]]:
    """Of a checks artifact, see checks.py."""
    return list(artifact.json("checks"))


class Result:
    """A run's figures, read from its artifacts.

    Args:
        store: holds the artifacts.
        experiment: what was run.
    """

    def __init__(self, store: ArtifactStore, experiment: Experiment) -> None:
        self.store = store
        self.experiment = experiment

    @cached_property
    def plan(self) -> Plan:
        return plan(self.experiment)

    @property
    def run_id(self) -> str:
        return self.experiment.run_id

    @property
    def targets(self) -> tuple[Target, ...]:
        """Which models the run attacks, and by which adversary."""
        return targets(self.experiment)

    def artifact(self, name: str) -> Artifact | None:
        """The artifact of the step of that name, if it is finished."""
        step = self.plan.by_name.get(name)
        return None if step is None else self.artifact_of(step)

    def artifact_of(self, step: Step) -> Artifact | None:
        """A step's artifact, if it is finished; the step need not be part of the run."""
        try:
            return self.store.open(step.key)
        except MissingArtifactError:
            return None

    @property
    def complete(self) -> bool:
        """Whether every evaluation is finished."""
        return all(self.evaluation(target) is not None for target in self.targets)

    def read(self, step: str, reader: Callable[[Artifact], T]) -> T | None:
        """What a reader returns for the artifact of the step of that name, if it is finished.

        A subclass may cache it, because an artifact never changes.
        """
        artifact = self.artifact(step)
        return None if artifact is None else reader(artifact)

    def signals(self, kind: ModelKind) -> TargetSignals | None:
        """The answers of the target of that kind on its records."""
        return self.read(signals_name(kind), read_signals)

    def records(self, kind: ModelKind) -> RecordSignals | None:
        """The per-record part of the signals: all that most charts need, and much smaller."""
        return self.read(signals_name(kind), read_records)

    def model_report(self, kind: ModelKind) -> dict[str, Any] | None:
        """{"member_accuracy", "non_member_accuracy", "sparsity", "layers": {name: sparsity}, ...}."""
        return self.read(signals_name(kind), read_report)

    def training_report(self, kind: ModelKind) -> dict[str, Any] | None:
        """Of the target: {"history": [point, ...], "best_epoch": 12, ...}."""
        return self.read(models_name(kind), read_report)

    def epochs_kept(self, kind: ModelKind) -> int | None:
        """For how many epochs the kept weights of the target of that kind were trained."""
        report = self.training_report(kind)
        return None if report is None else int(report["best_epoch"])

    def privacy(self, kind: ModelKind) -> dict[str, Any] | None:
        """What private training of that kind guarantees, see dp_sgd.py; None where nothing is."""
        return self.read(privacy_name(kind), read_privacy)

    def gaps(self, kind: ModelKind) -> pd.DataFrame | None:
        """Gaps and distances: a row over all records with class None, then one row per class."""
        return self.read(divergence_name(kind), read_gaps)

    def size(self, kind: ModelKind) -> dict[str, float | None] | None:
        """Of the target: {"removed_channels", "emitting_channels", "parameters_left", ...}.

        None also for a run of a version that did not count them.
        """
        return self.read(size_name(kind), read_size)

    def fit_of(self, attack: str) -> dict[str, Any] | None:
        """On how many shadow records an attack network is fitted; None for other attacks.

        {"attack", "records", "of", "classes"}: `of` is how many a fit may use; see
        :func:`prunepriv.options.records_of_fit`. Nothing is read from the store.
        """
        option, data = ATTACKS[attack], self.experiment.data
        if option.kind != "network":
            return None
        classes = data.option.classes
        of = rows_for_fits(
            data.option.records, self.experiment.shadows, self.experiment.seed, data.limit
        )
        most, recipe = option.most_records(classes), self.experiment.attacks.recipe
        records = records_of_fit(of, most, recipe)
        return {"attack": attack, "records": records, "of": of, "classes": classes}

    def scores(self, attack: str, target: Target) -> AttackScores | None:
        """Scores of one attack on one model, in the order of the signals."""
        return self.read(score_name(attack, target), read_scores)

    def evaluation(self, target: Target) -> list[dict[str, Any]] | None:
        """One dictionary per attack, in the experiment's order."""
        return self.read(evaluation_name(target), read_evaluation)

    def attack_row(self, attack: str, target: Target) -> dict[str, Any] | None:
        """The figures of one attack on a target, from its evaluation; None if it was not run."""
        rows = self.evaluation(target) or ()
        return next((row for row in rows if row["attack"] == attack), None)

    def choice(self, target: Target) -> dict[str, Any] | None:
        """The attack that the target's adversary would choose beforehand, see :func:`read_choice`."""
        return self.read(evaluation_name(target), read_choice)

    def headline(self, target: Target, attack: str | None = None) -> dict[str, Any] | None:
        """The figures on a target of the attack that its adversary would choose beforehand.

        Its row of the evaluation; "p" is the attack's own, "chosen" is True, and "estimate" and
        "standard_error" are what the adversary knew. If none can be chosen, the best attack on the
        target itself: "chosen" is False, and "p" counts the best of all attacks.

        Args:
            target: the attacked model and its adversary.
            attack: the one that the reader fixes, instead of a choice: "fixed" is then True, and "p"
                counts the best of all attacks, because a reader may fix it after the fact.
        """
        rows, choice = self.evaluation(target), self.choice(target)
        if not rows or choice is None:
            return None
        if attack is not None:
            row = self.attack_row(attack, target)
            return None if row is None else {**row, "chosen": False, "fixed": True}
        by_name = {row["attack"]: row for row in rows}
        if choice["attack"] is None:
            best = max(rows, key=lambda row: float(row["accuracy"]))
            return {**best, **choice, "attack": best["attack"], "p": best["p"], "chosen": False}
        return {**by_name[choice["attack"]], **choice, "chosen": True}

    def resampled(
        self, target: Target, metric: str, attacks: Collection[str]
    ) -> dict[str, np.ndarray] | None:
        """One figure of attacks in resamples of the target's records; None before the evaluation.

        The records are those of every target of a run, and of every run of the same data and seed:
        the resamples of two of them may be subtracted.

        Args:
            target: the attacked model.
            metric: one of evaluation.METRICS.
            attacks: evaluated there.

        Returns:
            By attack, (resamples,).
        """
        if self.evaluation(target) is None:
            return None
        stored = self.read(evaluation_name(target), read_resamples)
        if stored is not None:
            return {name: stored[f"{name}.{metric}"] for name in attacks}
        return self._drawn_again(target, metric, attacks)

    def _drawn_again(
        self, target: Target, metric: str, attacks: Collection[str]
    ) -> dict[str, np.ndarray] | None:
        """The same resamples as the evaluation's, of scores that a bundled example has."""
        records = self.records(target.model)
        scores = {name: self.scores(name, target) for name in attacks}
        known = {name: (one.score, one.decision) for name, one in scores.items() if one is not None}
        if records is None or len(known) < len(scores):
            return None
        draws = Draws.of_run(records.member, self.experiment.seed)
        return {name: figures[metric] for name, figures in resample(known, draws).items()}

    def chance(self, target: Target) -> dict[str, Any] | None:
        """How good the best attack on a target would look by chance, see :func:`read_chance`."""
        return self.read(evaluation_name(target), read_chance)

    def contrast(self, before: Target, after: Target) -> list[dict[str, Any]] | None:
        """The paired differences from one target to another, see :func:`read_contrast`."""
        return self.read(contrast_name(before, after), read_contrast)

    def checks(self) -> list[dict[str, Any]] | None:
        """One dictionary per hygiene check: "check", "label", "passed" (or None) and "detail"."""
        return self.read(CHECKS, read_checks)

    def leaderboard(self) -> pd.DataFrame:
        """All finished evaluations, one row per attack, model and adversary; may be empty."""
        rows = [
            {"attack": row["attack"], **target._asdict(), **row}
            for target in self.targets
            for row in self.evaluation(target) or ()
        ]
        return frame(rows)

    def pending(self) -> tuple[Step, ...]:
        """Steps whose artifact the store does not hold yet."""
        return tuple(step for step in self.plan.steps if not self.store.has(step.key))
