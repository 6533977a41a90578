"""A step, its key, and the plan of a run."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from prunepriv.experiment import Experiment, canonical_json
from prunepriv.plan.names import DATA, StepKind, StepName, read_name

VERSIONS: Mapping[StepKind, int] = {
    "data": 1,
    "split": 2,
    "train": 2,
    "fine_tune": 2,
    "signals": 2,
    "population": 1,
    "confidences": 2,
    "reference": 2,
    "divergence": 2,
    "size": 1,
    "fit": 5,
    "score": 2,
    "evaluation": 3,
    "contrast": 1,
    "privacy": 1,
    "checks": 3,
}
"""Increased by one whenever a step's code changes what it writes."""


@dataclass(frozen=True)
class Step:
    """One piece of work, identified by its key.

    Attributes:
        name: unique within a run, "fit:samia:pruned" for example.
        kind: what to do.
        params: everything that its output depends on besides the inputs; plain JSON values.
        inputs: role -> key of the step it reads.
    """

    name: str
    kind: StepKind
    params: Mapping[str, Any]
    inputs: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def key(self) -> str:
        """SHA-256 in hex: the step's name in the store."""
        identity = {
            "kind": self.kind,
            "version": VERSIONS[self.kind],
            "params": self.params,
            "inputs": self.inputs,
        }
        return hashlib.sha256(canonical_json(identity).encode()).hexdigest()

    @cached_property
    def parts(self) -> StepName:
        """The parts of its name."""
        return read_name(self.name)

    @property
    def number(self) -> int | None:
        """The number of the model that it is about; None if it is about none."""
        return self.parts.number

    @cached_property
    def family(self) -> str | None:
        """Equal for steps that one worker may do together: of shadows that differ by number only.

        None for a step that is done alone. The target's always are, because pages wait for them.
        """
        if not self.parts.of_shadow:
            return None
        alike = {name: value for name, value in self.params.items() if name != "number"}
        return f"{self.parts.group} {self.inputs[DATA]} {canonical_json(alike)}"


@dataclass(frozen=True)
class Plan:
    """The steps of a run, each after the steps that it reads."""

    experiment: Experiment
    steps: tuple[Step, ...]

    @cached_property
    def by_name(self) -> dict[str, Step]:
        return {step.name: step for step in self.steps}

    def key(self, name: str) -> str:
        """Key of the step of that name."""
        return self.by_name[name].key

    @cached_property
    def by_key(self) -> dict[str, Step]:
        return {step.key: step for step in self.steps}
