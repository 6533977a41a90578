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

from collections.abc import Callable, Collection, Mapping
from typing import Any

import numpy as np
from scipy.special import softmax

from prunepriv import checks
from prunepriv.attacks import ReferenceAttack, ReferenceQueries, ReferenceShadows, get_attack
from prunepriv.datasets.splits import Splits, split
from prunepriv.divergence import gaps
from prunepriv.evaluation import evaluate
from prunepriv.experiment import Experiment
from prunepriv.options import ATTACKS, ModelKind
from prunepriv.plan import Step, Target, plan
from prunepriv.store.artifacts import Artifact, ArtifactStore, Draft
from prunepriv.store.result import Result
from prunepriv.store.signals import TargetSignals

MARGINS: Mapping[ModelKind, tuple[float, float]] = {
    "original": (6.0, 3.0),
    "control": (7.0, 3.0),
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
    for step in plan(experiment).steps:
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
                WRITERS[step.kind](draft, step, Result(store, experiment), rng)


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
    experiment = result.experiment
    records = experiment.data.option.records
    parts = split(records, experiment.shadows, experiment.seed, experiment.data.limit)
    draft.tensors("split", parts.to_arrays())


def _models(draft: Draft, step: Step, result: Result, rng: np.random.Generator) -> None:
    """Trained or fine-tuned models: weights, masks after fine-tuning, and their curves."""
    experiment = result.experiment
    models = 1 + experiment.shadows
    pruning = step.params.get("pruning")
    sparsity = pruning["sparsity"] if pruning else 0.0
    shapes = LAYERS[experiment.model.name]
    masks = {f"{name}.weight": rng.random((models, *s)) >= sparsity for name, s in shapes.items()}
    weights = {name: (rng.normal(size=m.shape) * m).astype(np.float32) for name, m in masks.items()}
    draft.tensors("models", weights)
    if step.kind == "fine_tune":
        draft.tensors("masks", masks)
    layers = [
        {name: float(1 - masks[f"{name}.weight"][model].mean()) for name in shapes}
        for model in range(models)
    ]
    kept = [sum(int(mask[model].sum()) for mask in masks.values()) for model in range(models)]
    parameters = sum(mask[0].size for mask in masks.values())
    epochs = int(rng.integers(4, 9))
    draft.json(
        "report",
        {
            "history": [_history(epochs, rng) for _ in range(models)],
            "best_epoch": [epochs - 1] * models,
            "sparsity": [1 - count / parameters for count in kept],
            "layers": layers,
            "architecture": {
                **experiment.model.model_dump(mode="json"),
                "parameters": parameters,
                "multiplications": parameters,
            },
            **_privacy(step),
        },
    )


def _privacy(step: Step) -> dict[str, Any]:
    """DP-SGD's guarantee, in the form that fine-tuning reports it."""
    defense = step.params.get("defense", {"name": "none"})
    if defense["name"] != "dp_sgd":
        return {}
    noise = defense["strength"]
    promise = {"epsilon": 3.2 / noise if noise else None, "delta": 1e-5, "noise_multiplier": noise}
    shape = {"clip": defense["clip"], "sample_rate": 0.1, "steps": 100, "covers": "fine_tune"}
    return {"privacy": {**promise, **shape}}


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
    kind = _kind(step)
    y, parts = _stored(result, "data", "data")["y"], _stored(result, "split", "split")
    record = np.concatenate([parts["target_train"], parts["target_test"]])
    member = np.arange(len(record)) < len(parts["target_train"])
    shadow_record = np.concatenate([parts["shadow_train"], parts["shadow_test"]], axis=1)
    shadows, classes = len(shadow_record), result.experiment.data.option.classes
    target = _draw(kind, y[record], member, classes, rng)
    own = [_draw(kind, y[row], member, classes, rng) for row in shadow_record]
    flags = member.astype(np.uint8)
    draft.tensors("target", {"record": record, "member": flags, "label": y[record], **target})
    draft.tensors(
        "shadows",
        {
            "record": shadow_record,
            "member": np.tile(flags, (shadows, 1)),
            "label": y[shadow_record],
            **_stack(own),
        },
    )
    right = target["logits"].argmax(axis=1) == y[record]
    report = _artifact(result, result.plan.by_key[step.inputs["models"]].name).json("report")
    draft.json(
        "report",
        {
            "member_accuracy": float(right[member].mean()),
            "non_member_accuracy": float(right[~member].mean()),
            "sparsity": report["sparsity"][0],
            "layers": report["layers"][0],
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
    s = _target_signals(result, step.name.split(":")[1])
    classes = result.experiment.data.option.classes
    rows = gaps(s.member, s.label, s.confidence, s.label_sensitivity, s.correct, classes)
    draft.json("gaps", rows)


def _confidences(draft: Draft, step: Step, result: Result, rng: np.random.Generator) -> None:
    """The target's are those of its signals; shadows never saw its records."""
    signals = _artifact(result, step.name.replace("confidences", "signals"))
    target = TargetSignals.from_arrays(signals.tensors("target"))
    parts = Splits.from_arrays(_stored(result, "split", "split"))
    population, seen = parts.shadow_half()
    ours, theirs = MARGINS[_kind(step)]
    own = np.log(target.confidence) - np.log1p(-target.confidence)
    hard, spread = rng.normal(0, 1, len(own)), 1.5
    others = theirs + hard + rng.normal(0, spread, (parts.shadows, len(own)))
    trained = np.vstack([np.zeros(len(population)), seen == 1])
    phi = theirs + (ours - theirs) * trained + rng.normal(0, 1, len(population))
    tables = {
        "record": target.record,
        "phi": np.vstack([own, others]).astype(np.float32),
        "population": population,
        "population_phi": (phi + rng.normal(0, spread, phi.shape)).astype(np.float32),
        "seen": seen,
    }
    draft.tensors("confidences", tables)


def _fit(draft: Draft, step: Step, result: Result, rng: np.random.Generator) -> None:
    """Reference attacks learn from the random confidences; other fits are never read."""
    attack = get_attack(step.params["attack"])
    if isinstance(attack, ReferenceAttack):
        source = result.plan.by_key[step.inputs["confidences"]].name
        tables = _stored(result, source, "confidences")
        draft.tensors("fit", attack.fit(ReferenceShadows.from_arrays(tables)))
    else:
        draft.json("fit", {"attack": step.params["attack"]})


def _score(draft: Draft, step: Step, result: Result, rng: np.random.Generator) -> None:
    """Threshold attacks by their formulas; networks as confidence plus a little noise."""
    _, attack, kind, adversary = step.name.split(":")
    method = get_attack(attack)
    if isinstance(method, ReferenceAttack):
        _compare(draft, step, result, method)
        return
    s = _target_signals(result, kind)
    if ATTACKS[attack].kind == "threshold":
        score = FORMULAS[attack](s.posteriors, s.label)
    else:
        score = np.log(s.confidence) + (0.2 if adversary == "adaptive" else 2.0) * rng.normal(
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
    names = {role: result.plan.by_key[key].name for role, key in step.inputs.items()}
    fitted = _stored(result, names["fit"], "fit")
    queries = ReferenceQueries.from_arrays(
        _stored(result, names["target"], "confidences"),
        _stored(result, names["shadows"], "confidences"),
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


def _evaluation(draft: Draft, step: Step, result: Result, rng: np.random.Generator) -> None:
    _, kind, adversary = step.name.split(":")
    member = _target_signals(result, kind).member
    rows = []
    for attack in result.experiment.attacks.names:
        scores = result.scores(attack, Target(kind, adversary))  # type: ignore[arg-type]
        assert scores is not None
        row = evaluate(scores.score, scores.decision, member, rng).to_dict()
        rows.append({"attack": attack, **row})
    draft.json("evaluation", rows)


def _checks(draft: Draft, step: Step, result: Result, rng: np.random.Generator) -> None:
    """Checks that random numbers allow; the models cannot be scored again."""
    parts = Splits.from_arrays(_stored(result, "split", "split"))
    labels = _stored(result, "data", "data")["y"]
    rows, (counts, wrong, asked, learnt, taught) = 0, ({} for _ in range(5))
    for name in step.inputs:
        artifact = result.artifact(name)
        assert artifact is not None
        if name.startswith("fine_tune:"):
            made = artifact.tensors("models"), artifact.tensors("masks"), artifact.json("report")
            counts[name.removeprefix("fine_tune:")] = checks.count_masks(*made)
        elif name.startswith("signals:"):
            kind = name.partition(":")[2]
            target, shadows = artifact.tensors("target"), artifact.tensors("shadows")
            train, test = parts.target_train, parts.target_test
            wrong[kind] = checks.misaligned(target, labels, train, test)
            rows += len(target["record"])
            logits = target["logits"][: checks.SCORED_AGAIN]
            asked[kind] = logits, logits * np.float32(1 + 1e-6)
            learnt[kind] = checks.learning(target)
            taught[kind] = [checks.learning({field: t[0] for field, t in shadows.items()})]
    pruning = result.experiment.pruning.model_dump(mode="json")
    found = [
        checks.splits_disjoint(parts),
        checks.eval_mode(asked),
        checks.thresholds_from_shadows(
            {name: ["signals"] for name in step.inputs if name.startswith("fit:")}, {}
        ),
        checks.masks_exact(counts),
        checks.membership_aligned(wrong, rows),
        checks.models_learned(learnt, taught),
        checks.adversary_knowledge(pruning, None),
        checks.attacks_not_run(step.params["attacks"]),
    ]
    draft.json("checks", [check.to_dict() for check in found])


def _target_signals(result: Result, kind: str) -> TargetSignals:
    signals = result.signals(kind)  # type: ignore[arg-type]
    assert signals is not None
    return signals


def _stored(result: Result, step: str, file: str) -> dict[str, np.ndarray]:
    return _artifact(result, step).tensors(file)


def _artifact(result: Result, step: str) -> Artifact:
    artifact = result.artifact(step)
    assert artifact is not None
    return artifact


def _kind(step: Step) -> ModelKind:
    """Of which models: "pruned" of "signals:assumed:pruned" too."""
    return step.name.rsplit(":", 1)[1]  # type: ignore[return-value]


def _stack(drawn: list[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    return {name: np.stack([one[name] for one in drawn]) for name in drawn[0]}


Writer = Callable[[Draft, Step, Result, np.random.Generator], None]
WRITERS: Mapping[str, Writer] = {
    "data": _data,
    "split": _split,
    "train": _models,
    "fine_tune": _models,
    "signals": _signals,
    "confidences": _confidences,
    "divergence": _divergence,
    "fit": _fit,
    "score": _score,
    "evaluation": _evaluation,
    "checks": _checks,
}
