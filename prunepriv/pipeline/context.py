"""A step in hand, as the functions that do steps see it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import torch

from prunepriv.plan import Step
from prunepriv.progress import Report
from prunepriv.store.artifacts import Artifact, ArtifactStore, Draft


class StepContext:
    """A step in hand: its parameters, its inputs' artifacts and the draft it writes."""

    def __init__(self, step: Step, store: ArtifactStore, folder: Path, report: Report) -> None:
        self.params = step.params
        self.inputs: Mapping[str, Artifact] = {
            role: store.open(key) for role, key in step.inputs.items()
        }
        self.store = store
        self.data_folder = folder
        self.report = report
        self._read: dict[tuple[str, str], dict[str, np.ndarray]] = {}

    def arrays(self, role: str, name: str) -> dict[str, np.ndarray]:
        """Arrays of an input, read once per step."""
        if (role, name) not in self._read:
            self._read[role, name] = self.inputs[role].tensors(name)
        return self._read[role, name]

    def tensors(self, role: str, name: str) -> dict[str, torch.Tensor]:
        """The same arrays for torch, which share their memory."""
        return {key: torch.from_numpy(array) for key, array in self.arrays(role, name).items()}


Writer = Callable[[Draft], None]
