"""A runner that computes nothing: it writes small artifacts that depend only on the step's key.

Files in the folder ``FAKE_RUNNER`` control it, each named after a step (``:`` as ``+``):
``hold/NAME``: report until the file is removed; ``fail/NAME``: a DataError; ``bug/NAME``: a
ZeroDivisionError; ``crash/NAME``: end this process by the signal that the file names, SIGKILL if it
is empty. ``begun`` lists the steps that have begun. Each step prints its name on standard error.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

import numpy as np

from prunepriv.errors import DataError
from prunepriv.plan import Step
from prunepriv.progress import Report
from prunepriv.store.artifacts import ArtifactStore, Draft

RUNNER = "tests.fake_runner:run_step"
SECONDS = 0.25
RECORDS, CLASSES, SHADOWS = 8, 3, 2
HOLD_AT_MOST = 60.0


def make_steering(folder: Path) -> None:
    """Make the folder, or make it say nothing again."""
    for name in ("hold", "fail", "bug", "crash"):
        (folder / name).mkdir(parents=True, exist_ok=True)
        for file in (folder / name).iterdir():
            file.unlink()
    (folder / "begun").write_text("")


def begun(folder: Path) -> list[str]:
    """The names of the steps begun, in their order."""
    return [line.replace("+", ":") for line in (folder / "begun").read_text().split()]


def run_step(step: Step, store: ArtifactStore, data_folder: Path, report: Report) -> None:
    """Read all inputs as a real step does, do what the folder says, write the artifact."""
    for key in step.inputs.values():
        store.open(key)
    if "FAKE_RUNNER" in os.environ:
        _apply_controls(Path(os.environ["FAKE_RUNNER"]), step.name.replace(":", "+"), report)
    report(0.5, "half", {"epoch": 1.0, "loss": 0.5})
    meta = {"step": step.name, "kind": step.kind, "seconds": SECONDS}
    with store.write(step.key, meta) as draft:
        _WRITERS.get(step.kind, _write_value)(draft, int(step.key[:8], 16))
    report(1.0)


def _apply_controls(folder: Path, name: str, report: Report) -> None:
    with (folder / "begun").open("a") as stream:
        stream.write(f"{name}\n")
    sys.stderr.write(f"{name} prints this\n")
    if (folder / "fail" / name).exists():
        raise DataError(f"{name} was told to fail")
    if (folder / "bug" / name).exists():
        raise ZeroDivisionError("a mistake in the program")
    if (folder / "crash" / name).exists():
        os.kill(os.getpid(), signal.Signals[(folder / "crash" / name).read_text() or "SIGKILL"])
    deadline = time.monotonic() + HOLD_AT_MOST
    epoch = 0
    while (folder / "hold" / name).exists() and time.monotonic() < deadline:
        epoch += 1
        report(0.25, f"epoch {epoch}", {"epoch": float(epoch), "loss": 1.0 / epoch})
        time.sleep(0.01)


def _write_value(draft: Draft, number: int) -> None:
    draft.json("value", number)


def _write_data(draft: Draft, number: int) -> None:
    draft.json("about", {"name": "fake", "kind": "tabular", "classes": CLASSES, "class_names": []})


def _write_models(draft: Draft, number: int) -> None:
    point = {"epoch": 1, "loss": 0.5, "member_accuracy": 0.9, "validation_accuracy": 0.5}
    models = SHADOWS + 1
    report = {"history": [[point]] * models, "best_epoch": [1] * models}
    draft.json("report", {**report, "architecture": {"name": "fc", "parameters": 1234}})


def _write_signals(draft: Draft, number: int) -> None:
    rng = np.random.default_rng(number)

    def some(*lead: int) -> dict[str, np.ndarray]:
        shape = (*lead, RECORDS)
        return {
            "record": rng.integers(0, 100, shape),
            "member": np.broadcast_to(np.arange(RECORDS) < RECORDS // 2, shape).astype(np.uint8),
            "label": rng.integers(0, CLASSES, shape),
            "logits": rng.normal(size=(*shape, CLASSES)).astype(np.float32),
            "sensitivity": rng.random((*shape, CLASSES)).astype(np.float32),
        }

    draft.tensors("target", some())
    draft.tensors("shadows", some(SHADOWS))
    report = {"member_accuracy": 0.9, "non_member_accuracy": 0.5, "sparsity": 0.7, "layers": {}}
    draft.json("report", report)


def _write_reference(draft: Draft, number: int) -> None:
    rng = np.random.default_rng(number)
    shape = (SHADOWS, RECORDS, CLASSES)
    names = ("logits", "sensitivity")
    draft.tensors("reference", {name: rng.random(shape, dtype=np.float32) for name in names})


def _write_gaps(draft: Draft, number: int) -> None:
    gap = (number % 100) / 100
    row = {"confidence": gap, "sensitivity": -gap, "generalization": 0.4}
    draft.json("gaps", [{"class": None, **row}, {"class": 0, **row, "confidence": None}])


def _write_score(draft: Draft, number: int) -> None:
    score = np.random.default_rng(number).random(RECORDS)
    draft.tensors("score", {"score": score, "decision": (score > 0.5).astype(np.uint8)})
    draft.json("thresholds", [0.5])


def _write_evaluation(draft: Draft, number: int) -> None:
    accuracy = 0.5 + (number % 100) / 200
    row = {
        "attack": "conf",
        "accuracy": accuracy,
        "accuracy_ci95": [accuracy - 0.01, min(1.0, accuracy + 0.01)],
        "auc": accuracy,
        "tpr_at_fpr": {"0.01": 0.1, "0.001": 0.0},
        "members": 4,
        "non_members": 4,
    }
    draft.json("evaluation", [row])


def _write_checks(draft: Draft, number: int) -> None:
    check = {"check": "splits_disjoint", "label": "Splits are disjoint", "passed": True}
    draft.json("checks", [{**check, "detail": "They share none."}])


_WRITERS = {
    "data": _write_data,
    "train": _write_models,
    "fine_tune": _write_models,
    "signals": _write_signals,
    "reference": _write_reference,
    "divergence": _write_gaps,
    "score": _write_score,
    "evaluation": _write_evaluation,
    "checks": _write_checks,
}
