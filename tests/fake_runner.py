"""A runner that computes nothing: it writes small artifacts that depend only on the step's key.

Files in the folder ``FAKE_RUNNER`` control it, each named after a step (``:`` as ``+``):
``hold/NAME``: report until the file is removed; ``draft/NAME``: the same, in the middle of writing; ``fail/NAME``: a DataError; ``bug/NAME``: a
ZeroDivisionError; ``crash/NAME``: end this process by the signal that the file names, SIGKILL if it
is empty. ``begun`` lists the steps that have begun. Each step prints its name on standard error.

The models of a group begin together and are written one after another, as the real runner does it;
other steps of a group are done one after another.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from prunepriv.errors import DataError
from prunepriv.plan import TARGET, Step
from prunepriv.progress import Report
from prunepriv.store.artifacts import ArtifactStore, Draft

RUNNER = "tests.fake_runner:run_group"
SECONDS = 0.25
RECORDS, CLASSES = 8, 3
HOLD_AT_MOST = 60.0


def make_steering(folder: Path) -> None:
    """Make the folder, or make it say nothing again."""
    for name in ("hold", "draft", "fail", "bug", "crash"):
        (folder / name).mkdir(parents=True, exist_ok=True)
        for file in (folder / name).iterdir():
            file.unlink()
    (folder / "begun").write_text("")


def begun(folder: Path) -> list[str]:
    """The names of the steps begun, in their order."""
    return [line.replace("+", ":") for line in (folder / "begun").read_text().split()]


def run_group(
    group: Sequence[Step], store: ArtifactStore, data_folder: Path, reports: Sequence[Report]
) -> None:
    """Read all inputs as real steps do, do what the folder says, write an artifact for each step."""
    if group[0].kind in ("train", "fine_tune"):
        _do(group, store, reports)
        return
    for step, report in zip(group, reports, strict=True):
        _do([step], store, [report])


def _do(group: Sequence[Step], store: ArtifactStore, reports: Sequence[Report]) -> None:
    steering = os.environ.get("FAKE_RUNNER")
    for step, report in zip(group, reports, strict=True):
        if steering is not None:
            _note(Path(steering), step)
        report(0.0)
        for key in step.inputs.values():
            store.open(key)
    for step, report in zip(group, reports, strict=True):
        if steering is not None:
            _apply_controls(Path(steering), step.name.replace(":", "+"), report)
        report(0.5, "half", {"epoch": 1.0, "loss": 0.5})
    for step, report in zip(group, reports, strict=True):
        meta = {"step": step.name, "kind": step.kind, "seconds": SECONDS}
        with store.write(step.key, meta) as draft:
            _WRITERS.get(step.kind, _write_value)(draft, step, int(step.key[:8], 16))
            if steering is not None:
                _hold(Path(steering) / "draft" / step.name.replace(":", "+"), report)
        report(1.0)


def _note(folder: Path, step: Step) -> None:
    with (folder / "begun").open("a") as stream:
        stream.write(f"{step.name.replace(':', '+')}\n")


def _apply_controls(folder: Path, name: str, report: Report) -> None:
    sys.stderr.write(f"{name} prints this\n")
    if (folder / "fail" / name).exists():
        raise DataError(f"{name} was told to fail")
    if (folder / "bug" / name).exists():
        raise ZeroDivisionError("a mistake in the program")
    if (folder / "crash" / name).exists():
        # of this thread: while another one takes the signal, this one would write its artifact
        signal.raise_signal(signal.Signals[(folder / "crash" / name).read_text() or "SIGKILL"])
    _hold(folder / "hold" / name, report)


def _hold(file: Path, report: Report) -> None:
    deadline = time.monotonic() + HOLD_AT_MOST
    epoch = 0
    while file.exists() and time.monotonic() < deadline:
        epoch += 1
        report(0.25, f"epoch {epoch}", {"epoch": float(epoch), "loss": 1.0 / epoch})
        time.sleep(0.01)


def _write_value(draft: Draft, step: Step, number: int) -> None:
    draft.json("value", number)


def _write_data(draft: Draft, step: Step, number: int) -> None:
    draft.json("about", {"name": "fake", "kind": "tabular", "classes": CLASSES, "class_names": []})


def _write_split(draft: Draft, step: Step, number: int) -> None:
    """As a real split: the target's records are none of a shadow's."""
    first = 0 if step.number == TARGET else 100
    rows = np.arange(first, first + 2 * RECORDS)
    half = RECORDS // 2
    parts = {"train": rows[:half], "validation": rows[RECORDS:], "test": rows[half:RECORDS]}
    draft.tensors("split", parts)


def _write_model(draft: Draft, step: Step, number: int) -> None:
    weights = np.random.default_rng(number).random((2, 3), dtype=np.float32)
    draft.tensors("model", {"layers.0.weight": weights})
    draft.tensors("masks", {"layers.0.weight": weights > 0.5})
    point = {"epoch": 1, "loss": 0.5, "member_accuracy": 0.9, "validation_accuracy": 0.5}
    report = {
        "history": [point],
        "best_epoch": 1,
        "sparsity": 0.7,
        "layers": {},
        "privacy": None,
        "architecture": {"name": "fc", "parameters": 1234},
    }
    draft.json("report", report)


def _write_signals(draft: Draft, step: Step, number: int) -> None:
    rng = np.random.default_rng(number)
    tables = {
        "record": rng.integers(0, 100, RECORDS),
        "member": (np.arange(RECORDS) < RECORDS // 2).astype(np.uint8),
        "label": rng.integers(0, CLASSES, RECORDS),
        "logits": rng.normal(size=(RECORDS, CLASSES)).astype(np.float32),
    }
    if step.params.get("sensitivity") != "none":
        tables["sensitivity"] = rng.random((RECORDS, CLASSES), dtype=np.float32)
    draft.tensors("signals", tables)
    report = {"member_accuracy": 0.9, "non_member_accuracy": 0.5, "sparsity": 0.7, "layers": {}}
    draft.json("report", report)


def _write_reference(draft: Draft, step: Step, number: int) -> None:
    rng = np.random.default_rng(number)
    names = ("logits", "sensitivity")
    shape = (RECORDS, CLASSES)
    draft.tensors("reference", {name: rng.random(shape, dtype=np.float32) for name in names})


def _write_confidences(draft: Draft, step: Step, number: int) -> None:
    """Of the shadow half, or of the target's records."""
    tables = {
        "record": np.arange(RECORDS),
        "phi": np.random.default_rng(number).normal(size=RECORDS),
    }
    if step.kind == "population" and step.number != TARGET:
        tables["seen"] = (np.arange(RECORDS) % 2).astype(np.uint8)
    draft.tensors(step.kind, tables)


def _write_gaps(draft: Draft, step: Step, number: int) -> None:
    gap = (number % 100) / 100
    row = {"confidence": gap, "sensitivity": -gap, "generalization": 0.4}
    draft.json("gaps", [{"class": None, **row}, {"class": 0, **row, "confidence": None}])


def _write_size(draft: Draft, step: Step, number: int) -> None:
    left = (number % 100) / 100
    channels = {"removed_channels": None, "emitting_channels": None}
    draft.json("size", {**channels, "parameters_left": left, "multiplications_left": left})


def _write_score(draft: Draft, step: Step, number: int) -> None:
    score = np.random.default_rng(number).random(RECORDS)
    draft.tensors("score", {"score": score, "decision": (score > 0.5).astype(np.uint8)})
    draft.json("thresholds", [0.5])


def _write_evaluation(draft: Draft, step: Step, number: int) -> None:
    accuracy = 0.5 + (number % 100) / 200
    row = {
        "attack": "conf",
        "accuracy": accuracy,
        "accuracy_ci95": [accuracy - 0.01, min(1.0, accuracy + 0.01)],
        "p": 0.01,
        "estimate": accuracy,
        "standard_error": 0.01,
        "auc": accuracy,
        "tpr_at_fpr": {"0.01": 0.1, "0.001": 0.0},
        "members": 4,
        "non_members": 4,
    }
    draft.json("evaluation", [row])
    chance = {"attacks": 1, "best": accuracy, "null95": 0.6, "p": 0.01}
    draft.json("chance", chance)
    choice = {"attack": "conf", "estimate": accuracy, "standard_error": 0.01, "p": 0.01}
    draft.json("choice", {**choice, "why": None})


def _write_contrast(draft: Draft, step: Step, number: int) -> None:
    difference = (number % 100) / 1000
    row = {"attack": "conf", "metric": "accuracy", "class": None, "difference": difference}
    row |= {"ci95": [difference - 0.01, difference + 0.01], "clear": difference > 0.01}
    draft.json("contrast", [row, {**row, "attack": "chosen"}])


def _write_checks(draft: Draft, step: Step, number: int) -> None:
    check = {"check": "splits_disjoint", "label": "Splits are disjoint", "passed": True}
    draft.json("checks", [{**check, "detail": "They share none."}])


_WRITERS = {
    "data": _write_data,
    "split": _write_split,
    "train": _write_model,
    "fine_tune": _write_model,
    "signals": _write_signals,
    "population": _write_confidences,
    "confidences": _write_confidences,
    "reference": _write_reference,
    "divergence": _write_gaps,
    "size": _write_size,
    "score": _write_score,
    "evaluation": _write_evaluation,
    "contrast": _write_contrast,
    "checks": _write_checks,
}
