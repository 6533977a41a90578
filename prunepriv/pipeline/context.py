"""The context of a running step, for the functions that do steps."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import torch

from prunepriv.plan import Step
from prunepriv.progress import Report
from prunepriv.store.artifacts import Artifact, ArtifactStore, Draft


class StepContext:
    """A running step: its parameters, the artifacts of its inputs and the store."""

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
        """The same arrays as tensors, which share their memory."""
        return {key: torch.from_numpy(array) for key, array in self.arrays(role, name).items()}


Writer = Callable[[Draft], None]
