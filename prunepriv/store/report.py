"""A run's figures as one JSON value (assets/reference.md). Fractions are from 0 to 1."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from prunepriv.errors import MissingArtifactError
from prunepriv.options import ModelKind
from prunepriv.plan import (
    CHECKS,
    Target,
    contrast_name,
    contrasts,
    divergence_name,
    evaluation_name,
    models_name,
    privacy_name,
    signals_name,
)
from prunepriv.store.result import Result
from prunepriv.store.schema import StepView
from prunepriv.version import __version__

MODEL_FIELDS = ("member_accuracy", "non_member_accuracy", "sparsity")
SIZE_FIELDS = ("removed_channels", "emitting_channels", "parameters_left", "multiplications_left")
"""What pruning removed and left, see pruning/remaining.py."""


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
        "models": [model_row(result, kind) for kind in kinds],
        "gaps": [row for kind in kinds for row in gap_rows(result, kind)],
        "attacks": [row for target in result.targets for row in attack_rows(result, target)],
        "fits": fit_rows(result),
        "headline": [headline_row(result, target) for target in result.targets],
        "chance": [chance_row(result, target) for target in result.targets],
        "contrasts": [
            row for pair in contrasts(result.experiment) for row in contrast_rows(result, *pair)
        ],
        "checks": check_rows(result),
        "steps": [
            {"step": step.name, "key": step.key, "seconds": step.seconds, "cached": step.cached}
            for step in steps
        ],
    }


def model_row(result: Result, kind: ModelKind) -> dict[str, Any]:
    """Accuracies, sparsity and size of the target of one kind.

    What pruning left is None in a run of a version that did not count it.

    Raises:
        MissingArtifactError: it has not been measured, or its artifact was damaged; the other
            functions that give rows raise it likewise.
    """
    report = _json(result, signals_name(kind), "report")
    size = result.size(kind) or {}
    return {
        "model": kind,
        **{name: report[name] for name in MODEL_FIELDS},
        **{name: size.get(name) for name in SIZE_FIELDS},
        **_made(result, kind),
    }


def gap_rows(result: Result, kind: ModelKind) -> list[dict[str, Any]]:
    """How differently a model treats members and non-members: over all records, then by class."""
    return [{"model": kind, **row} for row in _json(result, divergence_name(kind), "gaps")]


def attack_rows(result: Result, target: Target) -> list[dict[str, Any]]:
    """How well each attack does on one model."""
    rows = _json(result, evaluation_name(target), "evaluation")
    return [{"attack": row["attack"], **target._asdict(), **row} for row in rows]


def fit_rows(result: Result) -> list[dict[str, Any]]:
    """On how many shadow records each attack network is fitted, and how many it might have used."""
    fits = map(result.fit_of, result.experiment.attacks.names)
    return [fit for fit in fits if fit is not None]


def headline_row(result: Result, target: Target) -> dict[str, Any]:
    """The attack that the target's adversary would choose before it sees the target's records."""
    return {**target._asdict(), **_json(result, evaluation_name(target), "choice")}


def chance_row(result: Result, target: Target) -> dict[str, Any]:
    """How good the best of the attacks would look if membership were permuted."""
    return {**target._asdict(), **_json(result, evaluation_name(target), "chance")}


def contrast_rows(result: Result, before: Target, after: Target) -> list[dict[str, Any]]:
    """What changes from one target to another, paired on the same records."""
    sides = {"from": before._asdict(), "to": after._asdict()}
    rows = _json(result, contrast_name(before, after), "contrast")
    return [{"attack": row["attack"], "metric": row["metric"], **sides, **row} for row in rows]


def check_rows(result: Result) -> list[dict[str, Any]]:
    """What was checked of the run."""
    return list(_json(result, CHECKS, "checks"))


def flat_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row's cells, one for each nested value: accuracy_ci95_low, tpr_at_fpr_0.01."""
    return dict(_cells(row))


def _cells(row: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in row.items():
        if isinstance(value, Mapping):
            yield from _cells(value, f"{prefix}{name}_")
        elif isinstance(value, Sequence) and not isinstance(value, str):
            yield from zip((f"{prefix}{name}_low", f"{prefix}{name}_high"), value, strict=True)
        elif value is None and name.endswith("95"):  # an interval that cannot be given
            yield from ((f"{prefix}{name}_{end}", None) for end in ("low", "high"))
        else:
            yield f"{prefix}{name}", value


def _made(result: Result, kind: ModelKind) -> dict[str, Any]:
    """A model's size and training, and the privacy guarantee of its fine-tuning if it has one."""
    report = _json(result, models_name(kind), "report")
    architecture = report["architecture"]
    guarantee, steps = privacy_name(kind), result.plan.by_name
    return {
        "parameters": architecture["parameters"],
        "multiplications": architecture.get("multiplications"),
        "trained_epochs": len(report["history"]),
        "kept_epochs": report["best_epoch"],
        "privacy": _json(result, guarantee, "privacy") if guarantee in steps else None,
    }


def _json(result: Result, step: str, name: str) -> Any:
    artifact = result.artifact(step)
    if artifact is None:
        raise MissingArtifactError(
            f"step {step} of run {result.run_id} is not finished: run it again; finished steps are kept"
        )
    return artifact.json(name)
