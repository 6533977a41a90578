"""The graph of steps that an Experiment asks for, and each step's key. Imports no torch.

::

    data -> split -> train -+-> [fine_tune:control, fine_tune:pruned, fine_tune:defended]
                            |        |
                  signals:original  signals:<kind> -> divergence:<kind>
                                     |
                        fit:<attack>:<kind of the shadows>
                                     |
                        score:<attack>:<kind>:<adversary> -> evaluation:<kind>:<adversary>

A step's key is the SHA-256 of its kind, version, parameters and inputs' keys, so that runs which
share a step share its artifact, and nothing stale is ever read.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from prunepriv.experiment import Experiment, canonical_json
from prunepriv.options import ATTACKS, Adversary, ModelKind

StepKind = Literal[
    "data", "split", "train", "fine_tune", "signals", "reference", "divergence", "fit", "score",
    "evaluation",
]  # fmt: skip

VERSIONS: Mapping[StepKind, int] = {
    "data": 1,
    "split": 1,
    "train": 1,
    "fine_tune": 1,
    "signals": 1,
    "reference": 1,
    "divergence": 1,
    "fit": 1,
    "score": 1,
    "evaluation": 1,
}
"""Raised by one whenever a step's code changes what it writes."""


@dataclass(frozen=True)
class Step:
    """One piece of work, known by its key.

    Attributes:
        name: unique within a run, "fit:samia:pruned" for example.
        kind: what to do.
        params: everything its output depends on beside the inputs; plain JSON values.
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


@dataclass(frozen=True)
class Plan:
    """The steps of a run, each after those it reads."""

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


def targets(experiment: Experiment) -> tuple[tuple[ModelKind, Adversary], ...]:
    """Which model is attacked by whom.

    An undefended model's shadows are made as the target was: its adversary is adaptive. A defended
    one is also attacked by the non-adaptive adversary, whose shadows were fine-tuned without it.
    """
    pairs: list[tuple[ModelKind, Adversary]] = [(kind, "adaptive") for kind in experiment.models]
    if "defended" in experiment.models:
        pairs.append(("defended", "non_adaptive"))
    return tuple(pairs)


def shadows_of(kind: ModelKind, adversary: Adversary) -> ModelKind:
    """Which kind of shadow models that adversary learns from."""
    return "pruned" if (kind, adversary) == ("defended", "non_adaptive") else kind


def plan(experiment: Experiment) -> Plan:
    """The steps of an experiment in an order that can be worked through."""
    base = _base(experiment)
    pairs = targets(experiment)
    wanted = {kind for kind, _ in pairs} | {shadows_of(*pair) for pair in pairs}
    steps = list(base.values())
    signals: dict[ModelKind, Step] = {}
    for kind in (k for k in ("original", "control", "pruned", "defended") if k in wanted):
        if kind == "original":
            models = base["train"]
        else:
            models = _fine_tune(experiment, kind, base)
            steps.append(models)
        signals[kind] = Step(
            f"signals:{kind}",
            "signals",
            {"seed": experiment.seed},
            {"models": models.key, "split": base["split"].key, "data": base["data"].key},
        )
        steps.append(signals[kind])
        steps.append(Step(f"divergence:{kind}", "divergence", {}, {"signals": signals[kind].key}))
    steps.extend(_attack_steps(experiment, signals))
    return Plan(experiment, tuple(steps))


def reference_step(whole: Plan, kind: ModelKind) -> Step:
    """Every shadow scores the target's records: no part of a run, made when it is exported."""
    signals = whole.by_name[f"signals:{kind}"]
    return Step(f"reference:{kind}", "reference", signals.params, signals.inputs)


def _base(experiment: Experiment) -> dict[str, Step]:
    data = Step("data", "data", {"name": experiment.data.name, "knobs": experiment.data.knobs})
    split = Step(
        "split",
        "split",
        {"limit": experiment.data.limit, "shadows": experiment.shadows, "seed": experiment.seed},
        {"data": data.key},
    )
    training = experiment.training.model_dump(mode="json", exclude={"fine_tune_epochs"})
    train = Step(
        "train",
        "train",
        {
            "model": experiment.model.model_dump(mode="json"),
            "training": training,
            "slimming_penalty": experiment.pruning.slimming_penalty,
            "seed": experiment.seed,
        },
        {"data": data.key, "split": split.key},
    )
    return {"data": data, "split": split, "train": train}


def _fine_tune(experiment: Experiment, kind: ModelKind, base: Mapping[str, Step]) -> Step:
    """The control is "pruned" to nothing; the defended model differs by its defence only."""
    pruning = experiment.pruning.model_dump(mode="json", include={"approach", "sparsity"})
    undefended = {"name": "none", "strength": 0.0}
    defense = experiment.defense.model_dump(mode="json") if kind == "defended" else undefended
    return Step(
        f"fine_tune:{kind}",
        "fine_tune",
        {
            "model": experiment.model.model_dump(mode="json"),
            "training": experiment.training.model_dump(
                mode="json", exclude={"epochs", "stop_at_member_accuracy"}
            ),
            "pruning": None if kind == "control" else pruning,
            "defense": defense,
            "seed": experiment.seed,
        },
        {"data": base["data"].key, "split": base["split"].key, "models": base["train"].key},
    )


def _attack_steps(experiment: Experiment, signals: Mapping[ModelKind, Step]) -> Iterator[Step]:
    """Fits, longest first so that workers end together; then scores and evaluations."""
    pairs = targets(experiment)
    fits: dict[tuple[str, ModelKind], Step] = {}
    for attack in sorted(experiment.attacks.names, key=_cost, reverse=True):
        for shadows in dict.fromkeys(shadows_of(*pair) for pair in pairs):
            params: dict[str, Any] = {"attack": attack}
            if ATTACKS[attack].kind == "network":
                params |= {"recipe": experiment.attacks.recipe, "seed": experiment.seed}
            fits[attack, shadows] = Step(
                f"fit:{attack}:{shadows}", "fit", params, {"signals": signals[shadows].key}
            )
            yield fits[attack, shadows]
    for kind, adversary in pairs:
        scores: dict[str, str] = {}
        for attack in experiment.attacks.names:
            score = Step(
                f"score:{attack}:{kind}:{adversary}",
                "score",
                {"attack": attack},
                {
                    "fit": fits[attack, shadows_of(kind, adversary)].key,
                    "signals": signals[kind].key,
                },
            )
            scores[attack] = score.key
            yield score
        yield Step(
            f"evaluation:{kind}:{adversary}",
            "evaluation",
            {"seed": experiment.seed},
            {"signals": signals[kind].key, **{f"score:{a}": key for a, key in scores.items()}},
        )


def _cost(attack: str) -> int:
    """Rough rank of an attack's training cost."""
    return {"samia": 2}.get(attack, 1 if ATTACKS[attack].kind == "network" else 0)
