"""The current speed of the machine, to compare wall times with: a fixed matrix product."""

from __future__ import annotations

import os
import time
from pathlib import Path

import torch


def gigaflops(size: int = 1024, repeats: int = 20) -> float:
    """Float32 matrix products of `size` on all cores, in GFLOP/s: the best of `repeats`."""
    torch.set_num_threads(os.cpu_count() or 1)
    a = torch.ones(size, size)
    best = float("inf")
    for _ in range(repeats):
        started = time.perf_counter()
        a @ a
        best = min(best, time.perf_counter() - started)
    return 2 * size**3 / best / 1e9


def describe() -> str:
    """One line that describes the machine: cores, processor, load and speed."""
    model = "unknown processor"
    try:
        with Path("/proc/cpuinfo").open() as file:
            model = next(line.split(":")[1].strip() for line in file if "model name" in line)
    except (OSError, StopIteration):
        pass
    load = os.getloadavg()[0]
    return f"{os.cpu_count()} cores of {model}, load {load:.1f}, {gigaflops():.0f} GFLOP/s"
