"""The graph of steps that an Experiment asks for, and each step's key. Imports no torch.

::

    data -> split -> train -+-> [fine_tune:control, fine_tune:pruned, fine_tune:defended]
                            |        |
                  signals:original  signals:<kind> -> divergence:<kind>
                                     |    (reference attacks read confidences:<kind> as well)
                        fit:<attack>:<shadows>
                                     |
                        score:<attack>:<kind>:<adversary> -> evaluation:<kind>:<adversary>
                                     |
                                   checks

``<shadows>`` is the kind of the shadow models, behind "assumed:" where the adversary takes the
target's pruning for another: then train, fine_tune, signals and confidences of that pruning are
there too, ``fine_tune:assumed:pruned`` for example.

A step's key is the SHA-256 of its kind, version, parameters and inputs' keys, so that runs which
share a step share its artifact, and nothing stale is ever read.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal, cast

from prunepriv.experiment import Experiment, canonical_json
from prunepriv.experiment.parts import Data
from prunepriv.options import ATTACKS, MODEL_KINDS, Adversary, ModelKind

StepKind = Literal[
    "data", "split", "train", "fine_tune", "signals", "confidences", "reference", "divergence",
    "fit", "score", "evaluation", "checks",
]  # fmt: skip

VERSIONS: Mapping[StepKind, int] = {
    "data": 1,
    "split": 1,
    "train": 1,
    "fine_tune": 1,
    "signals": 1,
    "confidences": 1,
    "reference": 1,
    "divergence": 1,
    "fit": 1,
    "score": 1,
    "evaluation": 1,
    "checks": 1,
}
"""Raised by one whenever a step's code changes what it writes."""


ASSUMED = "assumed:"
"""Before the kind of shadow models that the adversary prunes otherwise than the target was."""


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


def source_of(experiment: Experiment, kind: ModelKind, adversary: Adversary) -> str:
    """Whose signals that adversary learns from: "pruned", or "assumed:pruned" by other pruning."""
    shadows = shadows_of(kind, adversary)
    assumes = not experiment.knowledge.whole and shadows in ("pruned", "defended")
    return f"{ASSUMED}{shadows}" if assumes else shadows


def plan(experiment: Experiment) -> Plan:
    """The steps of an experiment in an order that can be worked through."""
    steps: dict[str, Step] = {step.name: step for step in _base(experiment).values()}
    pairs = targets(experiment)
    sources = [source_of(experiment, *pair) for pair in pairs]
    wanted = {*(kind for kind, _ in pairs), *(s for s in sources if not s.startswith(ASSUMED))}
    for kind in (k for k in MODEL_KINDS if k in wanted):
        for step in _model_steps(experiment, kind, steps):
            steps[step.name] = step
        steps[f"divergence:{kind}"] = Step(
            f"divergence:{kind}", "divergence", {}, {"signals": steps[f"signals:{kind}"].key}
        )
    for source in dict.fromkeys(s for s in sources if s.startswith(ASSUMED)):
        _add_assumed(experiment, source, steps)
    for step in _attack_steps(experiment, steps):
        steps[step.name] = step
    steps["checks"] = _checks(experiment, steps)
    return Plan(experiment, tuple(steps.values()))


def reference_step(whole: Plan, kind: ModelKind) -> Step:
    """Every shadow scores the target's records: no part of a run, made when it is exported."""
    signals = whole.by_name[f"signals:{kind}"]
    return Step(f"reference:{kind}", "reference", signals.params, signals.inputs)


def data_step(data: Data) -> Step:
    """The records of a data set; one of the user's is known by what it holds."""
    params: dict[str, Any] = {"name": data.name, "knobs": data.knobs}
    if data.own is not None:
        params["digest"] = data.own.digest
    return Step("data", "data", params)


def _base(experiment: Experiment) -> dict[str, Step]:
    data = data_step(experiment.data)
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
    undefended = {"name": "none", "strength": 0.0, "clip": 0.0}
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


def _model_steps(
    experiment: Experiment, kind: ModelKind, base: Mapping[str, Step]
) -> Iterator[Step]:
    """The models of a kind, and what they say of records."""
    models = base["train"]
    if kind != "original":
        models = _fine_tune(experiment, kind, base)
        yield models
    inputs = {"models": models.key, "split": base["split"].key, "data": base["data"].key}
    params: dict[str, Any] = {"seed": experiment.seed}
    if experiment.signals.sensitivity != "sampled":
        params["sensitivity"] = experiment.signals.sensitivity
    yield Step(f"signals:{kind}", "signals", params, inputs)
    if any(ATTACKS[name].kind == "reference" for name in experiment.attacks.names):
        yield Step(f"confidences:{kind}", "confidences", {}, inputs)


def _add_assumed(experiment: Experiment, source: str, steps: dict[str, Step]) -> None:
    """Add the models of the pruning that the adversary assumes, trained anew where that differs."""
    assumed = experiment.assumed
    if assumed is None:
        return
    kind = cast(ModelKind, source.removeprefix(ASSUMED))
    base = _base(assumed)
    if base["train"].key != steps["train"].key:
        steps["train:assumed"] = replace(base["train"], name="train:assumed")
    for step in _model_steps(assumed, kind, base):
        name = step.name.replace(":", f":{ASSUMED}", 1)
        steps[name] = replace(step, name=name)


def _attack_steps(experiment: Experiment, steps: Mapping[str, Step]) -> Iterator[Step]:
    """Fits, longest first so that workers end together; then scores and evaluations."""
    pairs = targets(experiment)
    fits: dict[tuple[str, str], Step] = {}
    for attack in sorted(experiment.attacks.names, key=_cost, reverse=True):
        for source in dict.fromkeys(source_of(experiment, *pair) for pair in pairs):
            params: dict[str, Any] = {"attack": attack}
            role = "signals"
            if ATTACKS[attack].kind == "network":
                params |= {"recipe": experiment.attacks.recipe, "seed": experiment.seed}
            elif ATTACKS[attack].kind == "reference":
                role = "confidences"
            fits[attack, source] = Step(
                f"fit:{attack}:{source}", "fit", params, {role: steps[f"{role}:{source}"].key}
            )
            yield fits[attack, source]
    for kind, adversary in pairs:
        scores: dict[str, str] = {}
        source = source_of(experiment, kind, adversary)
        signals = steps[f"signals:{kind}"].key
        for attack in experiment.attacks.names:
            inputs = {"fit": fits[attack, source].key, "signals": signals}
            if ATTACKS[attack].kind == "reference":
                inputs["target"] = steps[f"confidences:{kind}"].key
                inputs["shadows"] = steps[f"confidences:{source}"].key
            score = Step(f"score:{attack}:{kind}:{adversary}", "score", {"attack": attack}, inputs)
            scores[attack] = score.key
            yield score
        yield Step(
            f"evaluation:{kind}:{adversary}",
            "evaluation",
            {"seed": experiment.seed},
            {"signals": signals, **{f"score:{a}": key for a, key in scores.items()}},
        )


def _checks(experiment: Experiment, steps: Mapping[str, Step]) -> Step:
    """What is checked of a finished run: it reads what the run made, and nothing reads it."""
    read = ("data", "split", "train", "fine_tune", "signals", "fit", "score")
    inputs = {name: step.key for name, step in steps.items() if step.kind in read}
    return Step("checks", "checks", {"attacks": list(experiment.attacks.names)}, inputs)


def _cost(attack: str) -> int:
    """Rough rank of an attack's training cost."""
    return {"samia": 2}.get(attack, 1 if ATTACKS[attack].kind == "network" else 0)
