"""The graph of an Experiment's steps, and each step's key. Imports no torch.

::

    data -> split:<m> -> train:<m> -> fine_tune:<kind>:<m> -> signals:<kind>:<m>
    the target's signals (m = 0) -> divergence:<kind>
    the shadows' signals (m > 0) -> fit:<attack>:<shadows>
    fit and the target's signals -> score:<attack>:<kind>:<adversary>
    the scores and fits of all attacks -> evaluation:<kind>:<adversary>
    two evaluations -> contrast:<from>:<to>
    the target (m = 0) -> size:<kind>
    everything -> checks

``fine_tune:control_matched:<m>`` also reads ``fine_tune:pruned:<m>``, for its kept epochs. A target
that DP-SGD fine-tuned has a step ``privacy:defended``.

Every model has steps of its own: 0 is the target, 1 and up are the shadows. A model's keys hold the
seed and the number of the model, never how many models there are.

Reference attacks read the shadows' ``population:<shadows>:<m>`` to fit. To score, they also read
the target's population and the shadows' ``confidences:<shadows>:<m>``. So a fit is never given an
artifact with rows of the target.

``<shadows>`` is the kind of the shadow models. It follows "assumed:" if the adversary believes the
target was pruned in another way. Then there are also steps of that pruning,
``fine_tune:assumed:pruned:3`` for example.

A step's key is the SHA-256 of its kind, version, parameters and inputs' keys. Runs that share a
step therefore share its artifact, and an outdated artifact is never read.

The order of the steps is the order in which they are begun: first what a page shows first.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, cast

from prunepriv.experiment import Experiment
from prunepriv.options import ATTACKS, MODEL_KINDS, ModelKind
from prunepriv.plan.models import (
    data_step,
    fine_tune_step,
    matched_step,
    privacy_step,
    split_step,
    train_step,
)
from prunepriv.plan.names import (
    ASSUMED,
    CHECKS,
    DATA,
    TARGET,
    Target,
    assumed_name,
    attack_of_role,
    confidences_name,
    contrast_name,
    divergence_name,
    evaluation_name,
    fit_name,
    fit_role,
    models_name,
    population_name,
    reference_name,
    score_name,
    score_role,
    shadow_role,
    signals_name,
    size_name,
    split_name,
)
from prunepriv.plan.step import Plan, Step

Steps = dict[str, Step]
"""By name, in the order in which they are begun."""


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


def contrasts(experiment: Experiment) -> tuple[tuple[Target, Target], ...]:
    """The pairs of attacked models whose differences are told, each "from" before its "to"."""
    attacked = targets(experiment)
    return tuple(pair for pair in _CONTRASTS if set(pair) <= set(attacked))


_CONTRASTS = (
    (Target("original"), Target("control")),
    (Target("control"), Target("pruned")),
    (Target("original"), Target("pruned")),
    (Target("original"), Target("control_matched")),
    (Target("control_matched"), Target("pruned")),
    (Target("pruned"), Target("defended")),
    (Target("defended", "non_adaptive"), Target("defended")),
)


def source_of(experiment: Experiment, target: Target) -> str:
    """The models that its adversary learns from: "pruned", or "assumed:pruned" of other pruning."""
    shadows = shadows_of(target)
    assumes = not experiment.knowledge.whole and shadows in ("pruned", "defended")
    return f"{ASSUMED}{shadows}" if assumes else shadows


def plan(experiment: Experiment) -> Plan:
    """The steps of an experiment, each after the steps that it reads."""
    attacked = targets(experiment)
    sources = tuple(dict.fromkeys(source_of(experiment, target) for target in attacked))
    steps: Steps = {}
    _add(steps, [data_step(experiment.data)])
    _add_targets(experiment, steps)
    for number in shadow_numbers(experiment):
        _add(steps, _base(experiment, number, steps))
    for source in sources:
        _add_shadows(experiment, source, steps)
    if _has_reference_attacks(experiment):
        _add_confidences(experiment, sources, steps)
    _add(steps, _attack_steps(experiment, sources, steps))
    _add(steps, _size_steps(experiment, steps))
    _add(steps, [_checks(experiment, steps)])
    return Plan(experiment, tuple(steps.values()))


def reference_step(whole: Plan, source: str, number: int) -> Step:
    """A shadow scores the target's records: not part of a run, done when a run is exported."""
    signals = whole.by_name[signals_name(source, number)]
    read = {**signals.inputs, "target": whole.key(split_name())}
    return Step(reference_name(source, number), "reference", signals.params, read)


def _add(steps: Steps, new: Iterable[Step]) -> None:
    steps.update((step.name, step) for step in new)


def shadow_numbers(experiment: Experiment) -> range:
    """The numbers of its shadow models: 1 and up."""
    return range(TARGET + 1, TARGET + 1 + experiment.shadows)


def _has_reference_attacks(experiment: Experiment) -> bool:
    return any(ATTACKS[name].kind == "reference" for name in experiment.attacks.names)


def _add_targets(experiment: Experiment, steps: Steps) -> None:
    """The target of every attacked kind, up to its histograms: a page shows these first."""
    _add(steps, _base(experiment, TARGET, steps))
    for kind in (kind for kind in MODEL_KINDS if kind in experiment.models):
        _add(steps, _model_steps(experiment, kind, TARGET, steps))
        name = divergence_name(kind)
        params = {"seed": experiment.seed}  # of the permutations of membership
        steps[name] = Step(name, "divergence", params, {"signals": steps[signals_name(kind)].key})
        if kind == "defended" and experiment.defense.name == "dp_sgd":
            _add(steps, [privacy_step(experiment, kind, steps[models_name(kind)])])


def _base(experiment: Experiment, number: int, steps: Mapping[str, Step]) -> Iterator[Step]:
    """The steps of a model before any pruning."""
    split = split_step(experiment, number, steps[DATA])
    yield split
    yield train_step(experiment, number, steps[DATA], split)


def _model_steps(
    experiment: Experiment, kind: ModelKind, number: int, steps: Mapping[str, Step]
) -> Iterator[Step]:
    """The steps that make a model of a kind from its base, and measure its signals."""
    data, split = steps[DATA], steps[split_name(number)]
    model = steps[models_name("original", number)]
    if kind == "control_matched":
        pruned = fine_tune_step(experiment, "pruned", number, data, split, model)
        yield pruned  # also where no pruned model is attacked
        model = matched_step(experiment, number, data, split, model, pruned)
        yield model
    elif kind != "original":
        model = fine_tune_step(experiment, kind, number, data, split, model)
        yield model
    inputs = {"model": model.key, "split": split.key, "data": data.key}
    params: dict[str, Any] = {"seed": experiment.seed}
    if number != TARGET and not any(ATTACKS[name].sensitivity for name in experiment.attacks.names):
        params["sensitivity"] = "none"  # nobody reads it, and it is ten of eleven queries
    elif experiment.signals.sensitivity != "sampled":
        params["sensitivity"] = experiment.signals.sensitivity
    yield Step(signals_name(kind, number), "signals", params, inputs)


def _add_shadows(experiment: Experiment, source: str, steps: Steps) -> None:
    """The shadows of a source; with the pruning that the adversary assumes, if that differs."""
    if not source.startswith(ASSUMED):
        for number in shadow_numbers(experiment):
            _add(steps, _model_steps(experiment, cast(ModelKind, source), number, steps))
        return
    assumed = cast(Experiment, experiment.assumed)
    kind = cast(ModelKind, source.removeprefix(ASSUMED))
    for number in shadow_numbers(experiment):
        base = {DATA: steps[DATA], **{s.name: s for s in _base(assumed, number, steps)}}
        trained = models_name("original", number)
        if base[trained].key != steps[trained].key:  # trained again, because training differs
            name = assumed_name(trained)
            steps[name] = replace(base[trained], name=name)
        for step in _model_steps(assumed, kind, number, base):
            name = assumed_name(step.name)
            steps[name] = replace(step, name=name)


def _add_confidences(experiment: Experiment, sources: Iterable[str], steps: Steps) -> None:
    """What reference attacks read: each model on the shadow half, each shadow on the target."""
    first = shadow_numbers(experiment)[0]
    for kind in (kind for kind in MODEL_KINDS if kind in experiment.models):
        name = population_name(kind)
        read = {**steps[signals_name(kind)].inputs, "split": steps[split_name(first)].key}
        steps[name] = Step(name, "population", {}, read)
    for source in sources:
        for number in shadow_numbers(experiment):
            own = steps[signals_name(source, number)].inputs
            name = population_name(source, number)
            steps[name] = Step(name, "population", {}, own)
            name = confidences_name(source, number)
            steps[name] = Step(name, "confidences", {}, {**own, "split": steps[split_name()].key})


def _attack_steps(
    experiment: Experiment, sources: Iterable[str], steps: Mapping[str, Step]
) -> Iterator[Step]:
    """Fits, the longest first so that workers end at the same time; then scores and evaluations."""
    fits: dict[tuple[str, str], Step] = {}
    for attack in sorted(experiment.attacks.names, key=_cost, reverse=True):
        for source in sources:
            fits[attack, source] = _fit(experiment, attack, source, steps)
            yield fits[attack, source]
    evaluations: dict[Target, Step] = {}
    for target in targets(experiment):
        source = source_of(experiment, target)
        scores = {
            attack: _score(experiment, attack, target, fits[attack, source], steps)
            for attack in experiment.attacks.names
        }
        yield from scores.values()
        read = {score_role(attack): step.key for attack, step in scores.items()}
        read |= {fit_role(attack): fits[attack, source].key for attack in scores}
        read["signals"] = steps[signals_name(target.model)].key
        name, params = evaluation_name(target), {"seed": experiment.seed}
        evaluations[target] = Step(name, "evaluation", params, read)
        yield evaluations[target]
    for before, after in contrasts(experiment):
        yield _contrast(experiment, before, after, evaluations)


def _contrast(
    experiment: Experiment, before: Target, after: Target, evaluations: Mapping[Target, Step]
) -> Step:
    """It reads both evaluations, and of what they read the signals and the scores."""
    read: dict[str, str] = {}
    for side, target in (("from", before), ("to", after)):
        read[side] = evaluations[target].key
        for role, key in evaluations[target].inputs.items():
            if role == "signals" or attack_of_role(role):
                read[f"{side}:{role}"] = key
    return Step(contrast_name(before, after), "contrast", {"seed": experiment.seed}, read)


def _fit(experiment: Experiment, attack: str, source: str, steps: Mapping[str, Step]) -> Step:
    """It reads the shadows only, each under a role of its own."""
    params: dict[str, Any] = {"attack": attack, "seed": experiment.seed}
    name = signals_name
    if ATTACKS[attack].kind == "network":
        params["recipe"] = experiment.attacks.recipe
    elif ATTACKS[attack].kind == "reference":
        name = population_name
    read = {
        shadow_role("shadow", number): steps[name(source, number)].key
        for number in shadow_numbers(experiment)
    }
    return Step(fit_name(attack, source), "fit", params, read)


def _score(
    experiment: Experiment, attack: str, target: Target, fit: Step, steps: Mapping[str, Step]
) -> Step:
    read = {"fit": fit.key, "signals": steps[signals_name(target.model)].key}
    if ATTACKS[attack].kind == "reference":
        source = source_of(experiment, target)
        read["population"] = steps[population_name(target.model)].key
        for number in shadow_numbers(experiment):
            for what, name in (("population", population_name), ("confidences", confidences_name)):
                read[shadow_role(what, number)] = steps[name(source, number)].key
    return Step(score_name(attack, target), "score", {"attack": attack}, read)


def _size_steps(experiment: Experiment, steps: Mapping[str, Step]) -> Iterator[Step]:
    """What pruning left of the target of every kind: a sentence, which no step waits for."""
    for kind in (kind for kind in MODEL_KINDS if kind in experiment.models):
        read = {"model": steps[models_name(kind)].key, DATA: steps[DATA].key}
        yield Step(size_name(kind), "size", {}, read)


def _checks(experiment: Experiment, steps: Mapping[str, Step]) -> Step:
    """The checks of a finished run: they read what the run made, and no step reads them."""
    read = ("data", "split", "train", "fine_tune", "signals", "fit", "score")
    inputs = {name: step.key for name, step in steps.items() if step.kind in read}
    return Step(CHECKS, "checks", {"attacks": list(experiment.attacks.names)}, inputs)


def _cost(attack: str) -> int:
    """Rough rank of an attack's training cost."""
    return {"samia": 2}.get(attack, 1 if ATTACKS[attack].kind == "network" else 0)
