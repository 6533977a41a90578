"""How each step of a plan is done: read inputs from the store, compute, write one artifact.

Runs in a worker, never in the dashboard's process: it imports torch.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import torch

from prunepriv.attacks import (
    Attack,
    FitSettings,
    Queries,
    ReferenceAttack,
    ReferenceQueries,
    ReferenceShadows,
    get_attack,
)
from prunepriv.datasets import Splits, load, split
from prunepriv.defenses import make_protection
from prunepriv.divergence import gaps
from prunepriv.errors import DataError
from prunepriv.evaluation import evaluate
from prunepriv.models import Ensemble, build, multiplications
from prunepriv.options import OWN
from prunepriv.pipeline.checks import check_run, pooled
from prunepriv.pipeline.context import StepContext, Writer
from prunepriv.plan import Step, StepKind, attack_of_role
from prunepriv.progress import Report
from prunepriv.pruning import make_masks
from prunepriv.pruning.masks import Masks, sparsities
from prunepriv.seeding import derive
from prunepriv.signals import confidences, signals
from prunepriv.store.artifacts import Artifact, ArtifactStore, Draft
from prunepriv.store.signals import TargetSignals
from prunepriv.training import Records, Settings, Trained, initialize, train

THREADS = 1
"""Threads of a step: one gives the same figures everywhere; more would slow other workers down."""


def run_step(step: Step, store: ArtifactStore, data_folder: Path, report: Report) -> None:
    """Do one step, whose inputs are in the store already, and write its artifact.

    Raises:
        PruneprivError: the step cannot be done; one sentence says why.
        Cancelled: from `report`; nothing is written.
    """
    torch.set_num_threads(THREADS)
    started = time.perf_counter()
    write = _STEPS[step.kind](StepContext(step, store, data_folder, report))
    meta = {
        "step": step.name,
        "kind": step.kind,
        "params": dict(step.params),
        "inputs": dict(step.inputs),
        "seconds": time.perf_counter() - started,
    }
    with store.write(step.key, meta) as draft:
        write(draft)
    report(1.0)


def _data(context: StepContext) -> Writer:
    if context.params["name"] == OWN:  # its artifact is written when it is imported
        raise DataError(
            f"data set {OWN}:{context.params['digest'][:12]} was read on another computer, or removed "
            "from the store: import its file again with `python -m prunepriv data PATH`"
        )
    data = load(
        context.params["name"], context.params["knobs"], context.data_folder, context.report
    )
    about = {
        "name": data.name,
        "kind": data.kind,
        "classes": data.classes,
        "class_names": list(data.class_names),
    }

    def write(draft: Draft) -> None:
        draft.tensors("data", {"x": data.x, "y": data.y})
        draft.json("about", about)

    return write


def _split(context: StepContext) -> Writer:
    params = context.params
    count = len(context.arrays("data", "data")["y"])
    parts = split(count, params["shadows"], params["seed"], params["limit"])
    return lambda draft: draft.tensors("split", parts.to_arrays())


def _train(context: StepContext) -> Writer:
    ensemble = _build(context)
    initialize(ensemble, context.params["seed"])
    settings = Settings(
        **context.params["training"], scale_penalty=context.params["slimming_penalty"]
    )
    trained = train(
        ensemble,
        _records(context),
        settings,
        seed=context.params["seed"],
        stage="train",
        report=context.report,
    )
    return _models(context, trained, {})


def _fine_tune(context: StepContext) -> Writer:
    params = context.params
    ensemble = _build(context)
    state = context.tensors("models", "models")
    masks: Masks = {}
    if params["pruning"] is not None:
        pruning = params["pruning"]
        masks = make_masks(pruning["approach"], ensemble, state, pruning["sparsity"])
    ensemble.load(state)
    options = dict(params["training"])
    trained = train(
        ensemble,
        _records(context),
        Settings(epochs=options.pop("fine_tune_epochs"), **options),
        seed=params["seed"],
        stage="fine_tune",
        protect=make_protection(**params["defense"]),
        masks=masks,
        report=context.report,
    )
    return _models(context, trained, masks)


def _build(context: StepContext) -> Ensemble:
    """The stack of target and shadows; its weights are not set."""
    model = context.params["model"]
    data, about = context.arrays("data", "data"), context.inputs["data"].json("about")
    shadows = len(context.arrays("split", "split")["shadow_train"])
    shape = data["x"].shape[1:]
    return build(model["name"], shadows + 1, shape, about["classes"], model["width"], model["norm"])


def _records(context: StepContext) -> Records:
    data = context.tensors("data", "data")
    parts = Splits.from_arrays(context.arrays("split", "split"))
    return Records(
        x=data["x"],
        y=data["y"],
        train=_rows(parts.target_train, parts.shadow_train),
        validation=_rows(parts.target_validation, parts.shadow_validation),
    )


def _rows(target: np.ndarray, shadows: np.ndarray) -> torch.Tensor:
    """(M, n): the target's records first, then each shadow's."""
    return torch.from_numpy(np.concatenate([target[None], shadows]))


def _models(context: StepContext, trained: Trained, masks: Masks) -> Writer:
    ensemble = _build(context)
    whole, layers = sparsities(ensemble, masks)
    report = {
        "privacy": trained.protection,
        "history": trained.history,
        "best_epoch": trained.best_epoch,
        "sparsity": whole,
        "layers": layers,
        "architecture": {
            **context.params["model"],
            "parameters": _parameters(ensemble),
            "multiplications": multiplications(
                ensemble, context.arrays("data", "data")["x"].shape[1:]
            ),
        },
    }

    def write(draft: Draft) -> None:
        draft.tensors("models", {name: v.numpy() for name, v in trained.state.items()})
        draft.tensors("masks", {name: v.numpy() for name, v in masks.items()})
        draft.json("report", report)

    return write


def _parameters(ensemble: Ensemble) -> int:
    """Number of parameters of one model."""
    return sum(parameter[0].numel() for parameter in ensemble.parameters())


def _signals(context: StepContext) -> Writer:
    report = context.inputs["models"].json("report")
    everyone, x, own, member = _scorers(context)
    logits, sensitivity = signals(
        everyone,
        x,
        own,
        seed=derive(context.params["seed"], "signals", "own"),
        exact=_exact(context),
    )
    labels = context.tensors("data", "data")["y"][own]
    correct = (logits[0].argmax(1) == labels[0]).numpy()
    summary = {
        "member_accuracy": float(correct[member].mean()),
        "non_member_accuracy": float(correct[~member].mean()),
        "sparsity": report["sparsity"][0],
        "layers": report["layers"][0],
    }

    def write(draft: Draft) -> None:
        tables = {
            "record": own.numpy(),
            "member": np.broadcast_to(member, own.shape).astype(np.uint8),
            "label": labels.numpy(),
            "logits": logits.numpy(),
            "sensitivity": sensitivity.numpy(),
        }
        draft.tensors("target", {name: table[0] for name, table in tables.items()})
        draft.tensors("shadows", {name: table[1:] for name, table in tables.items()})
        draft.json("report", summary)

    return write


def _reference(context: StepContext) -> Writer:
    everyone, x, own, _ = _scorers(context)
    shadows = len(own) - 1
    everyone.keep(torch.arange(1, shadows + 1))
    logits, sensitivity = signals(
        everyone,
        x,
        own[:1].expand(shadows, -1),
        seed=derive(context.params["seed"], "signals", "reference"),
        exact=_exact(context),
    )
    tables = {"logits": logits.numpy(), "sensitivity": sensitivity.numpy()}
    return lambda draft: draft.tensors("reference", tables)


def _exact(context: StepContext) -> bool:
    return context.params.get("sensitivity") == "exact"


def _confidences(context: StepContext) -> Writer:
    everyone, x, own, _ = _scorers(context)
    parts = Splits.from_arrays(context.arrays("split", "split"))
    population, seen = parts.shadow_half()
    records = len(own[0])
    rows = torch.cat([own[0], torch.from_numpy(population)])
    phi = confidences(everyone, x, context.tensors("data", "data")["y"], rows).numpy()
    tables = {
        "record": own[0].numpy(),
        "phi": np.ascontiguousarray(phi[:, :records]),
        "population": population,
        "population_phi": np.ascontiguousarray(phi[:, records:]),
        "seen": seen,
    }
    return lambda draft: draft.tensors("confidences", tables)


def _scorers(context: StepContext) -> tuple[Ensemble, torch.Tensor, torch.Tensor, np.ndarray]:
    """The models, the data set, each model's own records (M, n), and which of them are members."""
    architecture = context.inputs["models"].json("report")["architecture"]
    x = context.tensors("data", "data")["x"]
    parts = Splits.from_arrays(context.arrays("split", "split"))
    own = torch.cat(
        [
            _rows(parts.target_train, parts.shadow_train),
            _rows(parts.target_test, parts.shadow_test),
        ],
        dim=1,
    )
    classes = context.inputs["data"].json("about")["classes"]
    model = architecture["name"], len(own), x.shape[1:], classes
    everyone = build(*model, architecture["width"], architecture["norm"])
    everyone.load(context.tensors("models", "models"))
    return everyone, x, own, np.arange(own.shape[1]) < parts.target_train.size


def _divergence(context: StepContext) -> Writer:
    seen = _target(context)
    rows = gaps(
        seen.member,
        seen.label,
        seen.confidence,
        seen.label_sensitivity,
        seen.correct,
        seen.logits.shape[1],
    )
    return lambda draft: draft.json("gaps", rows)


def _fit(context: StepContext) -> Writer:
    attack = get_attack(context.params["attack"])
    if isinstance(attack, ReferenceAttack):
        tables = context.arrays("confidences", "confidences")
        fitted = attack.fit(ReferenceShadows.from_arrays(tables), context.report)
    else:
        shadows = pooled(context.arrays("signals", "shadows"))
        fitted = attack.fit(shadows, _fit_settings(context), context.report)
    return lambda draft: draft.tensors("fit", fitted)


def _fit_settings(context: StepContext) -> FitSettings:
    return FitSettings(
        recipe=context.params.get("recipe", "fast"), seed=context.params.get("seed", 0)
    )


def _score(context: StepContext) -> Writer:
    attack = get_attack(context.params["attack"])
    fitted = context.arrays("fit", "fit")
    if isinstance(attack, ReferenceAttack):
        score, decision = _compare(context, attack, fitted)
    else:
        score, decision = _score_alone(context, attack, fitted)

    def write(draft: Draft) -> None:
        draft.tensors("score", {"score": score, "decision": decision.astype(np.uint8)})
        draft.json("thresholds", fitted["thresholds"].tolist())

    return write


def _score_alone(
    context: StepContext, attack: Attack, fitted: Mapping[str, np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """Scores and verdicts from the target's signals only."""
    tables = context.arrays("signals", "target")
    queries = Queries(tables["logits"], tables["sensitivity"], tables["label"])
    score = attack.score(fitted, queries)
    return score, attack.decide(fitted, queries, score)


def _compare(
    context: StepContext, attack: ReferenceAttack, fitted: Mapping[str, np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """Scores and verdicts from the confidences of the target and of its reference models."""
    queries = ReferenceQueries.from_arrays(
        context.arrays("target", "confidences"), context.arrays("shadows", "confidences")
    )
    score = attack.score(fitted, queries)
    return score, attack.decide(fitted, queries, score)


def _evaluation(context: StepContext) -> Writer:
    member = _target(context).member
    rows = []
    for role, artifact in context.inputs.items():
        attack = attack_of_role(role)
        if attack is None:
            continue
        table = artifact.tensors("score")
        rng = np.random.default_rng(derive(context.params["seed"], "bootstrap", attack))
        figures = evaluate(table["score"], table["decision"].astype(bool), member, rng)
        rows.append({"attack": attack, **figures.to_dict()})
    return lambda draft: draft.json("evaluation", rows)


def _checks(context: StepContext) -> Writer:
    def scorers(signals: Artifact) -> tuple[Ensemble, torch.Tensor]:
        again = Step("again", "signals", signals.meta["params"], signals.meta["inputs"])
        everyone, x, *_ = _scorers(
            StepContext(again, context.store, context.data_folder, context.report)
        )
        return everyone, x

    found = check_run(context.inputs, context.params["attacks"], scorers)
    return lambda draft: draft.json("checks", [check.to_dict() for check in found])


def _target(context: StepContext) -> TargetSignals:
    return TargetSignals.from_arrays(context.arrays("signals", "target"))


_STEPS: Mapping[StepKind, Callable[[StepContext], Writer]] = {
    "data": _data,
    "split": _split,
    "train": _train,
    "fine_tune": _fine_tune,
    "signals": _signals,
    "confidences": _confidences,
    "reference": _reference,
    "divergence": _divergence,
    "fit": _fit,
    "score": _score,
    "evaluation": _evaluation,
    "checks": _checks,
}
