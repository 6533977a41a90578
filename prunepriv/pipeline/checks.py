"""The ``checks`` step: reads a finished run's artifacts, one at a time, and checks them.

:mod:`prunepriv.checks` says what is compared with what.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch

from prunepriv import checks
from prunepriv.attacks import FitSettings, get_attack
from prunepriv.attacks.threshold import ThresholdAttack
from prunepriv.checks import Check, Learning, MaskCount
from prunepriv.datasets.splits import Split
from prunepriv.models import Ensemble
from prunepriv.pipeline.context import StepContext
from prunepriv.pipeline.held_out import Shadows
from prunepriv.pipeline.models import load_model
from prunepriv.plan import DATA, TARGET, Step, StepKind, StepName, read_name, step_words
from prunepriv.store.artifacts import Artifact

Inputs = Mapping[str, Artifact]
"""The artifacts of the run by the name of their step."""

Scorer = Callable[[Artifact], tuple[Ensemble, torch.Tensor]]
"""Signals artifact -> the model that it is of, and all records (n, ...)."""

ANSWERS: tuple[StepKind, ...] = ("signals", "population")
"""Steps that hold a model's answers to records of its own half."""


def check_run(context: StepContext, attacks: Sequence[str]) -> list[Check]:
    """Every check of a run.

    Args:
        context: of the step, whose inputs are the artifacts of the run.
        attacks: names of the attacks that were run.
    """
    inputs = context.inputs
    splits = splits_of(inputs)
    others = _read_by_fits(inputs, context.store.open, splits[TARGET])
    return [
        checks.splits_disjoint([splits[number] for number in sorted(splits)]),
        checks.eval_mode(_scored_again(inputs, lambda signals: _scorer(context, signals))),
        checks.thresholds_from_shadows(
            sum(1 for _ in of_kind(inputs, "fit")), others, _thresholds(inputs, context.store.open)
        ),
        checks.masks_exact(mask_counts(inputs)),
        checks.membership_aligned(*misaligned(inputs, splits)),
        checks.models_learned(*learning(inputs)),
        checks.adversary_knowledge(*_pruning(inputs)),
        checks.attacks_not_run(attacks),
    ]


def splits_of(inputs: Inputs) -> dict[int, Split]:
    """The split of each model, by its number."""
    return {
        name.number or TARGET: Split.from_arrays(artifact.tensors("split"))
        for name, artifact in of_kind(inputs, "split")
    }


def of_kind(inputs: Inputs, kind: StepKind) -> Iterator[tuple[StepName, Artifact]]:
    """Inputs of a kind of step, with their names."""
    for text, artifact in inputs.items():
        name = read_name(text)
        if name.kind == kind:
            yield name, artifact


def _scorer(context: StepContext, signals: Artifact) -> tuple[Ensemble, torch.Tensor]:
    again = Step(signals.meta["step"], "signals", signals.meta["params"], signals.meta["inputs"])
    scoring = StepContext(again, context.store, context.data_folder)
    return load_model(scoring), scoring.records[0]


def _scored_again(inputs: Inputs, scorer: Scorer) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Stored and new logits of some records of the target, by kind of model."""
    found = {}
    for name, artifact in of_kind(inputs, "signals"):
        if name.number != TARGET:
            continue
        stored = artifact.tensors("signals")
        n = len(stored["record"])
        rows = np.unique(np.linspace(0, n - 1, checks.SCORED_AGAIN).astype(int))
        model, x = scorer(artifact)
        fresh = one_by_one(model, x[torch.from_numpy(stored["record"][rows])])
        found[name.source] = stored["logits"][rows], fresh
    return found


def one_by_one(model: Ensemble, x: torch.Tensor) -> np.ndarray:
    """(r, C) logits of a stack of one, in eval mode and one record at a time.

    Args:
        model: on the processor.
        x: (r, ...) uint8.
    """
    model.eval()
    with torch.inference_mode():
        logits = [model(model.inputs(row[None, None]))[0] for row in x]
    return np.asarray(torch.cat(logits).numpy())


def _read_by_fits(inputs: Inputs, opened: Callable[[str], Artifact], target: Split) -> list[str]:
    """What the fits read that is not a shadow's answers to its own records, in words.

    The records of signals are compared with those of the splits by another check.
    """
    found = []
    for key in {k for _, fit in of_kind(inputs, "fit") for k in fit.meta["inputs"].values()}:
        artifact = opened(key)
        step = str(artifact.meta["step"])
        name = read_name(step)
        if name.kind not in ANSWERS or not name.of_shadow:
            found.append(step_words(step))
        elif name.kind == "population" and _shares(artifact.tensors("population"), target):
            found.append(f"records of the target in {step_words(step)}")
    return sorted(found)


def _shares(table: Mapping[str, np.ndarray], target: Split) -> bool:
    """Whether a table has a record of the target's half."""
    return bool(np.isin(table["record"], target.half).any())


def _thresholds(
    inputs: Inputs, opened: Callable[[str], Artifact]
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Thresholds of the threshold attacks, as used and as refitted, by score step."""
    fits = {artifact.key: (name, artifact) for name, artifact in of_kind(inputs, "fit")}
    used: dict[tuple[str, ...], list[tuple[str, ThresholdAttack, np.ndarray]]] = {}
    seeds: dict[tuple[str, ...], int] = {}
    for name, artifact in of_kind(inputs, "score"):
        fit, fitted = fits[artifact.meta["inputs"]["fit"]]
        method = get_attack(fit.attack)
        if isinstance(method, ThresholdAttack):
            thresholds = np.array(artifact.json("thresholds"))
            read = tuple(fitted.meta["inputs"].values())
            seeds[read] = fitted.meta["params"]["seed"]
            used.setdefault(read, []).append((name.rest, method, thresholds))
    found: dict[str, tuple[np.ndarray, np.ndarray]] = {}
    for read, scores in used.items():
        shadows = Shadows([opened(key).tensors("signals") for key in read], seeds[read])
        again = {
            method: method.fit(shadows.for_fit, FitSettings())["thresholds"]
            for method in {method for _, method, _ in scores}
        }
        found |= {name: (told, again[method]) for name, method, told in scores}
    return found


def mask_counts(inputs: Inputs) -> dict[str, MaskCount]:
    """By kind of models: the target and its shadows together."""
    found: dict[str, MaskCount] = {}
    for name, artifact in of_kind(inputs, "fine_tune"):
        weights, masks = artifact.tensors("model"), artifact.tensors("masks")
        count = checks.count_masks(weights, masks, artifact.json("report"))
        source = name.source_words
        found[source] = found[source] + count if source in found else count
    return found


def misaligned(inputs: Inputs, splits: Mapping[int, Split]) -> tuple[dict[str, int], int]:
    """Wrong rows by kind of models, and how many rows were checked."""
    labels = inputs[DATA].tensors("data")["y"]
    wrong: dict[str, int] = {}
    rows = 0
    for name, artifact in of_kind(inputs, "signals"):
        table, split = artifact.tensors("signals"), splits[name.number or TARGET]
        count = checks.misaligned(table, labels, split.train, split.test)
        source = name.source_words
        wrong[source] = wrong.get(source, 0) + count
        rows += table["record"].size
    return wrong, rows


def learning(inputs: Inputs) -> tuple[dict[str, Learning], dict[str, list[Learning]]]:
    """What the attacked targets, and all shadows, learnt: by the words of their source."""
    targets: dict[str, Learning] = {}
    shadows: dict[str, list[Learning]] = {}
    for name, artifact in of_kind(inputs, "signals"):
        source, learnt = name.source_words, checks.learning(artifact.tensors("signals"))
        if name.number == TARGET:
            targets[source] = learnt
        else:
            shadows.setdefault(source, []).append(learnt)
    return targets, shadows


def _pruning(inputs: Inputs) -> tuple[Mapping[str, Any] | None, Mapping[str, Any] | None]:
    """How the target was pruned, and how the adversary's shadows were pruned if it differs."""
    done: dict[bool, Mapping[str, Any]] = {}
    for name, artifact in of_kind(inputs, "fine_tune"):
        if artifact.meta["params"]["pruning"] is not None:
            done.setdefault(name.assumed, artifact.meta["params"]["pruning"])
    return done.get(False), done.get(True)
