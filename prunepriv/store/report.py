"""A run's figures as one JSON value (assets/reference.md). Fractions are from 0 to 1."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from prunepriv.errors import MissingArtifactError
from prunepriv.options import ModelKind
from prunepriv.plan import CHECKS, divergence_name, evaluation_name, models_name, signals_name
from prunepriv.store.result import Result
from prunepriv.store.schema import StepView
from prunepriv.version import __version__

MODEL_FIELDS = ("member_accuracy", "non_member_accuracy", "sparsity")


def report_json(result: Result, steps: Sequence[StepView]) -> dict[str, Any]:
    """The figures of a finished run; equal for equal experiments, except ``cached``.

    Args:
        result: where the figures are read from.
        steps: the run's steps, for the seconds each took and whether it was cached.

    Raises:
        MissingArtifactError: a step has not finished, or its artifact was damaged.
    """
    kinds = result.experiment.models
    return {
        "prunepriv": __version__,
        "run": result.run_id,
        "experiment": result.experiment.model_dump(mode="json"),
        "models": [
            {
                "model": kind,
                **{name: _json(result, signals_name(kind), "report")[name] for name in MODEL_FIELDS},
                **_made(result, kind),
            }
            for kind in kinds
        ],
        "gaps": [
            {"model": kind, **row}
            for kind in kinds
            for row in _json(result, divergence_name(kind), "gaps")
        ],
        "attacks": [
            {"attack": row["attack"], **target._asdict(), **row}
            for target in result.targets
            for row in _json(result, evaluation_name(target), "evaluation")
        ],
        "checks": _json(result, CHECKS, "checks"),
        "steps": [
            {"step": step.name, "key": step.key, "seconds": step.seconds, "cached": step.cached}
            for step in steps
        ],
    }  # fmt: skip


def _made(result: Result, kind: ModelKind) -> dict[str, Any]:
    """A model's size, and the privacy guarantee of its fine-tuning if it has one."""
    report = _json(result, models_name(kind), "report")
    architecture = report["architecture"]
    return {
        "parameters": architecture["parameters"],
        "multiplications": architecture.get("multiplications"),
        "privacy": report.get("privacy"),
    }


def _json(result: Result, step: str, name: str) -> Any:
    artifact = result.artifact(step)
    if artifact is None:
        raise MissingArtifactError(
            f"step {step} of run {result.run_id} is not finished: run it again; finished steps are kept"
        )
    return artifact.json(name)
