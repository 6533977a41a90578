"""The context of a running step, for the functions that do steps."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import torch

from prunepriv.datasets.splits import Split
from prunepriv.plan import DATA, Step, shadow_of_role
from prunepriv.progress import Report, silent
from prunepriv.store.artifacts import Artifact, ArtifactStore, Draft


class StepContext:
    """A running step: its parameters, the artifacts of its inputs and the store."""

    def __init__(
        self, step: Step, store: ArtifactStore, folder: Path, report: Report = silent
    ) -> None:
        self.step = step
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

    def of_shadows(self, what: str, name: str) -> list[dict[str, np.ndarray]]:
        """Arrays of the inputs whose role is `what` and a number, in the order of the numbers."""
        numbers = {role: shadow_of_role(role, what) for role in self.inputs}
        roles = [role for role, number in numbers.items() if number is not None]
        return [self.arrays(role, name) for role in sorted(roles, key=lambda r: numbers[r] or 0)]

    @property
    def records(self) -> tuple[torch.Tensor, torch.Tensor]:
        """The data set: (n, ...) records and (n,) labels."""
        data = self.tensors(DATA, "data")
        return data["x"], data["y"]

    @property
    def classes(self) -> int:
        """Classes of the data set."""
        return int(self.inputs[DATA].json("about")["classes"])

    @property
    def split(self) -> Split:
        """The records of the model that the step reads as its split."""
        return Split.from_arrays(self.arrays("split", "split"))


Writer = Callable[[Draft], None]
