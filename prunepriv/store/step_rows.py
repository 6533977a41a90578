"""The steps of an experiment at the beginning of a run: done where the store has the artifact."""

from __future__ import annotations

from typing import Any

from prunepriv.errors import MissingArtifactError
from prunepriv.experiment import Experiment
from prunepriv.plan import plan
from prunepriv.store.artifacts import ArtifactStore


def step_rows(store: ArtifactStore, experiment: Experiment) -> list[dict[str, Any]]:
    """Rows of the table ``run_steps`` without the run id; steps in the store are done and cached."""
    return [
        _row(ordinal, step.key, step.name, step.kind, stored_seconds(store, step.key))
        for ordinal, step in enumerate(plan(experiment).steps)
    ]


def _row(ordinal: int, key: str, name: str, kind: str, seconds: float | None) -> dict[str, Any]:
    cached = seconds is not None
    return {
        "key": key,
        "ordinal": ordinal,
        "name": name,
        "kind": kind,
        "status": "done" if cached else "waiting",
        "fraction": 1.0 if cached else 0.0,
        "message": "",
        "curve": "[]",
        "started": None,
        "seconds": seconds,
        "cached": cached,
        "pid": None,
    }


def stored_seconds(store: ArtifactStore, key: str) -> float | None:
    """Seconds that the artifact's step took; None if the store has no complete artifact."""
    try:
        return float(store.open(key).meta.get("seconds", 0.0))
    except MissingArtifactError:
        return None
