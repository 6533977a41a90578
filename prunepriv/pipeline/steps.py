"""How each step of a plan is done: read inputs from the store, compute, write one artifact.

Runs in a worker, never in the dashboard's process: it imports torch.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import torch

from prunepriv.datasets import load, split
from prunepriv.defenses import private_guarantee
from prunepriv.errors import DataError
from prunepriv.options import OWN
from prunepriv.pipeline import answers, attacks, evaluations
from prunepriv.pipeline.checks import check_run
from prunepriv.pipeline.context import StepContext, Writer
from prunepriv.pipeline.models import fine_tune_group, measure_size, train_group
from prunepriv.plan import Step, StepKind
from prunepriv.progress import Report
from prunepriv.store.artifacts import ArtifactStore, Draft

THREADS = 1
"""Threads of a step: one gives the same figures everywhere; more would slow other workers down."""


def run_group(
    group: Sequence[Step], store: ArtifactStore, data_folder: Path, reports: Sequence[Report]
) -> None:
    """Do the steps of a group, whose inputs are in the store, and write an artifact for each.

    Models of a group are trained as one stack; other steps are done one after another. No artifact
    depends on the group.

    Args:
        group: steps of one family, or one step.
        store: holds the artifacts.
        data_folder: the folder of downloaded archives.
        reports: one per step, called first when the step begins.

    Raises:
        PruneprivError: a step cannot be done; one sentence says why.
        Cancelled: from a report; finished steps of the group are kept.
    """
    torch.set_num_threads(THREADS)
    if group[0].kind in _TOGETHER:
        _do(group, store, data_folder, reports)
        return
    for step, report in zip(group, reports, strict=True):
        _do([step], store, data_folder, [report])


def _do(
    group: Sequence[Step], store: ArtifactStore, folder: Path, reports: Sequence[Report]
) -> None:
    for report in reports:
        report(0.0)
    started = time.perf_counter()
    contexts = [StepContext(s, store, folder, r) for s, r in zip(group, reports, strict=True)]
    writers = _writers(contexts)
    each = (time.perf_counter() - started) / len(group)
    for step, write, report in zip(group, writers, reports, strict=True):
        meta = {
            "step": step.name,
            "kind": step.kind,
            "params": dict(step.params),
            "inputs": dict(step.inputs),
            "seconds": each,
        }
        with store.write(step.key, meta) as draft:
            write(draft)
        report(1.0)


def _writers(group: Sequence[StepContext]) -> list[Writer]:
    kind = group[0].step.kind
    if kind in _TOGETHER:
        return _TOGETHER[kind](group)
    return [_STEPS[kind](context) for context in group]


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
    parts = split(count, params["number"], params["seed"], params["limit"])
    return lambda draft: draft.tensors("split", parts.to_arrays())


def _checks(context: StepContext) -> Writer:
    found = check_run(context, context.params["attacks"])
    return lambda draft: draft.json("checks", [check.to_dict() for check in found])


def _privacy(context: StepContext) -> Writer:
    report = context.inputs["model"].json("report")
    found = private_guarantee(report["privacy"], len(report["history"]), context.params["epochs"])
    return lambda draft: draft.json("privacy", found)


_STEPS: Mapping[StepKind, Callable[[StepContext], Writer]] = {
    "data": _data,
    "split": _split,
    "signals": answers.measure_signals,
    "population": answers.measure_population,
    "confidences": answers.measure_confidences,
    "reference": answers.measure_reference,
    "divergence": answers.compare,
    "size": measure_size,
    "fit": attacks.fit,
    "score": attacks.score,
    "evaluation": evaluations.evaluation,
    "contrast": evaluations.contrast,
    "privacy": _privacy,
    "checks": _checks,
}

_TOGETHER: Mapping[StepKind, Callable[[Sequence[StepContext]], list[Writer]]] = {
    "train": train_group,
    "fine_tune": fine_tune_group,
}
"""Kinds of step whose models are trained as one stack."""
