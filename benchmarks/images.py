"""Training speed of every network on records of every data set's shape; the records are noise.

Beside our loop runs the loop that a good engineer would write in PyTorch for one model; with the
arithmetic that ours has on this device, and in bfloat16.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

import torch

from benchmarks.machine import describe
from benchmarks.plain_loop import PlainLoop, network
from prunepriv.models import build
from prunepriv.models.device import best_device
from prunepriv.options import DATASETS, MODELS
from prunepriv.training import Records, Settings, initialize, train

WATCHED = 8
"""Validation records: few, because training is measured."""


def report(
    steps: int | None, batch: int | None, threads: int, repeats: int, names: Sequence[str] = ()
) -> None:
    """Print records per second of one model in our loop and in a plain one, and peak memory.

    Both loops gather their batches, and take forward pass, backward pass and Adam's step. They run
    one after the other, several times in turn; the shortest time of an epoch of each counts. What a
    training does once, such as converting its records, is not part of an epoch.

    Args:
        steps: of an epoch of each loop; None: 20 on a GPU, 2 on the processor.
        batch: records per step; None: 128 on a GPU, as in training, 32 on the processor.
        threads: threads of the processor; a run uses one for each of its steps.
        repeats: how often each loop is run.
        names: of networks; all if there are none.
    """
    device = best_device()
    steps = steps or (20 if device.type == "cuda" else 2)
    batch = batch or (128 if device.type == "cuda" else 32)
    where = torch.cuda.get_device_name(device) if device.type == "cuda" else f"{threads} threads"
    print(describe())
    print(f"training on {where}, {steps} steps of {batch} records")
    print(
        "| data sets | record | classes | network | records/s | plain loop | in bfloat16 "
        "| ours to plain | peak, MB |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    torch.set_num_threads(threads)
    for data, shape, classes, kind in _rows():
        if names and kind not in names:
            continue
        records = _records(shape, classes, steps * batch, device)
        took = seconds(kind, classes, records, batch, repeats)
        speeds = [
            f"{steps * batch / time:.0f}" for time in (took.ours, took.plain, took.in_bfloat16)
        ]
        shown = [data, "x".join(map(str, shape)), str(classes), kind, *speeds]
        print(f"| {' | '.join(shown)} | {took.plain / took.ours:.2f} | {took.peak} |", flush=True)
    print(describe())


def _rows() -> Iterator[tuple[str, Sequence[int], int, str]]:
    """Data sets of the same shape and classes, with every network that takes their records."""
    alike = defaultdict(list)
    for data in DATASETS.values():
        alike[data.kind, tuple(data.shape), data.classes].append(data.name)
    for (kind, shape, classes), names in alike.items():
        for model in MODELS.values():
            if model.serves == kind:
                yield ", ".join(names), shape, classes, model.name


def _records(shape: Sequence[int], classes: int, count: int, device: torch.device) -> Records:
    generator = torch.Generator().manual_seed(1)
    total, top = count + WATCHED, 256 if len(shape) == 3 else 2
    x = torch.randint(0, top, (total, *shape), dtype=torch.uint8, generator=generator)
    y = torch.randint(0, classes, (total,), generator=generator)
    rows = torch.arange(total)[None]
    return Records(x, y, rows[:, :count], rows[:, count:]).to(device)


class Seconds(NamedTuple):
    """Of an epoch.

    Attributes:
        ours: in our loop.
        plain: in the plain loop, with the same arithmetic.
        in_bfloat16: in the plain loop with products in bfloat16.
        peak: of a GPU's memory in our loop, in MB.
    """

    ours: float
    plain: float
    in_bfloat16: float
    peak: str


def seconds(kind: str, classes: int, records: Records, batch: int, repeats: int) -> Seconds:
    """Time an epoch of every loop.

    Args:
        kind: of the network.
        classes: of the labels.
        records: of one model.
        batch: records per step.
        repeats: how often each loop is run, after a first time that does not count.
    """
    device, shape = records.x.device, records.x.shape[1:]
    settings = Settings(epochs=1, patience=None, batch_size=batch)
    ensemble = build(kind, 1, shape, classes)
    initialize(ensemble, seed=1)
    others = [
        PlainLoop(network(kind, shape, classes), ensemble.inputs, records, settings, bfloat16)
        for bfloat16 in (device.type == "cuda", True)
    ]
    times, peaks = list[list[float]](), list[str]()
    started = _now(device)

    def after_an_epoch_of_ours(*_: object) -> None:
        nonlocal started
        took = _now(device) - started
        peaks.append(_peak(device))
        times.append([took, *(_timed(other.train, device) for other in others)])
        _peak(device)
        started = _now(device)

    train(
        ensemble,
        records,
        replace(settings, epochs=1 + repeats),
        seed=1,
        stage="train",
        reports=[after_an_epoch_of_ours],
        device=device,
    )
    best = (min(column) for column in zip(*times[1:], strict=True))
    return Seconds(*best, peak=peaks[-1])


def _timed(work: Callable[[], object], device: torch.device) -> float:
    started = _now(device)
    work()
    return _now(device) - started


def _now(device: torch.device) -> float:
    """Seconds, when a GPU has finished too: its calls return before the work is done."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter()


def _peak(device: torch.device) -> str:
    """Peak memory since the last call; "-" for the processor, where it is not known per network."""
    if device.type != "cuda":
        return "-"
    peak = torch.cuda.max_memory_allocated(device) / 2**20
    torch.cuda.reset_peak_memory_stats(device)
    return f"{peak:.0f}"
