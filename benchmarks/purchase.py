"""The memory of a run on a synthetic table of Purchase's size, over all processes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.machine import describe
from benchmarks.memory import Memory, Sample, at_work
from benchmarks.own_tables import write_table
from benchmarks.running import run, stop_engine
from prunepriv.engine.client import engine_is_alive
from prunepriv.options import DATASETS
from prunepriv.store.catalog import Catalog
from prunepriv.store.own_data import imported
from prunepriv.store.schema import StepView

GB = 1e9
GOAL = 4.0
"""GB that all processes together should need at most."""


def report(records: int | None, epochs: int, options: Iterable[str]) -> None:
    """Print the peaks of memory while the table is read and while it is run.

    Args:
        records: of the table; None: as many as Purchase has.
        epochs: of training and of fine-tuning.
        options: more options of ``run``.
    """
    like = DATASETS["purchase"]
    count = records or like.records
    print(describe())
    print(f"{count:,} records of {like.shape[0]} binary features, {like.classes} classes")
    with TemporaryDirectory(prefix="prunepriv-") as folder:
        store = Path(folder) / "store"
        file = write_table(Path(folder) / "purchase.npz", count, like.shape[0], like.classes)
        reading = _read(file, store)
        file.unlink()
        print(f"reading it: {_words(reading.whole)}", flush=True)
        try:
            _run(store, epochs, options)
        finally:
            if engine_is_alive(store):
                stop_engine(store)
    print(describe())


def _read(file: Path, store: Path) -> Memory:
    """``python -m prunepriv data``, watched."""
    command = [sys.executable, "-m", "prunepriv", "data", str(file), "--store", str(store)]
    with Memory(store) as memory:
        subprocess.run(command, check=True, capture_output=True)
    return memory


def _run(store: Path, epochs: int, options: Iterable[str]) -> None:
    handle = imported(store)[0].own.handle
    chosen = ("--epochs", str(epochs), "--fine-tune-epochs", str(epochs), *options)
    with Memory(store) as memory:
        job = run(store, "--dataset", handle, *chosen)
    catalog = Catalog(store)
    try:
        steps = catalog.steps(str(job.report["run"]))
    finally:
        catalog.close()
    met = "met" if memory.whole.together <= GOAL * GB else "missed"
    print(f"the run, {job.seconds:.0f} s: {_words(memory.whole)}; goal {GOAL:g} GB: {met}")
    print(f"during {', '.join(at_work(steps, memory.whole.at)) or 'no step'}")
    print("\n| step | seconds | most GB of its process |\n|---|---|---|")
    for what, size in sorted(memory.of_steps(steps).items(), key=lambda pair: -pair[1]):
        print(f"| {what} | {_seconds(steps, what):.1f} | {size / GB:.2f} |")


def _seconds(steps: Iterable[StepView], what: str) -> float:
    return sum(step.seconds or 0.0 for step in steps if f"{step.name}:".startswith(f"{what}:"))


def _words(sample: Sample) -> str:
    """All processes and each, the largest first."""
    each = sorted(sample.resident.values(), reverse=True)
    sizes = " + ".join(f"{size / GB:.2f}" for size in each[:6])
    return f"{sample.together / GB:.2f} GB of all processes (each with what it shares: {sizes})"
