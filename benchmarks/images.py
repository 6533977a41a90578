"""Training speed of every network on records of every data set's shape; the records are noise."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator, Sequence

import torch

from benchmarks.machine import describe
from prunepriv.models import Ensemble, build
from prunepriv.models.device import arithmetic, best_device
from prunepriv.options import DATASETS, MODELS
from prunepriv.training import cross_entropy, initialize

WARM_UP = 1


def report(steps: int | None, batch: int | None, threads: int) -> None:
    """Print records per second and ms per step of one model, and its peak memory on a GPU.

    Forward pass, backward pass and Adam's step are timed; loading records is not.

    Args:
        steps: timed steps, after one untimed step; None: 20 on a GPU, 2 on the processor.
        batch: records per step; None: 128 on a GPU, as in training, 32 on the processor.
        threads: threads of the processor; a run uses one for each of its steps.
    """
    device = best_device()
    steps = steps or (20 if device.type == "cuda" else 2)
    batch = batch or (128 if device.type == "cuda" else 32)
    where = torch.cuda.get_device_name(device) if device.type == "cuda" else f"{threads} threads"
    print(describe())
    print(f"training on {where}, {steps} steps of {batch} records")
    print("| data sets | record | classes | network | records/s | ms per step | peak memory, MB |")
    print("|---|---|---|---|---|---|---|")
    torch.set_num_threads(threads)
    for names, shape, classes, network in _rows():
        seconds, peak = _train(network, shape, classes, steps, batch, device)
        record = "x".join(map(str, shape))
        speed = f"{batch / seconds:.0f} | {1000 * seconds:.1f} | {peak}"
        print(f"| {names} | {record} | {classes} | {network} | {speed} |", flush=True)
    print(describe())


def _rows() -> Iterator[tuple[str, Sequence[int], int, str]]:
    """Data sets of the same shape and classes, with every network that takes their records."""
    alike = defaultdict(list)
    for data in DATASETS.values():
        alike[data.kind, tuple(data.shape), data.classes].append(data.name)
    for (kind, shape, classes), names in alike.items():
        for network in MODELS.values():
            if network.serves == kind:
                yield ", ".join(names), shape, classes, network.name


def _train(
    network: str,
    shape: Sequence[int],
    classes: int,
    steps: int,
    batch: int,
    device: torch.device,
) -> tuple[float, str]:
    """Seconds per step, and the peak memory of a GPU in MB."""
    ensemble = build(network, 1, shape, classes)
    initialize(ensemble, seed=1)
    generator = torch.Generator().manual_seed(1)
    ensemble.draw_dropout_from([generator])
    ensemble.to(device).train()
    top = 256 if len(shape) == 3 else 2
    x = torch.randint(0, top, (1, batch, *shape), dtype=torch.uint8, generator=generator)
    y = torch.randint(0, classes, (1, batch), generator=generator).to(device)
    adam = torch.optim.Adam(ensemble.parameters(), weight_decay=5e-4, fused=True)
    for _ in range(WARM_UP):
        _step(ensemble, x, y, adam, device)
    _wait(device)
    started = time.perf_counter()
    for _ in range(steps):
        _step(ensemble, x, y, adam, device)
    _wait(device)
    return (time.perf_counter() - started) / steps, _peak(device)


def _step(
    ensemble: Ensemble,
    x: torch.Tensor,
    y: torch.Tensor,
    adam: torch.optim.Optimizer,
    device: torch.device,
) -> None:
    adam.zero_grad()
    with arithmetic(device):
        logits = ensemble(ensemble.inputs(x.to(device)))
    cross_entropy(logits.float(), y).sum().backward()
    adam.step()


def _wait(device: torch.device) -> None:
    """Wait until a GPU has finished: its calls return before the work is done."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _peak(device: torch.device) -> str:
    """Peak memory since the last call; "-" for the processor, where it is not known per network."""
    if device.type != "cuda":
        return "-"
    peak = torch.cuda.max_memory_allocated(device) / 2**20
    torch.cuda.reset_peak_memory_stats(device)
    return f"{peak:.0f}"
