"""A finished run as a small folder to distribute: what the pages read, and how it was made."""

from __future__ import annotations

import datetime
import json
import platform
import shutil
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from prunepriv.environment import cores
from prunepriv.errors import MissingArtifactError
from prunepriv.plan import StepKind
from prunepriv.store.artifacts import META, Artifact
from prunepriv.store.result import Result
from prunepriv.store.schema import StepView

KEPT: Mapping[StepKind, tuple[str, ...]] = {
    "data": ("about.json",),
    "train": ("report.json",),
    "fine_tune": ("report.json",),
    "signals": ("signals.safetensors", "report.json"),
    "divergence": ("gaps.json",),
    "size": ("size.json",),
    "score": ("score.safetensors", "thresholds.json"),
    "evaluation": ("evaluation.json", "choice.json", "chance.json"),
    "contrast": ("contrast.json",),
    "privacy": ("privacy.json",),
    "checks": ("checks.json",),
}
"""The files of each kind of step that the pages read; of models, only the target's."""

LIBRARIES = ("torch", "numpy", "scipy", "scikit-learn")


def write_bundle(
    result: Result, steps: Sequence[StepView], folder: Path, about: Mapping[str, Any]
) -> None:
    """Replace ``folder`` with a small copy of a finished run: ``run.json`` and ``artifacts/``.

    Args:
        result: the run.
        steps: its steps, for the seconds each took.
        folder: afterwards an ArtifactStore can read it.
        about: further fields of ``run.json``; name, label and command for example.

    Raises:
        MissingArtifactError: a step has not finished.
    """
    shutil.rmtree(folder, ignore_errors=True)
    for step in result.plan.steps:
        artifact = result.artifact(step.name)
        if artifact is None:
            raise MissingArtifactError(f"step {step.name} of run {result.run_id} is not finished")
        if step.kind in KEPT and not step.parts.of_shadow:
            _copy(artifact, folder / "artifacts" / step.key[:2] / step.key, KEPT[step.kind])
    seconds = [{"step": s.name, "key": s.key, "kind": s.kind, "seconds": s.seconds} for s in steps]
    record = {
        "run": result.run_id,
        **about,
        "experiment": result.experiment.model_dump(mode="json"),
        **_provenance(),
        "steps": seconds,
    }
    (folder / "run.json").write_text(json.dumps(record, indent=1) + "\n")


def _copy(artifact: Artifact, target: Path, names: tuple[str, ...]) -> None:
    target.mkdir(parents=True)
    for name in names:
        shutil.copyfile(artifact.path / name, target / name)
    files = {name: artifact.meta["files"][name] for name in names}
    meta = {**artifact.meta, "files": files, "partial": True}
    (target / META).write_text(json.dumps(meta, indent=1) + "\n")


def _provenance() -> dict[str, Any]:
    """Date, machine and versions of the libraries."""
    return {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "machine": {"cores": cores(), "cpu": _cpu()},
        "versions": {
            "python": platform.python_version(),
            **{library: version(library) for library in LIBRARIES},
        },
    }


def _cpu() -> str:
    """The processor's name, as Linux reports it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
