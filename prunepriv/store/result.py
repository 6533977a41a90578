"""Typed reading of a run's artifacts: numpy and pandas only, complete or still running.

Every method returns None where the step it reads has not finished yet, so a page shows what is
there. The arrays keep the order of the target's records; ``record`` is the data set's own index.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import softmax

from prunepriv.errors import MissingArtifactError
from prunepriv.experiment import Experiment
from prunepriv.options import ModelKind
from prunepriv.plan import (
    CHECKS,
    Plan,
    Step,
    Target,
    divergence_name,
    evaluation_name,
    models_name,
    plan,
    score_name,
    signals_name,
    targets,
)
from prunepriv.store.artifacts import Artifact, ArtifactStore


@dataclass(frozen=True)
class TargetSignals:
    """What the target model of one kind says of its members and non-members.

    Attributes:
        record: (n,) the data set's own index of each record.
        member: (n,) bool.
        label: (n,) true class.
        logits: (n, classes) float32.
        sensitivity: (n, classes) float32, 0 or more: assets/method.md#prediction-sensitivity.
    """

    record: np.ndarray
    member: np.ndarray
    label: np.ndarray
    logits: np.ndarray
    sensitivity: np.ndarray

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> TargetSignals:
        """From ``target.safetensors`` of a signals artifact."""
        return cls(
            record=arrays["record"],
            member=arrays["member"].astype(bool),
            label=arrays["label"],
            logits=arrays["logits"],
            sensitivity=arrays["sensitivity"],
        )

    @cached_property
    def posteriors(self) -> np.ndarray:
        """(n, classes) float64 in [0, 1], rows sum to 1."""
        return np.asarray(softmax(self.logits.astype(np.float64), axis=1))

    @cached_property
    def confidence(self) -> np.ndarray:
        """(n,) posterior of the true label."""
        return np.asarray(self.posteriors[np.arange(len(self.label)), self.label])

    @cached_property
    def label_sensitivity(self) -> np.ndarray:
        """(n,) prediction sensitivity of the true label."""
        return np.asarray(self.sensitivity[np.arange(len(self.label)), self.label])

    @cached_property
    def correct(self) -> np.ndarray:
        """(n,) whether the model classifies the record correctly."""
        return np.asarray(self.logits.argmax(axis=1) == self.label)


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


class Result:
    """A run's figures, read from its artifacts.

    Args:
        store: where the artifacts lie.
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
        """Which models the run attacks, and by whom."""
        return targets(self.experiment)

    def artifact(self, name: str) -> Artifact | None:
        """The artifact of the step of that name, if it is finished."""
        step = self.plan.by_name.get(name)
        return None if step is None else self.artifact_of(step)

    def artifact_of(self, step: Step) -> Artifact | None:
        """A step's artifact, if it is finished; also of a step that is no part of the run."""
        try:
            return self.store.open(step.key)
        except MissingArtifactError:
            return None

    @property
    def complete(self) -> bool:
        """Whether every evaluation is there."""
        return all(self.evaluation(target) is not None for target in self.targets)

    def signals(self, kind: ModelKind) -> TargetSignals | None:
        """What the target of that kind says of its records."""
        artifact = self.artifact(signals_name(kind))
        if artifact is None:
            return None
        return TargetSignals.from_arrays(artifact.tensors("target"))

    def model_report(self, kind: ModelKind) -> dict[str, Any] | None:
        """{"member_accuracy", "non_member_accuracy", "sparsity", "layers": {name: sparsity}, ...}."""
        artifact = self.artifact(signals_name(kind))
        return None if artifact is None else dict(artifact.json("report"))

    def training_report(self, kind: ModelKind) -> dict[str, Any] | None:
        """{"history": [[point, ...] per model], "best_epoch": [...], ...}; model 0 is the target."""
        artifact = self.artifact(models_name(kind))
        return None if artifact is None else dict(artifact.json("report"))

    def gaps(self, kind: ModelKind) -> pd.DataFrame | None:
        """One row per class, and one of class None over all: gaps and distances, see divergence.py."""
        artifact = self.artifact(divergence_name(kind))
        return None if artifact is None else pd.DataFrame(artifact.json("gaps"))

    def scores(self, attack: str, target: Target) -> AttackScores | None:
        """Scores of one attack on one model."""
        artifact = self.artifact(score_name(attack, target))
        if artifact is None:
            return None
        arrays = artifact.tensors("score")
        thresholds = tuple(artifact.json("thresholds"))
        return AttackScores(arrays["score"], arrays["decision"].astype(bool), thresholds)

    def evaluation(self, target: Target) -> list[dict[str, Any]] | None:
        """One dictionary per attack, see evaluation.py."""
        artifact = self.artifact(evaluation_name(target))
        return None if artifact is None else list(artifact.json("evaluation"))

    def checks(self) -> list[dict[str, Any]] | None:
        """One dictionary per hygiene check: "check", "label", "passed" (or None) and "detail"."""
        artifact = self.artifact(CHECKS)
        return None if artifact is None else list(artifact.json("checks"))

    def leaderboard(self) -> pd.DataFrame:
        """All finished evaluations, one row per attack, model and adversary."""
        rows = [
            {"attack": row["attack"], **target._asdict(), **row}
            for target in self.targets
            for row in self.evaluation(target) or ()
        ]
        return pd.DataFrame(rows)

    def pending(self) -> tuple[Step, ...]:
        """Steps whose artifact is not there yet."""
        return tuple(step for step in self.plan.steps if not self.store.has(step.key))
