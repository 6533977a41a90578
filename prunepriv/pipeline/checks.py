"""The ``checks`` step: reads a finished run's artifacts, one at a time, and checks them.

:mod:`prunepriv.checks` says what is compared with what.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch

from prunepriv import checks
from prunepriv.attacks import FitSettings, PooledShadows, Queries, get_attack
from prunepriv.attacks.threshold import ThresholdAttack
from prunepriv.checks import Check, Learning, MaskCount
from prunepriv.datasets import Splits
from prunepriv.models import Ensemble
from prunepriv.plan import DATA, SPLIT, StepKind, StepName, read_name, signals_name
from prunepriv.store.artifacts import Artifact

Inputs = Mapping[str, Artifact]
Scorers = Callable[[Artifact], tuple[Ensemble, torch.Tensor]]
"""Signals artifact -> the models that it is of, target first, and all records (n, ...) uint8."""


def check_run(inputs: Inputs, attacks: Sequence[str], scorers: Scorers) -> list[Check]:
    """Every check of a run.

    Args:
        inputs: the artifacts of the run by the name of their step.
        attacks: names of the attacks that were run.
        scorers: gives the models of a signals artifact, which score again.
    """
    parts = Splits.from_arrays(inputs[SPLIT].tensors("split"))
    return [
        checks.splits_disjoint(parts),
        checks.eval_mode(_scored_again(inputs, scorers)),
        checks.thresholds_from_shadows(_roles(inputs), _thresholds(inputs)),
        checks.masks_exact(_mask_counts(inputs)),
        checks.membership_aligned(*_misaligned(inputs, parts)),
        checks.models_learned(*_learning(inputs)),
        checks.adversary_knowledge(*_pruning(inputs)),
        checks.attacks_not_run(attacks),
    ]


def _of(inputs: Inputs, kind: StepKind) -> Iterator[tuple[StepName, Artifact]]:
    """Inputs of a kind of step, with their names."""
    for text, artifact in inputs.items():
        name = read_name(text)
        if name.kind == kind:
            yield name, artifact


def _scored_again(inputs: Inputs, scorers: Scorers) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Stored and new logits of some records of the target, by kind of model."""
    found = {}
    for name, artifact in _of(inputs, "signals"):
        if name.assumed:
            continue
        stored = artifact.tensors("target")
        n = len(stored["record"])
        rows = np.unique(np.linspace(0, n - 1, checks.SCORED_AGAIN).astype(int))
        ensemble, x = scorers(artifact)
        fresh = one_by_one(ensemble, x[torch.from_numpy(stored["record"][rows])])
        found[name.source] = stored["logits"][rows], fresh
    return found


def one_by_one(ensemble: Ensemble, x: torch.Tensor) -> np.ndarray:
    """(r, C) logits of the first model, in eval mode and one record at a time.

    Args:
        ensemble: on the processor; all models but the first are removed from it.
        x: (r, ...) uint8.
    """
    ensemble.keep(torch.arange(1))
    ensemble.eval()
    with torch.inference_mode():
        logits = [ensemble(ensemble.inputs(row[None, None]))[0] for row in x]
    return np.asarray(torch.cat(logits).numpy())


def _roles(inputs: Inputs) -> dict[str, list[str]]:
    """The kinds of the steps that each fit read; a step of another run is named by its role."""
    kinds = {artifact.key: str(artifact.meta["kind"]) for artifact in inputs.values()}
    # confidences are not inputs of this step: no other check reads them
    return {
        name.rest: [
            kinds.get(key, role if role == "confidences" else f"an unknown step as {role}")
            for role, key in artifact.meta["inputs"].items()
        ]
        for name, artifact in _of(inputs, "fit")
    }


def _thresholds(inputs: Inputs) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Thresholds of the threshold attacks, as used and as refitted, by score step."""
    fits = {artifact.key: name for name, artifact in _of(inputs, "fit")}
    by_source: dict[str, list[tuple[str, ThresholdAttack, np.ndarray]]] = {}
    for name, artifact in _of(inputs, "score"):
        fit = fits[artifact.meta["inputs"]["fit"]]
        method = get_attack(fit.attack)
        if isinstance(method, ThresholdAttack):
            used = np.array(artifact.json("thresholds"))
            by_source.setdefault(fit.source, []).append((name.rest, method, used))
    found: dict[str, tuple[np.ndarray, np.ndarray]] = {}
    for source, scores in by_source.items():
        shadows = pooled(inputs[signals_name(source)].tensors("shadows"))
        again = {
            method: method.fit(shadows, FitSettings())["thresholds"]
            for method in {method for _, method, _ in scores}
        }
        found |= {name: (used, again[method]) for name, method, used in scores}
    return found


def pooled(tables: Mapping[str, np.ndarray]) -> PooledShadows:
    """Records of all shadow models, from ``shadows.safetensors`` of a signals artifact."""
    classes = tables["logits"].shape[-1]
    queries = Queries(
        logits=tables["logits"].reshape(-1, classes),
        sensitivity=tables["sensitivity"].reshape(-1, classes),
        label=tables["label"].ravel(),
    )
    return PooledShadows(queries, tables["member"].ravel().astype(bool))


def _mask_counts(inputs: Inputs) -> dict[str, MaskCount]:
    return {
        name.words: checks.count_masks(
            artifact.tensors("models"), artifact.tensors("masks"), artifact.json("report")
        )
        for name, artifact in _of(inputs, "fine_tune")
    }


def _misaligned(inputs: Inputs, parts: Splits) -> tuple[dict[str, int], int]:
    """Wrong rows by signals step, and how many rows were checked."""
    labels = inputs[DATA].tensors("data")["y"]
    wrong, rows = {}, 0
    for name, artifact in _of(inputs, "signals"):
        target, shadows = artifact.tensors("target"), artifact.tensors("shadows")
        count = checks.misaligned(target, labels, parts.target_train, parts.target_test)
        for k in range(parts.shadows):
            own = {field: shadows[field][k] for field in ("record", "label", "member")}
            count += checks.misaligned(own, labels, parts.shadow_train[k], parts.shadow_test[k])
        wrong[name.words] = count
        rows += target["record"].size + shadows["record"].size
    return wrong, rows


def _learning(inputs: Inputs) -> tuple[dict[str, Learning], dict[str, list[Learning]]]:
    """What the attacked targets, and all shadows, learnt: by the words of their signals."""
    targets, shadows = {}, {}
    for name, artifact in _of(inputs, "signals"):
        if not name.assumed:  # nobody attacks the target as the adversary takes it to be
            targets[name.words] = checks.learning(artifact.tensors("target"))
        tables = artifact.tensors("shadows")
        shadows[name.words] = [
            checks.learning({field: table[k] for field, table in tables.items()})
            for k in range(len(tables["label"]))
        ]
    return targets, shadows


def _pruning(inputs: Inputs) -> tuple[Mapping[str, Any] | None, Mapping[str, Any] | None]:
    """How the target was pruned, and how the adversary's shadows were pruned if it differs."""
    done: dict[bool, Mapping[str, Any]] = {}
    for name, artifact in _of(inputs, "fine_tune"):
        if artifact.meta["params"]["pruning"] is not None:
            done.setdefault(name.assumed, artifact.meta["params"]["pruning"])
    return done.get(False), done.get(True)
