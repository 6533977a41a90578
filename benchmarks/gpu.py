"""The whole job with a large network on pictures of CIFAR10's size: its stages against their goals.

The pictures are made up (a pattern per class, and noise), so that nothing is downloaded, and early
stopping is off, so that all epochs are done. No fit, no record and no epoch is left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np
import torch

from benchmarks.machine import describe
from benchmarks.running import Job, run
from prunepriv.datasets.splits import split
from prunepriv.models import build, multiplications
from prunepriv.models.device import best_device
from prunepriv.options import DATASETS
from prunepriv.store.own_data import import_data, imported

SHADOWS = 5


class Size(NamedTuple):
    """What is trained."""

    records: int
    model: str
    epochs: int
    fine_tune_epochs: int


FULL = Size(60_000, "resnet18", 100, 50)
GOALS = {"training": 111.0, "the whole job": 180.0}
"""Seconds on one H100 for the full size."""
PEAK = 989e12
"""Of an H100: dense bfloat16 operations per second."""
STAGES = {
    "training": ("train", "fine_tune"),
    "signals": ("signals", "population", "confidences"),
    "attacks": ("fit", "score"),
}


def report(records: int, model: str, epochs: int, fine_tune_epochs: int) -> None:
    """Print seconds of every stage, pictures per second in training, and the goals.

    Args:
        records: pictures; each of the six models trains on a quarter of nine tenths of them.
        model: name of the network.
        epochs: of training.
        fine_tune_epochs: after pruning.
    """
    device, like = best_device(), DATASETS["cifar10"]
    on_gpu = device.type == "cuda"
    print(describe())
    print(torch.cuda.get_device_name(device) if on_gpu else "no GPU: a trial on the processor")
    with TemporaryDirectory(prefix="prunepriv-") as folder:
        store = Path(folder) / "store"
        file = write_pictures(Path(folder) / "pictures.npz", records, like.shape, like.classes)
        import_data(file, store)
        job = run(
            store, "--inline", "--dataset", imported(store)[0].own.handle, "--model", model,
            "--epochs", str(epochs), "--fine-tune-epochs", str(fine_tune_epochs), "--patience", "0",
            "--models", "pruned", "--shadows", str(SHADOWS),
        )  # fmt: skip
    members = len(split(records, 0, 0).train)
    passes = members * (1 + SHADOWS) * (epochs + fine_tune_epochs)
    operations = 6.0 * multiplications(build(model, 1, like.shape, like.classes), like.shape)
    goals = GOALS if on_gpu and Size(records, model, epochs, fine_tune_epochs) == FULL else {}
    for line in table(job, passes, operations, on_gpu, goals):
        print(line)


def table(
    job: Job, passes: int, operations: float, on_gpu: bool, goals: Mapping[str, float]
) -> list[str]:
    """The lines of the table.

    Args:
        job: the finished run.
        passes: pictures that all models were trained on, all epochs together.
        operations: of training on one picture: three times those of its forward pass.
        on_gpu: whether a GPU did it.
        goals: seconds by stage that this job is measured by; those of another job or device are
            only told.
    """
    spent = {stage: sum(job.step(f"{kind}:") for kind in kinds) for stage, kinds in STAGES.items()}
    spent["the whole job"] = job.seconds
    lines = ["| stage | seconds | goal |", "|---|---|---|"]
    for stage, seconds in spent.items():
        lines.append(f"| {stage} | {seconds:.1f} | {_verdict(seconds, stage, goals)} |")
    speed = passes / spent["training"]
    share = f", {speed * operations / PEAK:.1%} of the peak of an H100" if on_gpu else ""
    lines.append(f"{passes:,} pictures in training, {speed:,.0f} a second{share}")
    return lines


def _verdict(seconds: float, stage: str, goals: Mapping[str, float]) -> str:
    if stage not in GOALS:
        return "-"
    if stage not in goals:
        return f"{GOALS[stage]:g}, not measured"
    return f"{goals[stage]:g}, {'met' if seconds <= goals[stage] else 'missed'}"


def write_pictures(file: Path, records: int, shape: tuple[int, ...], classes: int) -> Path:
    """Write coloured pictures as an npz file with the arrays x (n, H, W, C) and y."""
    rng = np.random.default_rng(1)
    y = rng.permutation(np.arange(records) % classes)
    channels, height, width = shape
    patterns = rng.integers(0, 256, (classes, height, width, channels), dtype=np.uint8)
    noise = rng.integers(0, 256, (records, height, width, channels), dtype=np.uint8)
    np.savez(file, x=patterns[y] // 2 + noise // 2, y=y)
    return file
