"""The checks of a synthetic run that random numbers allow; the models cannot be scored again."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from prunepriv import checks
from prunepriv.checks import Check, Learning, MaskCount
from prunepriv.datasets.splits import Split
from prunepriv.plan import DATA, TARGET, Step, StepKind, StepName, read_name
from prunepriv.store.artifacts import Artifact
from prunepriv.store.result import Result


def checks_of(step: Step, result: Result) -> list[Check]:
    """What the step `checks` finds in the artifacts that it reads."""
    splits = {
        name.number: Split.from_arrays(artifact.tensors("split"))
        for name, artifact in _of(step, result, "split")
    }
    pruning = result.experiment.pruning.model_dump(mode="json")
    fits = sum(1 for _ in _of(step, result, "fit"))
    return [
        checks.splits_disjoint(list(splits.values())),
        checks.eval_mode(_scored_again(step, result)),
        checks.thresholds_from_shadows(fits, [], {}),
        checks.masks_exact(_mask_counts(step, result)),
        checks.membership_aligned(*_misaligned(step, result, splits)),
        checks.models_learned(*_learning(step, result)),
        checks.adversary_knowledge(pruning, None),
        checks.attacks_not_run(step.params["attacks"]),
    ]


def _of(step: Step, result: Result, kind: StepKind) -> Iterator[tuple[StepName, Artifact]]:
    """What the step reads of a kind; the target's first, as in the plan."""
    for text, key in step.inputs.items():
        name = read_name(text)
        if name.kind == kind:
            yield name, result.store.open(key)


def _scored_again(step: Step, result: Result) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Some of each target's logits, and almost the same again."""
    found = {}
    for name, artifact in _of(step, result, "signals"):
        if name.number == TARGET:
            logits = artifact.tensors("signals")["logits"][: checks.SCORED_AGAIN]
            found[name.source] = logits, logits * np.float32(1 + 1e-6)
    return found


def _mask_counts(step: Step, result: Result) -> dict[str, MaskCount]:
    found: dict[str, MaskCount] = {}
    for name, artifact in _of(step, result, "fine_tune"):
        weights, masks = artifact.tensors("model"), artifact.tensors("masks")
        count = checks.count_masks(weights, masks, artifact.json("report"))
        before = found.get(name.source)
        found[name.source] = count if before is None else before + count
    return found


def _learning(step: Step, result: Result) -> tuple[dict[str, Learning], dict[str, list[Learning]]]:
    targets: dict[str, Learning] = {}
    shadows: dict[str, list[Learning]] = {}
    for name, artifact in _of(step, result, "signals"):
        learnt = checks.learning(artifact.tensors("signals"))
        if name.number == TARGET:
            targets[name.source] = learnt
        else:
            shadows.setdefault(name.source, []).append(learnt)
    return targets, shadows


def _misaligned(
    step: Step, result: Result, splits: dict[int | None, Split]
) -> tuple[dict[str, int], int]:
    """Wrong rows by kind of models, and how many rows there are."""
    labels = result.store.open(step.inputs[DATA]).tensors("data")["y"]
    wrong: dict[str, int] = {}
    rows = 0
    for name, artifact in _of(step, result, "signals"):
        table, own = artifact.tensors("signals"), splits[name.number]
        count = checks.misaligned(table, labels, own.train, own.test)
        wrong[name.source] = wrong.get(name.source, 0) + count
        rows += len(table["record"])
    return wrong, rows
