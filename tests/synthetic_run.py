"""A finished run for tests: in the store's format, with random logits.

Records and logits are random; logits are a little more confident on members. Everything that
depends on logits (posteriors, threshold scores, gaps, evaluations) is computed from them, so that
the figures of one run agree. Never shown to a user::

    store = ArtifactStore(tmp_path)
    experiment = make_experiment({"data": {"name": "checkins", "limit": 400}, "models": "all"})
    write_synthetic_run(store, experiment, np.random.default_rng(0))
    result = Result(store, experiment)

Steps that the store already holds are kept, so two runs may share their base models.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
from scipy.special import softmax

from prunepriv.attacks import ReferenceAttack, ReferenceQueries, ReferenceShadows, get_attack
from prunepriv.datasets.splits import Split, split
from prunepriv.divergence import gaps
from prunepriv.experiment import Experiment
from prunepriv.options import ATTACKS, ModelKind
from prunepriv.pipeline import evaluations
from prunepriv.pipeline.context import StepContext
from prunepriv.plan import (
    ASSUMED,
    DATA,
    MATCHED,
    TARGET,
    Step,
    read_name,
    shadow_of_role,
)
from prunepriv.store.artifacts import Artifact, ArtifactStore, Draft
from prunepriv.store.result import Result
from prunepriv.store.signals import TargetSignals
from tests.synthetic_checks import checks_of
from tests.synthetic_privacy import guarantee, private_training

MARGINS: Mapping[ModelKind, tuple[float, float]] = {
    "original": (6.0, 3.0),
    "control": (7.0, 3.0),
    "control_matched": (6.8, 3.0),
    "pruned": (6.5, 3.0),
    "defended": (4.5, 3.2),
}
"""Mean of the true class's logit minus the others, for members and non-members."""

LAYERS: Mapping[str, Mapping[str, tuple[int, int]]] = {
    "fc": {"layers.0": (32, 16), "layers.1": (16, 32), "layers.2": (10, 16)},
    "cnn": {"features.0": (8, 27), "features.3": (16, 72), "classifier": (10, 64)},
}
"""Shapes of each layer's weights; smaller than the real ones."""


def write_synthetic_run(
    store: ArtifactStore,
    experiment: Experiment,
    rng: np.random.Generator,
    *,
    kinds: Collection[str] | None = None,
) -> None:
    """Write every artifact of ``plan(experiment)``, or those of some kinds of step only.

    Args:
        store: where to.
        experiment: what was supposedly run; a limit of a few hundred records keeps it quick.
        rng: draws everything.
        kinds: leave out steps of other kinds, as in a run that has not got there yet.
    """
    result = Result(store, experiment)
    for step in result.plan.steps:
        wanted = kinds is None or step.kind in kinds
        if wanted and not store.has(step.key):
            meta = {
                "step": step.name,
                "kind": step.kind,
                "params": dict(step.params),
                "inputs": dict(step.inputs),
                "seconds": float(rng.uniform(0.1, 2)),
            }
            with store.write(step.key, meta) as draft:
                WRITERS[step.kind](draft, step, result, rng)


def _data(draft: Draft, step: Step, result: Result, rng: np.random.Generator) -> None:
    option = result.experiment.data.option
    size = (option.records, *option.shape)
    tabular = option.kind == "tabular"
    x = rng.random(size) < 0.1 if tabular else rng.integers(0, 256, size)
    y = rng.integers(0, option.classes, option.records)
    draft.tensors("data", {"x": x.astype(np.uint8), "y": y})
    names = option.class_names or tuple(f"group {c + 1}" for c in range(option.classes))
    about: dict[str, Any] = {
        "name": option.name,
        "kind": option.kind,
        "classes": option.classes,
        "class_names": list(names),
    }
    if tabular:
        about["feature_names"] = [f"place {i + 1}" for i in range(option.shape[0])]
    draft.json("about", about)


def _split(draft: Draft, step: Step, result: Result, rng: np.random.Generator) -> None:
    data, params = result.experiment.data, step.params
    parts = split(data.option.records, params["number"], params["seed"], params["limit"])
    draft.tensors("split", parts.to_arrays())


def _model(draft: Draft, step: Step, result: Result, rng: np.random.Generator) -> None:
    """A trained or fine-tuned model: weights, masks, and its curve."""
    experiment = result.experiment
    pruning = step.params.get("pruning")
    sparsity = pruning["sparsity"] if pruning else 0.0
    shapes = LAYERS[experiment.model.name]
    masks = {f"{name}.weight": rng.random(shape) >= sparsity for name, shape in shapes.items()}
    weights = {name: (rng.normal(size=m.shape) * m).astype(np.float32) for name, m in masks.items()}
    draft.tensors("model", weights)
    draft.tensors("masks", masks if pruning else {})
    parameters = sum(mask.size for mask in masks.values())
    epochs = _kept(result, step) or int(rng.integers(4, 9))
    draft.json(
        "report",
        {
            "history": _history(epochs, rng),
            "best_epoch": epochs if MATCHED in step.inputs else epochs - 1,
            "sparsity": 1 - sum(int(mask.sum()) for mask in masks.values()) / parameters,
            "layers": {name: float(1 - masks[f"{name}.weight"].mean()) for name in shapes},
            "architecture": {
                **experiment.model.model_dump(mode="json"),
                "parameters": parameters,
                "multiplications": parameters,
            },
            "privacy": private_training(step, epochs),
        },
    )


def _kept(result: Result, step: Step) -> int | None:
    """The epochs that were kept of the model that it is matched with, if there is one."""
    if MATCHED not in step.inputs:
        return None
    return int(_input(result, step, MATCHED).json("report")["best_epoch"])


def _history(epochs: int, rng: np.random.Generator) -> list[dict[str, float]]:
    return [
        {
            "epoch": epoch,
            "loss": float(3 * np.exp(-epoch / 3) + rng.uniform(0, 0.05)),
            "member_accuracy": float(1 - 0.9 * np.exp(-epoch / 2)),
            "validation_accuracy": float(0.6 - 0.5 * np.exp(-epoch / 2)),
        }
        for epoch in range(1, epochs + 1)
    ]


def _signals(draft: Draft, step: Step, result: Result, rng: np.random.Generator) -> None:
    """The answers of a model on its members, then on its non-members."""
    y, own = _stored(result, DATA, "data")["y"], _read_split(result, step)
    member = np.arange(len(own.own)) < len(own.train)
    label = y[own.own]
    drawn = _draw(_kind(step), label, member, result.experiment.data.option.classes, rng)
    if step.params.get("sensitivity") == "none":
        del drawn["sensitivity"]
    flags = member.astype(np.uint8)
    draft.tensors("signals", {"record": own.own, "member": flags, "label": label, **drawn})
    right = drawn["logits"].argmax(axis=1) == label
    report = _input(result, step, "model").json("report")
    draft.json(
        "report",
        {
            "member_accuracy": float(right[member].mean()),
            "non_member_accuracy": float(right[~member].mean()),
            "sparsity": report["sparsity"],
            "layers": report["layers"],
        },
    )


def _draw(
    kind: ModelKind,
    label: np.ndarray,
    member: np.ndarray,
    classes: int,
    rng: np.random.Generator,
) -> dict[str, np.ndarray]:
    """Logits largest for the true class: by more for members, by less in higher classes."""
    ours, theirs = MARGINS[kind]
    lead = np.where(member, ours, theirs) - 1.5 * label / classes
    logits = rng.normal(0, 1, (len(label), classes))
    logits[np.arange(len(label)), label] += lead + rng.normal(0, 1.5, len(label))
    p = softmax(logits, axis=1)
    sensitivity = p * (1 - p) * rng.gamma(2.0, 0.5, p.shape)
    return {"logits": logits.astype(np.float32), "sensitivity": sensitivity.astype(np.float32)}


def _divergence(draft: Draft, step: Step, result: Result, rng: np.random.Generator) -> None:
    s = _target_signals(result, read_name(step.name).source)
    classes = result.experiment.data.option.classes
    seed = result.experiment.seed
    rows = gaps(s.member, s.label, s.confidence, s.label_sensitivity, s.correct, classes, seed)
    draft.json("gaps", rows)


def _size(draft: Draft, step: Step, result: Result, rng: np.random.Generator) -> None:
    """As after unstructured pruning: what is left is what is not zero."""
    left = 1 - _input(result, step, "model").json("report")["sparsity"]
    channels = {"removed_channels": None, "emitting_channels": None}
    draft.json("size", {**channels, "parameters_left": left, "multiplications_left": left})


def _population(draft: Draft, step: Step, result: Result, rng: np.random.Generator) -> None:
    """A model is more confident in the records of the shadow half that it was trained on."""
    split, number = _read_split(result, step), read_name(step.name).number
    used = split.used if number != TARGET else np.zeros(len(split.half), dtype=np.uint8)
    ours, theirs = MARGINS[_kind(step)]
    phi = theirs + (ours - theirs) * (used == 1) + _difficulty(result, split.half)
    tables = {"record": split.half, "phi": _spread(phi, rng)}
    draft.tensors("population", tables if number == TARGET else {**tables, "seen": used})


def _confidences(draft: Draft, step: Step, result: Result, rng: np.random.Generator) -> None:
    """A shadow never saw the target's records."""
    own = _read_split(result, step).own
    _, theirs = MARGINS[_kind(step)]
    phi = theirs + _difficulty(result, own)
    draft.tensors("confidences", {"record": own, "phi": _spread(phi, rng)})


def _difficulty(result: Result, record: np.ndarray) -> np.ndarray:
    """(r,) what all models find alike in a record."""
    records = result.experiment.data.option.records
    drawn: np.ndarray = np.random.default_rng(result.experiment.seed).normal(0, 1, records)
    return drawn[record]


def _spread(phi: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return np.asarray(phi + rng.normal(0, 1.5, phi.shape)).astype(np.float32)


def _fit(draft: Draft, step: Step, result: Result, rng: np.random.Generator) -> None:
    """Reference attacks learn from the random confidences; of other fits, the estimate is read."""
    attack = get_attack(step.params["attack"])
    write_fit(draft, step, float(rng.uniform(0.5, 0.9)))
    if isinstance(attack, ReferenceAttack):
        tables = _of_shadows(result, step, "shadow", "population")
        draft.tensors("fit", attack.fit(ReferenceShadows.from_arrays(tables)))


def write_fit(draft: Draft, step: Step, accuracy: float) -> None:
    """A fit whose adversary expects that accuracy."""
    estimate = {
        "accuracy": accuracy,
        "standard_error": 0.01,
        "members": 100,
        "non_members": 100,
        "records": 150,
        "low_fpr_limit": 0.99,
    }
    draft.json("estimate", estimate)
    draft.json("fit", {"attack": step.params["attack"]})


def _score(draft: Draft, step: Step, result: Result, rng: np.random.Generator) -> None:
    """Threshold attacks by their formulas; networks as confidence plus a little noise."""
    name = read_name(step.name)
    attack = name.attack
    method = get_attack(attack)
    if isinstance(method, ReferenceAttack):
        _compare(draft, step, result, method)
        return
    s = _target_signals(result, name.source)
    if ATTACKS[attack].kind == "threshold":
        score = FORMULAS[attack](s.posteriors, s.label)
    else:
        score = np.log(s.confidence) + (0.2 if name.adversary == "adaptive" else 2.0) * rng.normal(
            size=len(s.label)
        )
    classes = range(result.experiment.data.option.classes)
    middle = float(np.median(score))
    per_class = attack in ("conf", "entr", "mentr")
    cuts = np.array([_median(score[s.label == c], middle) for c in classes])
    threshold = cuts[s.label] if per_class else np.full(len(score), middle)
    decision = score >= (0.5 if attack == "corr" else threshold)
    draft.tensors("score", {"score": score, "decision": decision.astype(np.uint8)})
    draft.json("thresholds", [0.5] if attack == "corr" else list(cuts) if per_class else [middle])


def _compare(draft: Draft, step: Step, result: Result, attack: ReferenceAttack) -> None:
    """The attack itself, on random confidences."""
    fitted = _input(result, step, "fit").tensors("fit")
    own = TargetSignals.from_arrays(_input(result, step, "signals").tensors("signals"))
    queries = ReferenceQueries.from_arrays(
        phi=np.log(own.confidence) - np.log1p(-own.confidence),
        population_phi=_input(result, step, "population").tensors("population")["phi"],
        confidences=_of_shadows(result, step, "confidences", "confidences"),
        populations=_of_shadows(result, step, "population", "population"),
    )
    score = attack.score(fitted, queries)
    decision = attack.decide(fitted, queries, score)
    draft.tensors("score", {"score": score, "decision": decision.astype(np.uint8)})
    draft.json("thresholds", fitted["thresholds"].tolist())


def _median(values: np.ndarray, otherwise: float) -> float:
    return float(np.median(values)) if len(values) else otherwise


def _modified_entropy(p: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Song & Mittal 2021, with the sign turned so that members score high."""
    own = np.eye(p.shape[1], dtype=bool)[y]
    true = p[own]
    rest = np.where(own, 0.0, p * np.log1p(-np.clip(p, 0, 1 - 1e-12))).sum(axis=1)
    return np.asarray((1 - true) * np.log(true) + rest)


FORMULAS: Mapping[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "corr": lambda p, y: (p.argmax(axis=1) == y).astype(np.float64),
    "conf": lambda p, y: p[np.arange(len(y)), y],
    "entr": lambda p, y: (p * np.log(np.clip(p, 1e-300, 1))).sum(axis=1),
    "mentr": _modified_entropy,
    "top1_conf": lambda p, y: p.max(axis=1),
}


FEW = 60
"""Resamples and permutations: the figures are only looked at."""


def _evaluation(draft: Draft, step: Step, result: Result, rng: np.random.Generator) -> None:
    with _few_draws():
        evaluations.evaluation(StepContext(step, result.store, Path()))(draft)


def _contrast(draft: Draft, step: Step, result: Result, rng: np.random.Generator) -> None:
    with _few_draws():
        evaluations.contrast(StepContext(step, result.store, Path()))(draft)


@contextmanager
def _few_draws() -> Iterator[None]:
    with ExitStack() as stack:
        for name in ("RESAMPLES", "PERMUTATIONS", "CLASS_PERMUTATIONS"):
            stack.enter_context(patch.object(evaluations, name, FEW))
        yield


def _guarantee(draft: Draft, step: Step, result: Result, rng: np.random.Generator) -> None:
    told = _input(result, step, "model").json("report")["privacy"]
    draft.json("privacy", guarantee(told, step.params["epochs"]))


def _checks(draft: Draft, step: Step, result: Result, rng: np.random.Generator) -> None:
    draft.json("checks", [check.to_dict() for check in checks_of(step, result)])


def _target_signals(result: Result, kind: str) -> TargetSignals:
    signals = result.signals(kind)  # type: ignore[arg-type]
    assert signals is not None
    return signals


def _read_split(result: Result, step: Step) -> Split:
    """The split that a step reads."""
    return Split.from_arrays(_input(result, step, "split").tensors("split"))


def _of_shadows(result: Result, step: Step, what: str, file: str) -> list[dict[str, np.ndarray]]:
    """Arrays of each shadow that a step reads under a role; the plan has them in their order."""
    roles = [role for role in step.inputs if shadow_of_role(role, what) is not None]
    return [_input(result, step, role).tensors(file) for role in roles]


def _input(result: Result, step: Step, role: str) -> Artifact:
    return result.store.open(step.inputs[role])


def _stored(result: Result, step: str, file: str) -> dict[str, np.ndarray]:
    return _artifact(result, step).tensors(file)


def _artifact(result: Result, step: str) -> Artifact:
    artifact = result.artifact(step)
    assert artifact is not None
    return artifact


def _kind(step: Step) -> ModelKind:
    """Of which models: "pruned" of "signals:assumed:pruned:1" too."""
    return read_name(step.name).source.removeprefix(ASSUMED)  # type: ignore[return-value]


Writer = Callable[[Draft, Step, Result, np.random.Generator], None]
WRITERS: Mapping[str, Writer] = {
    "data": _data,
    "split": _split,
    "train": _model,
    "fine_tune": _model,
    "signals": _signals,
    "population": _population,
    "confidences": _confidences,
    "divergence": _divergence,
    "size": _size,
    "fit": _fit,
    "score": _score,
    "evaluation": _evaluation,
    "contrast": _contrast,
    "privacy": _guarantee,
    "checks": _checks,
}
