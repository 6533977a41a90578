"""An experiment: everything that a run depends on. Every Experiment object can be run."""

from __future__ import annotations

import hashlib
import json
from typing import Annotated, Any, Self

from pydantic import Field, ValidationError, model_validator

from prunepriv.errors import ExperimentError
from prunepriv.experiment import rules
from prunepriv.experiment.added_later import identity
from prunepriv.experiment.defaults import filled
from prunepriv.experiment.parts import (
    Attacks,
    Data,
    Defense,
    Knowledge,
    Model,
    Part,
    Pruning,
    Signals,
    Training,
)
from prunepriv.experiment.sentences import describe_mistakes
from prunepriv.options import ModelKind


def canonical_json(value: Any) -> str:
    """JSON text that is the same for equal values: sorted keys, no spaces, no NaN."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


class Experiment(Part):
    """Everything that a run depends on; equal experiments give equal figures.

    Raises (from :func:`make_experiment`):
        ExperimentError: a choice that cannot be run, in one sentence.
    """

    data: Data = Field(default_factory=Data)
    model: Model = Field(default_factory=Model)
    training: Training = Field(default_factory=Training)
    pruning: Pruning = Field(default_factory=Pruning)
    defense: Defense = Field(default_factory=Defense)
    knowledge: Knowledge = Field(default_factory=Knowledge)
    signals: Signals = Field(default_factory=Signals)
    attacks: Attacks = Field(default_factory=Attacks)
    models: tuple[ModelKind, ...] = Field(
        ("original", "control", "pruned"), min_length=1, description="Which models are attacked."
    )
    shadows: Annotated[
        int,
        Field(
            ge=1,
            le=256,
            description="How many models the adversary trains; more models give more stable attacks and "
            "take longer.",
        ),
    ] = 5
    seed: Annotated[
        int,
        Field(
            ge=0,
            lt=2**31,
            description="Seed of all random numbers: the same seed gives the same figures.",
        ),
    ] = 7

    @model_validator(mode="before")
    @classmethod
    def _fill_defaults(cls, given: Any) -> Any:
        return filled(given) if isinstance(given, dict) else given

    @model_validator(mode="after")
    def _check(self) -> Self:
        rules.check(self)
        return self

    @property
    def assumed(self) -> Experiment | None:
        """The experiment whose shadows the adversary trains; None if it knows the pruning."""
        known = self.knowledge
        if known.whole:
            return None
        given = self.model_dump(mode="json")
        pruning = {name: value for name, value in known.model_dump().items() if value is not None}
        if known.approach is not None:
            del given["pruning"]["slimming_penalty"]
        given["pruning"] |= pruning
        given["knowledge"] = {}
        return make_experiment(given)

    @property
    def key(self) -> str:
        """SHA-256 of the canonical JSON of its :func:`identity`, in hex."""
        return hashlib.sha256(canonical_json(identity(self)).encode()).hexdigest()

    @property
    def run_id(self) -> str:
        """Readable, unique, made of [0-9a-z_-] only: equal experiments have the same id."""
        percent = f"{self.pruning.sparsity * 100:g}".replace(".", "_")
        return f"{self.data.name}-{self.model.name}-{percent}-{self.key[:12]}"


def make_experiment(given: dict[str, Any]) -> Experiment:
    """An Experiment from plain values, with every mistake reported in one sentence.

    Raises:
        ExperimentError: unknown names, values out of range, impossible combinations.
    """
    try:
        return Experiment.model_validate(given)
    except ValidationError as error:
        raise ExperimentError(describe_mistakes(error, "experiment")) from None
