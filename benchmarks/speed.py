"""The speed table: the main job, its parts, and the dashboard."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks import dashboard
from benchmarks.machine import describe
from benchmarks.running import Job, run, stop_engine
from prunepriv.plan import fit_name
from prunepriv.store.catalog import Catalog

JOB = ("--dataset", "location", "--seed", "1")
Row = tuple[str, float, str]


def report() -> None:
    """Print one row per measurement: what was measured, seconds, and the aim in seconds."""
    print(describe())
    print("| what | seconds | aim |")
    print("|---|---|---|")
    for what, seconds, aim in _rows():
        print(f"| {what} | {seconds:.2f} | {aim} |", flush=True)
    print(describe())


def _rows() -> Iterator[Row]:
    with TemporaryDirectory() as folder:
        store = Path(folder) / "pruned"
        cold = run(store, *JOB, "--models", "pruned")
        yield (
            "whole job with an empty store, pruned model, no defence, all attacks",
            cold.seconds,
            "15",
        )
        yield from _parts(cold)
        again = run(store, *JOB, "--models", "pruned")
        assert all(step["cached"] for step in again.report["steps"])
        yield "the same command again, every step cached", again.seconds, "5"
        other = run(store, *JOB, "--models", "pruned", "--sparsity", "0.6")
        yield "only the sparsity changed", other.seconds, "8"
        yield "... until its first histograms", _first_histograms(store, other), "2"
        stop_engine(store)
        shutil.rmtree(store)
        whole = run(Path(folder) / "all", *JOB, "--defense", "ppb")
        yield (
            "whole job with an empty store, original, control, pruned and PPB",
            whole.seconds,
            "45",
        )
        stop_engine(Path(folder) / "all")
    yield from _dashboard()


def _parts(job: Job) -> Iterator[Row]:
    """Seconds that the steps of the job with an empty store took in their workers."""
    parts = (
        ("train 6 models", ("train",), "2"),
        ("prune and fine-tune 6", ("fine_tune",), "1"),
        ("signals of 6", ("signals",), "-"),
        (
            "NN, Top3-NN, Cls-NN",
            tuple(fit_name(attack, "pruned") for attack in ("nn", "top3_nn", "cls_nn")),
            "2",
        ),
        ("SAMIA", (fit_name("samia", "pruned"),), "6"),
    )
    known = 0.0
    for what, prefixes, aim in parts:
        seconds = sum(job.step(prefix) for prefix in prefixes)
        known += seconds
        yield f"... {what}", seconds, aim
    yield "... all other steps", sum(s["seconds"] for s in job.report["steps"]) - known, "-"


def _first_histograms(store: Path, job: Job) -> float:
    """From the start of the run to the end of its signals."""
    catalog = Catalog(store)
    run_id = job.report["run"]
    began = catalog.run(run_id).started
    step = next(s for s in catalog.steps(run_id) if s.kind == "signals")
    assert began is not None
    assert step.started is not None
    assert step.seconds is not None
    return (step.started - began).total_seconds() + step.seconds


def _dashboard() -> Iterator[Row]:
    """Rows that are measured in a browser; none if chromium is not installed."""
    if shutil.which("chromium") is None:
        print("| dashboard: not measured, no chromium on this machine | - | - |")
        return
    yield from dashboard.measure()
