"""A cluster started elsewhere: how much faster two workers of one core each are than one.

A real scheduler and real workers on loopback, and a shared store. The scheduler, the engine and the
command share the cores with the workers.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from benchmarks.dask_processes import DaskProcesses
from benchmarks.machine import describe
from benchmarks.running import stop_engine
from prunepriv.environment import SCHEDULER

GOAL = 0.85
"""Of the sweep: the seconds of one worker, divided by twice those of two."""

SWEEP = {
    "name": "cluster",
    "base": {
        "data": {"name": "location"},
        "models": ["pruned"],
        "attacks": {"names": ["corr", "conf", "mentr", "nn"]},
    },
    "grid": {"pruning.sparsity": [0.5, 0.6, 0.7, 0.8], "seed": [1, 2, 3]},
}
LARGE = (
    *("run", "--dataset", "shapes", "--limit", "800", "--model", "resnet18", "--width", "0.5"),
    *("--shadows", "5", "--epochs", "4", "--fine-tune-epochs", "2"),
    *("--models", "pruned", "--attacks", "conf"),
)
"""One run of a large network: six models, a few seconds each."""


def report(repeats: int, limit: int | None, large: bool) -> None:
    """Print seconds, speed-up and efficiency.

    Args:
        repeats: measurements of each; one worker and two in turn, and the median counts.
        limit: only so many records of the sweep's data; None: all.
        large: also measure one run of a large network.
    """
    if len(os.sched_getaffinity(0)) < 2:
        raise SystemExit("two workers need two cores: this process may use one")
    print(f"{describe()}\n")
    print("| what | 1 worker | 2 workers | speed-up | efficiency | goal |")
    print("|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "sweep.json"
        file.write_text(json.dumps(SWEEP))
        sweep = ["sweep", str(file), *(() if limit is None else ("--limit", str(limit)))]
        _print_row("sweep of 12 Location cells", sweep, repeats, GOAL)
        if large:
            _print_row("one run of ResNet18, 6 models", LARGE, repeats, None)


def _print_row(what: str, command: Sequence[str], repeats: int, goal: float | None) -> None:
    taken: dict[int, list[float]] = {1: [], 2: []}
    for _ in range(repeats):
        for workers, seconds in taken.items():
            seconds.append(measure(command, workers))
    one, two = (median(seconds) for seconds in taken.values())
    aim = "" if goal is None else f"{goal:.2f}"
    print(
        f"| {what} | {one:.1f} s | {two:.1f} s | {one / two:.2f} | {one / (2 * two):.2f} | {aim} |",
        flush=True,
    )


def measure(command: Sequence[str], workers: int) -> float:
    """Seconds of a command of the program, with an empty store and workers of one core each.

    The engine is started by the command. The scheduler and the workers run before, as a cluster's do.
    """
    with tempfile.TemporaryDirectory() as folder:
        store, log = Path(folder) / "store", Path(folder) / "dask.log"
        with DaskProcesses(log) as cluster:
            cluster.start_scheduler()
            for core in sorted(os.sched_getaffinity(0))[:workers]:
                cluster.start_worker(core)
            cluster.wait_for_workers(workers)
            started = time.perf_counter()
            done = subprocess.run(
                [sys.executable, "-m", "prunepriv", *command, "--store", str(store)],
                env={**os.environ, SCHEDULER: cluster.address},
                capture_output=True,
                text=True,
                check=False,
            )
            seconds = time.perf_counter() - started
            if done.returncode:
                raise RuntimeError(f"{' '.join(command)} failed: {done.stderr[-2000:]}")
            stop_engine(store)
    return seconds
