"""A tiny run of every kind of model and attack, and its artifacts, for the tests of steps."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.special import softmax

from prunepriv.experiment import Experiment, make_experiment
from prunepriv.models import build
from prunepriv.options import ModelKind
from prunepriv.pipeline.steps import run_group
from prunepriv.plan import (
    Plan,
    models_name,
    plan,
    reference_step,
    signals_name,
    source_of,
    split_name,
    targets,
)
from prunepriv.progress import silent
from prunepriv.store.artifacts import Artifact, ArtifactStore

SHADOWS, CLASSES, FEATURES = 2, 30, 446
MODELS = SHADOWS + 1
USES = ("test", "train", "validation")
KINDS: tuple[ModelKind, ...] = ("original", "control", "pruned", "defended")
ATTACKS = ("corr", "conf", "nn", "samia", "lira", "rmia", "base")
REFERENCE = ("lira", "rmia", "base")


class Run:
    """A finished run and its artifacts by the name of their step."""

    def __init__(self, root: Path, experiment: Experiment) -> None:
        self.store = ArtifactStore(root)
        self.plan: Plan = plan(experiment)
        self.references = {
            step.name: step
            for target in targets(experiment)
            for step in (
                reference_step(self.plan, source_of(experiment, target), n + 1)
                for n in range(experiment.shadows)
            )
        }
        for step in (*self.plan.steps, *self.references.values()):
            run_group([step], self.store, root / "data", [silent])

    def __getitem__(self, name: str) -> Artifact:
        step = self.references.get(name) or self.plan.by_name[name]
        return self.store.open(step.key)

    def models(self, source: str, file: str = "model") -> dict[str, np.ndarray]:
        """(M, ...) arrays of the target and its shadows."""
        return stacked([self[models_name(source, n)].tensors(file) for n in range(MODELS)])

    def reports(self, source: str) -> list[dict[str, Any]]:
        """The training report of each model."""
        return [self[models_name(source, n)].json("report") for n in range(MODELS)]

    def signals(self, source: str) -> dict[str, np.ndarray]:
        """(M, ...) arrays of the signals of the target and its shadows."""
        return stacked([self[signals_name(source, n)].tensors("signals") for n in range(MODELS)])

    def splits(self) -> dict[str, np.ndarray]:
        """(M, ...) records of each model."""
        return stacked([self[split_name(n)].tensors("split") for n in range(MODELS)])

    @property
    def own(self) -> tuple[np.ndarray, int]:
        """(M, n) records that each model is scored on, and how many of them are members."""
        parts = self.splits()
        return np.hstack([parts["train"], parts["test"]]), parts["train"].shape[1]


def stacked(tables: list[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    return {name: np.stack([table[name] for table in tables]) for name in tables[0]}


def tiny() -> Experiment:
    return make_experiment(
        {
            "data": {"name": "checkins", "limit": 200},
            "training": {"epochs": 2},
            "pruning": {"sparsity": 0.7},
            "defense": {"name": "ppb", "strength": 8.0},
            "attacks": {"names": ATTACKS},
            "models": "all",
            "shadows": SHADOWS,
        }
    )


def answers(state: dict[str, np.ndarray], model: int, x: np.ndarray) -> np.ndarray:
    """Logits of one stored model, alone."""
    network = build("fc", 1, (FEATURES,), CLASSES).eval()
    network.load(
        {name: torch.from_numpy(value[model : model + 1]) for name, value in state.items()}
    )
    with torch.inference_mode():
        logits: np.ndarray = network(network.inputs(torch.from_numpy(x)[None]))[0].numpy()
    return logits


def phi_of(logits: np.ndarray, label: np.ndarray) -> np.ndarray:
    p = softmax(logits.astype(float), axis=1)[np.arange(len(label)), label]
    return np.asarray(np.log(p) - np.log1p(-p))
