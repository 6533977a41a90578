"""What models answer: signals on their own records, and what reference attacks compare.

The records of an artifact are either the model's own, or the target's, or the shadow half: no
artifact that a fit reads has rows of the target.
"""

from __future__ import annotations

import numpy as np
import torch

from prunepriv.datasets.splits import Split
from prunepriv.divergence import gaps
from prunepriv.pipeline.context import StepContext, Writer
from prunepriv.pipeline.models import load_model
from prunepriv.plan import TARGET
from prunepriv.seeding import derive
from prunepriv.signals import answers, confidences, signals
from prunepriv.store.artifacts import Draft
from prunepriv.store.signals import TargetSignals


def measure_signals(context: StepContext) -> Writer:
    """The signals of a model on its members and its non-members."""
    trained = context.inputs["model"].json("report")
    split = context.split
    _, y = context.records
    scored = _scored(context, split.own, "own")
    logits = scored["logits"]
    labels = y.numpy()[split.own]
    member = np.arange(len(split.own)) < len(split.train)
    correct = logits.argmax(axis=1) == labels
    tables = {
        "record": split.own,
        "member": member.astype(np.uint8),
        "label": labels,
        **scored,
    }
    report = {
        "member_accuracy": float(correct[member].mean()),
        "non_member_accuracy": float(correct[~member].mean()),
        "sparsity": trained["sparsity"],
        "layers": trained["layers"],
    }

    def write(draft: Draft) -> None:
        draft.tensors("signals", tables)
        draft.json("report", report)

    return write


def measure_reference(context: StepContext) -> Writer:
    """A shadow scores the target's records, for an export."""
    own = Split.from_arrays(context.arrays("target", "split")).own
    tables = _scored(context, own, "reference")
    return lambda draft: draft.tensors("reference", tables)


def measure_population(context: StepContext) -> Writer:
    """A model's confidence in the records of the shadow half, and how a shadow used them."""
    split = context.split
    tables = {"record": split.half, "phi": _confidences(context, split.half)}
    if context.step.number != TARGET:
        tables["seen"] = split.used
    return lambda draft: draft.tensors("population", tables)


def measure_confidences(context: StepContext) -> Writer:
    """A shadow's confidence in the target's records, none of which it was trained on."""
    own = context.split.own
    tables = {"record": own, "phi": _confidences(context, own)}
    return lambda draft: draft.tensors("confidences", tables)


def compare(context: StepContext) -> Writer:
    """How differently the target treats its members and its non-members."""
    seen = TargetSignals.from_arrays(context.arrays("signals", "signals"))
    rows = gaps(
        seen.member,
        seen.label,
        seen.confidence,
        seen.label_sensitivity,
        seen.correct,
        seen.logits.shape[1],
        seed=derive(context.params["seed"], "divergence"),
    )
    return lambda draft: draft.json("gaps", rows)


def _scored(context: StepContext, rows: np.ndarray, use: str) -> dict[str, np.ndarray]:
    """(r, C) logits of the records `rows`, and sensitivity unless no attack reads it."""
    x, _ = context.records
    if context.params.get("sensitivity") == "none":
        found = answers(load_model(context), x, torch.from_numpy(rows)[None])
        return {"logits": found[0].numpy()}
    logits, sensitivity = signals(
        load_model(context),
        x,
        torch.from_numpy(rows)[None],
        seed=derive(context.params["seed"], "signals", use),
        exact=context.params.get("sensitivity") == "exact",
    )
    return {"logits": logits[0].numpy(), "sensitivity": sensitivity[0].numpy()}


def _confidences(context: StepContext, rows: np.ndarray) -> np.ndarray:
    """(r,) scaled confidences."""
    x, y = context.records
    found: np.ndarray = confidences(load_model(context), x, y, torch.from_numpy(rows))[0].numpy()
    return found
