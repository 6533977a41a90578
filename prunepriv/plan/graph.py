"""The graph of an Experiment's steps, and each step's key. Imports no torch.

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

``<shadows>`` is the kind of the shadow models. It follows "assumed:" if the adversary believes the
target was pruned in another way. Then there are also train, fine_tune, signals and confidences of
that pruning, ``fine_tune:assumed:pruned`` for example.

A step's key is the SHA-256 of its kind, version, parameters and inputs' keys. Runs that share a
step therefore share its artifact, and an outdated artifact is never read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, cast

from prunepriv.experiment import Experiment
from prunepriv.experiment.parts import Data, Defense
from prunepriv.options import ATTACKS, MODEL_KINDS, ModelKind
from prunepriv.plan.names import (
    ASSUMED,
    CHECKS,
    DATA,
    SPLIT,
    TRAIN,
    Target,
    assumed_name,
    confidences_name,
    divergence_name,
    evaluation_name,
    fit_name,
    models_name,
    reference_name,
    score_name,
    score_role,
    signals_name,
)
from prunepriv.plan.step import Plan, Step


def targets(experiment: Experiment) -> tuple[Target, ...]:
    """The models that are attacked, and their adversaries.

    The shadows of an undefended model are made as the target was: its adversary is adaptive. A
    defended model is also attacked by the non-adaptive adversary, whose shadows are fine-tuned
    without the defence.
    """
    attacked = [Target(kind) for kind in experiment.models]
    if "defended" in experiment.models:
        attacked.append(Target("defended", "non_adaptive"))
    return tuple(attacked)


def shadows_of(target: Target) -> ModelKind:
    """The kind of shadow models that the target's adversary learns from."""
    return "pruned" if target == Target("defended", "non_adaptive") else target.model


def source_of(experiment: Experiment, target: Target) -> str:
    """The models that its adversary learns from: "pruned", or "assumed:pruned" of other pruning."""
    shadows = shadows_of(target)
    assumes = not experiment.knowledge.whole and shadows in ("pruned", "defended")
    return f"{ASSUMED}{shadows}" if assumes else shadows


def plan(experiment: Experiment) -> Plan:
    """The steps of an experiment, each after the steps that it reads."""
    steps: dict[str, Step] = {step.name: step for step in _base(experiment).values()}
    attacked = targets(experiment)
    sources = [source_of(experiment, target) for target in attacked]
    wanted = {
        *(target.model for target in attacked),
        *(s for s in sources if not s.startswith(ASSUMED)),
    }
    for kind in (k for k in MODEL_KINDS if k in wanted):
        for step in _model_steps(experiment, kind, steps):
            steps[step.name] = step
        name = divergence_name(kind)
        read = {"signals": steps[signals_name(kind)].key}
        steps[name] = Step(name, "divergence", {}, read)
    for source in dict.fromkeys(s for s in sources if s.startswith(ASSUMED)):
        _add_assumed(experiment, source, steps)
    for step in _attack_steps(experiment, steps):
        steps[step.name] = step
    steps[CHECKS] = _checks(experiment, steps)
    return Plan(experiment, tuple(steps.values()))


def reference_step(whole: Plan, kind: ModelKind) -> Step:
    """Every shadow scores the target's records: not part of a run, done when a run is exported."""
    signals = whole.by_name[signals_name(kind)]
    return Step(reference_name(kind), "reference", signals.params, signals.inputs)


def data_step(data: Data) -> Step:
    """The step of a data set's records; the user's own data set is identified by its content."""
    params: dict[str, Any] = {"name": data.name, "knobs": data.knobs}
    if data.own is not None:
        params["digest"] = data.own.digest
    return Step(DATA, "data", params)


def _base(experiment: Experiment) -> dict[str, Step]:
    data = data_step(experiment.data)
    split = Step(
        SPLIT,
        "split",
        {"limit": experiment.data.limit, "shadows": experiment.shadows, "seed": experiment.seed},
        {"data": data.key},
    )
    training = experiment.training.model_dump(mode="json", exclude={"fine_tune_epochs"})
    train = Step(
        TRAIN,
        "train",
        {
            "model": experiment.model.model_dump(mode="json"),
            "training": training,
            "slimming_penalty": experiment.pruning.slimming_penalty,
            "seed": experiment.seed,
        },
        {"data": data.key, "split": split.key},
    )
    return {DATA: data, SPLIT: split, TRAIN: train}


def _fine_tune(experiment: Experiment, kind: ModelKind, base: Mapping[str, Step]) -> Step:
    """The control is not pruned; the defended model differs only by its defence."""
    pruning = experiment.pruning.model_dump(mode="json", include={"approach", "sparsity"})
    undefended = Defense.off()
    defense = experiment.defense.model_dump(mode="json") if kind == "defended" else undefended
    return Step(
        models_name(kind),
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
        {"data": base[DATA].key, "split": base[SPLIT].key, "models": base[TRAIN].key},
    )


def _model_steps(
    experiment: Experiment, kind: ModelKind, base: Mapping[str, Step]
) -> Iterator[Step]:
    """The steps that make the models of a kind and measure their signals."""
    models = base[TRAIN]
    if kind != "original":
        models = _fine_tune(experiment, kind, base)
        yield models
    inputs = {"models": models.key, "split": base[SPLIT].key, "data": base[DATA].key}
    params: dict[str, Any] = {"seed": experiment.seed}
    if experiment.signals.sensitivity != "sampled":
        params["sensitivity"] = experiment.signals.sensitivity
    yield Step(signals_name(kind), "signals", params, inputs)
    if any(ATTACKS[name].kind == "reference" for name in experiment.attacks.names):
        yield Step(confidences_name(kind), "confidences", {}, inputs)


def _add_assumed(experiment: Experiment, source: str, steps: dict[str, Step]) -> None:
    """Add models with the pruning that the adversary assumes, trained again if training differs."""
    assumed = experiment.assumed
    if assumed is None:
        return
    kind = cast(ModelKind, source.removeprefix(ASSUMED))
    base = _base(assumed)
    if base[TRAIN].key != steps[TRAIN].key:
        name = assumed_name(TRAIN)
        steps[name] = replace(base[TRAIN], name=name)
    for step in _model_steps(assumed, kind, base):
        name = assumed_name(step.name)
        steps[name] = replace(step, name=name)


def _attack_steps(experiment: Experiment, steps: Mapping[str, Step]) -> Iterator[Step]:
    """Fits, the longest first so that workers end at the same time; then scores and evaluations."""
    attacked = targets(experiment)
    fits: dict[tuple[str, str], Step] = {}
    for attack in sorted(experiment.attacks.names, key=_cost, reverse=True):
        for source in dict.fromkeys(source_of(experiment, target) for target in attacked):
            fits[attack, source] = _fit(experiment, attack, source, steps)
            yield fits[attack, source]
    for target in attacked:
        source = source_of(experiment, target)
        scores = {
            attack: _score(attack, target, source, fits[attack, source], steps)
            for attack in experiment.attacks.names
        }
        yield from scores.values()
        read = {score_role(attack): step.key for attack, step in scores.items()}
        signals = steps[signals_name(target.model)].key
        params = {"seed": experiment.seed}
        yield Step(evaluation_name(target), "evaluation", params, {"signals": signals, **read})


def _fit(experiment: Experiment, attack: str, source: str, steps: Mapping[str, Step]) -> Step:
    params: dict[str, Any] = {"attack": attack}
    read = {"signals": steps[signals_name(source)].key}
    if ATTACKS[attack].kind == "network":
        params |= {"recipe": experiment.attacks.recipe, "seed": experiment.seed}
    elif ATTACKS[attack].kind == "reference":
        read = {"confidences": steps[confidences_name(source)].key}
    return Step(fit_name(attack, source), "fit", params, read)


def _score(attack: str, target: Target, source: str, fit: Step, steps: Mapping[str, Step]) -> Step:
    read = {"fit": fit.key, "signals": steps[signals_name(target.model)].key}
    if ATTACKS[attack].kind == "reference":
        read["target"] = steps[confidences_name(target.model)].key
        read["shadows"] = steps[confidences_name(source)].key
    return Step(score_name(attack, target), "score", {"attack": attack}, read)


def _checks(experiment: Experiment, steps: Mapping[str, Step]) -> Step:
    """The checks of a finished run: they read what the run made, and no step reads them."""
    read = ("data", "split", "train", "fine_tune", "signals", "fit", "score")
    inputs = {name: step.key for name, step in steps.items() if step.kind in read}
    return Step(CHECKS, "checks", {"attacks": list(experiment.attacks.names)}, inputs)


def _cost(attack: str) -> int:
    """Rough rank of an attack's training cost."""
    return {"samia": 2}.get(attack, 1 if ATTACKS[attack].kind == "network" else 0)
